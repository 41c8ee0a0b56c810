//! `--when`: a hook gets what its condition is true of, and hears of it where the condition fails.

use serde_json::json;

use crate::support::{Receiver, Reply, Sandbox};

/// A receiver's hook with this condition.
fn one_hook(receiver: &Receiver, when: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add_with(&receiver.url("/"), "*", ["--when", when]);
    sandbox
}

#[test]
fn a_hook_gets_the_deployments_of_which_its_condition_is_true() {
    let receiver = Receiver::new();
    let sandbox = one_hook(&receiver, "branch == 'main' and (tries or 0) < 3 and event != 'Quiet'");
    let deployments = [
        ("E", r#"{"branch":"main"}"#, true),
        ("E", r#"{"branch":"main","tries":2}"#, true),
        ("E", r#"{"branch":"main","tries":3}"#, false),
        ("E", r#"{"branch":"dev"}"#, false),
        ("E", r#"{"branch":"dev","branch":"main"}"#, true),
        ("E", r#"{"branch":null}"#, false),
        ("E", r#"{"branch":["main"]}"#, false),
        ("E", "{}", false),
        ("Quiet", r#"{"branch":"main"}"#, false),
        ("E", r#"{"branch":"main","event":"Quiet"}"#, true),
    ];
    let mut expected = 0;
    for (event, deployment, is_true) in deployments {
        let published = sandbox.hooks(["publish", event, deployment]).run();
        published.assert_code(0);
        expected += usize::from(is_true);
        assert_eq!(receiver.count(), expected, "{deployment}");
    }
    let publications = sandbox.journal();
    let begun = publications.iter().filter(|record| record.get("publication").is_some());
    assert_eq!(begun.count(), expected, "what nobody gets is not journalled");
}

#[test]
fn the_status_counts_as_well() {
    let receiver = Receiver::new();
    let sandbox = one_hook(&receiver, "branch == 'main'");
    sandbox.hooks(["edit", "1", "--status", "failed"]).run().assert_code(0);
    for (deployment, count) in [
        (r#"{"branch":"main","status":"success"}"#, 0),
        (r#"{"branch":"dev","status":"failed"}"#, 0),
        (r#"{"branch":"main","status":"FAILED"}"#, 1),
    ] {
        sandbox.hooks(["publish", "E", deployment]).run().assert_code(0);
        assert_eq!(receiver.count(), count, "{deployment}");
    }
}

#[test]
fn verbose_and_dry_runs_say_who_is_passed_over_and_why() {
    let receiver = Receiver::new();
    let sandbox = one_hook(&receiver, "branch == 'main'");
    sandbox.add_with("http://127.0.0.1:9/", "E", ["--name", "chat", "--when", "x\n== 1"]);
    let main = r#"{"branch":"main"}"#;
    let note = "note: hook 2 (chat) is passed over: its condition is false: x\\n== 1\n";
    let published = sandbox.hooks(["-v", "publish", "E", main]).run();
    published.assert_code(0).assert_stderr_has(&[note]);
    let note = "note: hook 2 (chat): its condition is false: x\\n== 1\n";
    let dry = sandbox.hooks(["publish", "E", main, "--dry-run"]).run();
    dry.assert(0, &dry.stdout, &format!("{note}note: nothing was sent\n"));
    // Where nobody is left, it is said without being asked for.
    let nobody = sandbox.hooks(["publish", "E", "{}"]).run();
    nobody.assert_code(0).assert_stderr_has(&[
        "note: hook 1: its condition is false: branch == 'main'\n",
        "note: hook 2 (chat): its condition is false: x\\n== 1\n",
    ]);
}

#[test]
fn a_condition_that_fails_is_a_failed_delivery_that_says_so() {
    let receiver = Receiver::answering([Reply::status(200)]);
    let sandbox = one_hook(&receiver, "seconds + 0 > 60");
    let deployment = r#"{"seconds":"90"}"#;
    let published = sandbox.hooks(["publish", "E", deployment, "--json"]).run();
    published.assert_code(3);
    let reason = "its condition fails: invalid operation: tried to use + operator on unsupported types string and number";
    let delivery = &published.json()["deliveries"][0];
    assert_eq!(delivery["reason"], reason);
    assert_eq!(delivery["attempts"], 1, "another attempt would be no different");
    assert_eq!(sandbox.hook("1")["last_reason"], reason);
    assert_eq!(sandbox.log()[0]["state"], "failed");
    let dry = sandbox.hooks(["publish", "E", deployment, "--dry-run"]).run();
    dry.assert_code(3).assert_stderr_has(&["hook 1 cannot be called: its condition fails: "]);
    // Once it is mended, it is sent like any other.
    sandbox.hooks(["edit", "1", "--when", "seconds|int > 60"]).run().assert_code(0);
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    assert_eq!(receiver.request().text(), deployment);
}

#[test]
fn a_test_asks_no_condition() {
    let receiver = Receiver::new();
    let sandbox = one_hook(&receiver, "false");
    sandbox.hooks(["test", "1"]).run().assert_code(0);
    sandbox.write(
        "hooks.json",
        json!([{"id": 1, "url": receiver.url("/"), "event": "E", "when": "x + 1"}]).to_string(),
    );
    sandbox.hooks(["test", "1"]).run().assert_code(0);
    receiver.wait_for(2);
}

#[test]
fn what_is_no_condition_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    let long = format!("x == '{}'", "y".repeat(4096));
    for (when, why) in [
        ("branch = 'main'", "syntax error: unexpected input after expression"),
        ("a b", "syntax error: unexpected input after expression"),
        ("{{ branch }}", "syntax error: unexpected `}`, expected `:`"),
        ("a|nosuch", "unknown filter: "),
        ("a is nosuch", "unknown test: "),
        ("nosuch(1)", "unknown function: nosuch is unknown"),
        ("status == 'failed' and a|nosuch", "unknown filter: "),
        ("'x' * 1000000000 == a", "it takes too much work"),
        (
            "[[[1] * 1000] * 1000] * 1000 == [[[1] * 1000] * 1000] * 1000",
            "the condition takes too much time or memory",
        ),
        (&long, "it has more than 4 KiB"),
    ] {
        let refused =
            sandbox.hooks(["add", "--url", "http://h/", "--event", "E", "--when", when]).run();
        let said = format!("error: could not use the condition: {why}");
        refused.assert_code(2).assert_stderr_has(&[&said, "hint: "]);
    }
    assert!(!sandbox.has("hooks.json"));
}

#[test]
fn a_condition_that_a_hand_has_written_stops_nothing_else() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let endless = "[[[n] * 1000] * 1000] * 1000 == [[[n] * 1000] * 1000] * 1000";
    let whens = ["", "a b", "%}{% x", "((((", "\u{1b}[2J", endless, "n == 1"];
    let hook = |(number, when): (usize, &&str)| {
        let url = receiver.url(&format!("/{number}"));
        json!({"id": number + 1, "url": url, "event": "E", "when": when})
    };
    let hooks: Vec<_> = whens.iter().enumerate().map(hook).collect();
    sandbox.write("hooks.json", json!(hooks).to_string());
    let published = sandbox.hooks(["publish", "E", r#"{"n":1}"#, "--json"]).run();
    published.assert_code(3);
    let mut targets: Vec<String> = receiver.requests().into_iter().map(|r| r.target).collect();
    targets.sort_unstable();
    assert_eq!(targets, ["/0", "/6"], "an empty one is none");
    let deliveries = published.json()["deliveries"].as_array().unwrap().clone();
    assert_eq!(deliveries.len(), whens.len());
    for arguments in [&["list"][..], &["show", "5"], &["log"]] {
        sandbox.hooks(arguments).run().assert_code(0).assert_hides("\u{1b}");
    }
}

#[test]
fn a_condition_is_shown_compared_and_cleared() {
    let sandbox = Sandbox::new();
    let add = ["add", "--url", "http://h/", "--event", "E"];
    let when = r#"branch == "it's main""#;
    sandbox.hooks(add).args(["--when", when, "--status", "failed"]).run().assert_code(0);
    let shown = sandbox.hooks(["show", "1", "--json"]).run();
    shown.assert_stdout_has(&["  ],\n  \"when\": \"branch == \\\"it's main\\\"\"\n}"]);
    sandbox
        .hooks(["show", "1"])
        .run()
        .assert_stdout_has(&["\nwhen            branch == \"it's main\"\n"]);
    sandbox.hooks(add).args(["--when", when]).run().assert_code(0);
    let other = sandbox.hooks(add).args(["--when", "it == 'x'"]).run();
    other.assert_code(4).assert_stderr_has(&[r"hooks edit 1 --when 'it == '\''x'\'''"]);
    sandbox.hooks(["edit", "1", "--when", ""]).run().assert_code(0);
    assert_eq!(sandbox.hook("1").get("when"), None);
}
