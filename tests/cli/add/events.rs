//! The events of a hook: lists, and names that end in `*`.

use serde_json::json;

use crate::support::{Receiver, Sandbox};

#[test]
fn events_are_stored_in_the_order_given_however_they_are_given() {
    let sandbox = Sandbox::new();
    for (number, (events, stored)) in [
        (&["--event", "PostDeployment,Rollback"][..], "PostDeployment,Rollback"),
        (&["--event", "Rollback", "--event", "PostDeployment"], "Rollback,PostDeployment"),
        (&["--event", "b, a", "--event=c"], "b,a,c"),
        (&["--event", "a,A,b,a"], "a,b"),
        (&["--event", "deploy.*,Rollback"], "deploy.*,Rollback"),
        (&["--event", "Rollback,*"], "Rollback,*"),
    ]
    .into_iter()
    .enumerate()
    {
        let url = format!("http://h/{number}");
        let added = sandbox.hooks(["add", "--json", "--url", &url]).args(events).run();
        added.assert_code(0);
        assert_eq!(added.json()["event"], stored);
        assert_eq!(sandbox.registry()["hooks"][number]["event"], stored);
    }
}

#[test]
fn a_hook_gets_each_of_its_events_and_what_a_star_stands_for() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/list"), "PostDeployment,Rollback");
    sandbox.add(&receiver.url("/start"), "deploy.*,PostDeployment");
    sandbox.add(&receiver.url("/all"), "Nothing,*");
    for (event, targets) in [
        ("postdeployment", &["/all", "/list", "/start"][..]),
        ("ROLLBACK", &["/all", "/list"]),
        ("Deploy.staging.web", &["/all", "/start"]),
        ("deploy.", &["/all", "/start"]),
        ("deploy", &["/all"]),
        ("Rollback2", &["/all"]),
    ] {
        let before = receiver.count();
        let published = sandbox.hooks(["publish", event, "{}"]).run();
        published.assert_code(0);
        let requests = receiver.wait_for(before + targets.len());
        let mut got: Vec<&str> = requests[before..].iter().map(|r| r.target.as_str()).collect();
        got.sort_unstable();
        assert_eq!(got, targets, "{event}");
        let listed = sandbox.hooks(["list", "--event", event, "--json"]).run();
        assert_eq!(listed.json().as_array().unwrap().len(), targets.len(), "{event}");
    }
    let listed = sandbox.hooks(["list", "--event", "*", "--json"]).run();
    assert_eq!(listed.json()[0]["id"], 3);
    assert_eq!(listed.json().as_array().unwrap().len(), 1);
}

#[test]
fn the_same_set_of_events_is_the_hook_that_is_there() {
    let sandbox = Sandbox::new();
    sandbox.add("http://h/", "PostDeployment,deploy.*,Rollback");
    let before = sandbox.registry_bytes();
    for events in [
        "PostDeployment,deploy.*,Rollback",
        "ROLLBACK, postdeployment ,Deploy.*",
        "Rollback,rollback,PostDeployment,deploy.*",
    ] {
        let again = sandbox.hooks(["add", "--url", "http://h/", "--event", events]).run();
        again.assert(0, &again.stdout, "note: hook 1 is registered already\n");
    }
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn other_events_are_a_conflict_whose_hint_takes_nothing_from_the_hook() {
    for (present, given, all) in [
        ("PostDeployment", "Rollback", "PostDeployment,Rollback"),
        ("PostDeployment", "Rollback,PostDeployment", "PostDeployment,Rollback"),
        ("B,A", "c,a,D", "B,A,c,D"),
        ("deploy.*", "deploy.x,Rollback", "deploy.*,Rollback"),
        ("PostDeployment", "*", "PostDeployment,*"),
        ("deploy.x", "deploy.*", "deploy.x,deploy.*"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.add("http://h/", present);
        let before = sandbox.registry_bytes();
        let conflict = sandbox.hooks(["add", "--url", "http://h/", "--event", given]).run();
        let said = format!(
            "error: could not add the hook: the URL is registered already, as hook 1 for {present}\n\
             hint: to change that hook: hooks edit 1 --event '{all}'\n"
        );
        conflict.assert(4, "", &said);
        assert_eq!(sandbox.registry_bytes(), before);
        sandbox.hooks(["edit", "1", "--event", all]).run().assert_code(0);
        assert_eq!(sandbox.hook("1")["event"], all);
    }
}

#[test]
fn events_that_the_hook_has_among_others_are_a_conflict_without_a_change_to_make() {
    for (present, given) in [("A,B", "b"), ("*", "A"), ("deploy.*", "deploy.x,deploy.y*")] {
        let sandbox = Sandbox::new();
        sandbox.add("http://h/", present);
        let add = ["add", "--url", "http://h/", "--event", given];
        let said = format!(
            "error: could not add the hook: the URL is registered already, as hook 1 for {present}\n\
             hint: hook 1 gets all of that already; see 'hooks show 1'\n"
        );
        sandbox.hooks(add).run().assert(4, "", &said);
        let conflict = sandbox.hooks(add).args(["--status", "failed"]).run();
        conflict.assert_code(4);
        let hint = "hint: to change that hook: hooks edit 1 --status 'failed'\n";
        assert!(conflict.stderr.ends_with(hint), "{}", conflict.stderr);
    }
}

#[test]
fn a_test_sends_the_first_event_that_has_a_whole_name() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    for (number, (events, sent)) in [
        ("PostDeployment,Rollback", "PostDeployment"),
        ("deploy.*,Rollback", "Rollback"),
        ("*,Rollback", "Rollback"),
        ("deploy.*", "Test"),
        ("*", "Test"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = sandbox.add(&receiver.url(&format!("/{number}")), events);
        sandbox.hooks(["test", &id]).run().assert_code(0);
        let request = receiver.requests().pop().unwrap();
        assert_eq!(request.the_header("webhook-event"), sent);
    }
}

#[test]
fn what_a_hand_has_written_is_passed_over_and_kept() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let odd = [
        "",
        ",",
        ",,E,",
        " E , F ",
        "**",
        "a*b",
        "*x",
        "ü*",
        "é,\u{1b}[2J",
        "\n",
        "'; rm -rf *'",
        &",".repeat(10_000),
    ];
    let hook = |(number, event): (usize, &&str)| json!({"id": number + 1, "url": receiver.url(&format!("/{number}")), "event": event});
    let hooks: Vec<_> = odd.iter().enumerate().map(hook).collect();
    sandbox.write("hooks.json", json!(hooks).to_string());
    let published = sandbox.hooks(["-v", "publish", "e", "{}"]).run();
    published.assert_code(0).assert_hides("\u{1b}");
    let mut targets: Vec<String> = receiver.requests().into_iter().map(|r| r.target).collect();
    targets.sort_unstable();
    assert_eq!(targets, ["/2", "/3"]);
    for arguments in [&["list"][..], &["list", "--event", "E"], &["show", "8"], &["test", "10"]] {
        sandbox.hooks(arguments).run().assert_code(0).assert_hides("\u{1b}");
    }
    for (number, event) in odd.iter().enumerate() {
        let add = ["add", "--url", &receiver.url(&format!("/{number}")), "--event", "G"];
        sandbox.hooks(add).run().assert_hides("\u{1b}");
        assert_eq!(sandbox.registry()["hooks"][number]["event"], *event);
    }
}
