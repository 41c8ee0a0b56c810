//! `hooks log`.

mod answers;

use serde_json::{Value, json};

use crate::support::{Receiver, Reply, Sandbox, is_webhook_id, refused_url};

#[test]
fn the_log_has_a_line_for_each_delivery_newest_first() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    let bad = Receiver::answering([Reply::status(404).body("no such channel")]);
    sandbox.add(&good.url("/"), "*");
    sandbox.add(&bad.url("/"), "Second");
    sandbox.hooks(["publish", "First", "{}"]).run().assert_code(0);
    sandbox.hooks(["publish", "Second", "{}"]).run().assert_code(3);
    let log = sandbox.log();
    let what: Vec<_> = log
        .iter()
        .map(|entry| format!("{} {} {}", entry["event"], entry["hook"], entry["state"]))
        .collect();
    assert_eq!(what.len(), 3);
    assert_eq!(what[2], r#""First" 1 "delivered""#);
    assert!(what[..2].contains(&r#""Second" 1 "delivered""#.to_owned()), "{what:?}");
    assert!(what[..2].contains(&r#""Second" 2 "failed""#.to_owned()), "{what:?}");
    let failed = log.iter().find(|entry| entry["state"] == "failed").unwrap();
    assert!(is_webhook_id(failed["id"].as_str().unwrap()));
    assert!(failed["duration_ms"].is_u64() && failed["time"].as_str().unwrap().ends_with('Z'));
    let mut rest = failed.clone();
    for key in ["id", "time", "duration_ms", "next_try"] {
        rest.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(
        rest,
        json!({
            "event": "Second",
            "hook": 2,
            "url": bad.url("/"),
            "state": "failed",
            "delivered": false,
            "status": "Not Found",
            "code": 404,
            "reason": "no such channel",
            "response": "no such channel",
            "attempts": 1,
        })
    );
}

#[test]
fn the_log_can_be_narrowed_by_hook_by_failure_and_by_number() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.add(refused_url(), "PostDeployment");
    for number in 0..12 {
        let content = format!("{{\"n\":{number}}}");
        sandbox
            .hooks(["publish", "PostDeployment", &content, "--retries", "0"])
            .run()
            .assert_code(3);
    }
    let lines = |arguments: &[&str]| {
        let log = sandbox.hooks(["log", "--json"]).args(arguments).run();
        log.assert_code(0);
        log.json_lines()
    };
    assert_eq!(lines(&[]).len(), 20, "twenty deliveries unless told");
    assert_eq!(lines(&["-n", "3"]).len(), 3);
    assert_eq!(lines(&["-n", "1000"]).len(), 24);
    let of_first = lines(&["1"]);
    assert_eq!((of_first.len(), of_first.iter().all(|entry| entry["hook"] == 1)), (12, true));
    let failed = lines(&["--failed"]);
    assert_eq!((failed.len(), failed.iter().all(|entry| entry["hook"] == 2)), (12, true));
    assert_eq!(lines(&["1", "--failed"]), Vec::<Value>::new());
    // Version 7 ids sort by their time.
    let all = lines(&["-n", "1000"]);
    let mut ids: Vec<_> = all.iter().map(|entry| entry["id"].to_string()).collect();
    ids.reverse();
    assert!(ids.is_sorted(), "newest first");
}

#[test]
fn the_log_outlives_its_hooks_and_may_be_empty() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    assert_eq!(sandbox.hooks(["log", "--json"]).run().assert_code(0).stdout, "");
    sandbox.hooks(["log"]).run().assert_code(0);
    let id = sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.publish().assert_code(0);
    sandbox.hooks(["remove", &id]).run().assert_code(0);
    assert_eq!(sandbox.log().len(), 1);
    assert_eq!(sandbox.hooks(["log", &id, "--json"]).run().assert_code(0).json_lines().len(), 1);
}

#[test]
fn the_text_of_the_log_shows_no_secret() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(404).body("\u{1b}[2Jgone\u{202e}")]);
    sandbox.add(
        &receiver.url_as("http://u:hush@127.0.0.1", "/T0AB12CD34EF56GH78?k=hush"),
        "PostDeployment",
    );
    sandbox.publish().assert_code(3).assert_hides("hush").assert_hides("T0AB12CD34EF56GH78");
    let log = sandbox.hooks(["log"]).run();
    log.assert_code(0).assert_hides("hush").assert_hides("T0AB12CD34EF56GH78");
    log.assert_hides("\u{1b}").assert_hides("\u{202e}");
    assert!(log.stdout.contains("gone") && log.stdout.contains("404"));
    sandbox.hooks(["log", "--json"]).run().assert_hides("\u{1b}");
}

#[test]
fn the_text_is_a_table_of_the_deliveries() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(404).body("gone\naway"), Reply::status(200)]);
    sandbox.add(&receiver.url("/cb?key=hush"), "PostDeployment");
    sandbox.publish().assert_code(3);
    sandbox.publish().assert_code(0);
    sandbox.hooks(["test", "1"]).run().assert_code(0);
    sandbox.hooks(["log"]).run().assert(
        0,
        "\
TIME                    STATE      HOOK  EVENT                  DEPLOYMENT       RESULT
[TIME]  delivered  1     PostDeployment (test)  cd5bee7 success  200 OK
[TIME]  delivered  1     PostDeployment         cd5bee7 success  200 OK
[TIME]  failed     1     PostDeployment         cd5bee7 success  404 Not Found: gone\\naway
",
        "",
    );
    // `--verbose` shows the id that `redeliver` takes.
    let verbose = sandbox.hooks(["log", "--verbose", "-n", "1"]).run();
    assert_eq!(verbose.stderr, "note: the registry is [DIR]/hooks.json\n");
    assert!(verbose.stdout.starts_with(char::is_numeric));
    let lines: Vec<&str> = verbose.stdout.lines().collect();
    let [first, second, third] = lines[..] else {
        panic!("three lines a delivery:\n{}", verbose.stdout)
    };
    assert!(first.contains("  delivered  PostDeployment (test)  msg_"), "{first}");
    assert!(second.starts_with("    hook 1  http://127.0.0.1:"), "{second}");
    assert!(second.ends_with("/cb?key=***  200 OK"), "{second}");
    assert!(third.starts_with("    {") && third.contains("cd5bee7181e7"), "{third}");
}
