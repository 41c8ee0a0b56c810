//! Each system call on the registry's files fails in turn: the registry is the old one or the new one, and the
//! message and the exit code say which.

use serde_json::{Value, json};

use crate::support::faults::{Fault, Run, Scenario, each_fault};
use crate::support::{Receiver, Sandbox, hook_json};

const DURABLE: &str = "saved, but not durable";

/// `add`, `edit` and `remove`: the change is made and acknowledged, or neither.
fn change(run: &Run, fault: &Fault, new: &Value) -> &'static str {
    if fault.code == 0 {
        fault.must(run.contents().as_ref() == Some(new), "acknowledged, but not saved");
        fault.must(!fault.says("error:"), "an error with exit code 0");
        return "done";
    }
    fault.must(fault.error != "EINTR", "EINTR is never fatal");
    fault.must(fault.code == 1, "a fault is exit code 1");
    fault.must(fault.stdout.is_empty(), "acknowledged, and failed");
    fault.must(
        fault.stderr.starts_with("error: ") && fault.stderr.lines().count() <= 2,
        "one error, and perhaps a hint",
    );
    fault.must(fault.says("[DIR]/"), "the path is named");
    fault.must(fault.says(fault.words), "the cause is named");
    if fault.says(DURABLE) {
        fault.must(run.contents().as_ref() == Some(new), "not saved, whatever it says");
        return "not durable";
    }
    fault.must(run.is_old(), "the old registry must be intact");
    "not done"
}

/// `publish`: delivered, whatever happens to the files, with a warning for what is not on record.
fn publication(run: &Run, fault: &Fault, new: &Value) -> &'static str {
    let journal = run.journal_text();
    fault.must(journal.is_some(), "the journal lost what it had");
    let journal = journal.unwrap_or_default();
    if fault.code == 1 {
        fault.must(fault.error != "EINTR", "EINTR is never fatal");
        fault.must(!run.was_sent(), "sent, and called a failure");
        fault.must(run.is_old(), "the old registry must be intact");
        fault.must(journal.is_empty(), "journalled, and not sent");
        fault.must(
            fault.says("error: ") && fault.says("[DIR]/") && fault.says(fault.words),
            "path and cause are named",
        );
        fault.must(
            !fault.on(".journal") && !fault.on(".lock") && !fault.on(".tmp"),
            "only a registry that can't be read keeps a publish from its hooks",
        );
        return "not sent";
    }
    fault.must(fault.code == 0, "the receiver accepted it");
    fault.must(run.was_sent(), "called delivered, and not sent");
    let registered = run.contents().as_ref() == Some(new);
    fault.must(registered || run.is_old(), "a registry of neither state");
    let begun = journal.contains(r#"{"publication":"#);
    let ended = journal.contains(r#"{"outcome":"#);
    let warned = fault.says("warning: ");
    fault.must(warned || (registered && begun && ended), "what is not on record is warned of");
    fault.must(
        ended || !begun || fault.says("may be sent again"),
        "a redelivery would send it again, and nobody was told",
    );
    if warned {
        fault.must(fault.error != "EINTR", "EINTR is no reason for a warning");
        fault.must(fault.says("[DIR]/") && fault.says(fault.words), "path and cause are named");
        return "warned";
    }
    "delivered"
}

const REGISTRY: &str = r#"{"version": 1, "next_id": 4, "hooks": [
    {"id": 2, "url": "https://h.example/2", "event": "Other", "insecure_ssl": false, "mine": [1]},
    {"id": 3, "url": "https://h.example/3", "event": "PostDeployment", "insecure_ssl": true}
]}"#;

/// A registry in use, with a mode and an owner that a new file does not have by itself.
fn in_use(sandbox: &Sandbox) {
    let path = sandbox.write("hooks.json", REGISTRY);
    sandbox.set_mode("hooks.json", 0o640);
    // Only root can give a file away; without it, the owner's calls are not made.
    let _ = std::os::unix::fs::chown(path, Some(12345), Some(12345));
}

/// The same behind a symlink.
fn behind_a_link(sandbox: &Sandbox) {
    in_use(sandbox);
    std::os::unix::fs::symlink("hooks.json", sandbox.path().join("link.json"))
        .expect("a link can be made");
}

fn assert_seen(count: &[(&str, usize)], verdicts: &[&str]) {
    for verdict in verdicts {
        assert!(
            count.is_empty() || count.iter().any(|(seen, _)| seen == verdict),
            "no fault came to {verdict:?}: {count:?}"
        );
    }
}

/// Each fault of a command that changes a registry.
#[track_caller]
fn assert_change(arguments: &[&str], registry: &str, prepare: &dyn Fn(&Sandbox)) {
    let scenario = Scenario { arguments, registry, prepare, receiver: None };
    let seen = each_fault(&scenario, change);
    assert_seen(&seen, &["done", "not done", "not durable"]);
}

const ADD: [&str; 5] = ["add", "--url", "https://h.example/new", "--event", "E"];

#[test]
fn add_reports_each_fault() {
    assert_change(&ADD, "hooks.json", &in_use);
}

#[test]
fn the_first_add_reports_each_fault() {
    assert_change(&ADD, "new/folder/hooks.json", &|_| ());
}

#[test]
fn edit_behind_a_symlink_reports_each_fault() {
    let edit = ["edit", "2", "--url", "https://h.example/moved", "--disable"];
    assert_change(&edit, "hooks.json", &behind_a_link);
}

#[test]
fn remove_reports_each_fault() {
    assert_change(&["remove", "2"], "hooks.json", &in_use);
}

#[test]
fn publish_delivers_and_warns_at_each_fault_of_its_journal() {
    let receiver = Receiver::new();
    let hook = hook_json(1, receiver.url("/"), "PostDeployment");
    let scenario = |prepare| Scenario {
        arguments: &["publish", "PostDeployment", "-"],
        registry: "hooks.json",
        prepare,
        receiver: Some(&receiver),
    };
    let first = |sandbox: &Sandbox| sandbox.write_hooks(std::slice::from_ref(&hook));
    let seen = each_fault(&scenario(&first), publication);
    assert_seen(&seen, &["delivered", "warned", "not sent"]);
    let later = |sandbox: &Sandbox| {
        first(sandbox);
        // An earlier compaction, and a record that a full disk has cut off.
        sandbox.write("hooks.json.journal", "{\"compacted\":{\"time\":\"2026-01-01T00:00:00Z\",\"length\":1}}\n{\"outcome\":{\"id\":\"msg_");
    };
    let seen = each_fault(&scenario(&later), publication);
    assert_seen(&seen, &["delivered", "warned", "not sent"]);
}

/// `redeliver`: sends only what it has claimed in the journal, so that two processes never send the same.
fn redelivery(run: &Run, fault: &Fault, _: &Value) -> &'static str {
    let journal = run.journal_text().unwrap_or_default();
    let claimed = journal.contains(r#"{"redelivery":"#);
    let ended = journal.contains(r#"{"outcome":"#);
    fault.must(claimed || !run.was_sent(), "sent without a claim");
    if fault.code == 1 {
        fault.must(fault.error != "EINTR", "EINTR is never fatal");
        fault.must(!run.was_sent(), "sent, and called a failure");
        fault.must(
            fault.says("error: ") && fault.says("[DIR]/") && fault.says(fault.words),
            "path and cause are named",
        );
        return "not sent";
    }
    fault.must(fault.code == 0 && run.was_sent(), "it must be sent or refused");
    let warned = fault.says("warning: ");
    fault.must(ended || warned, "what is not on record is warned of");
    fault.must(!warned || fault.error != "EINTR", "EINTR is no reason for a warning");
    if warned { "warned" } else { "delivered" }
}

#[test]
fn redeliver_sends_nothing_that_it_cannot_record() {
    let receiver = Receiver::new();
    let url = receiver.url("/");
    let hook = hook_json(1, url.as_str(), "E");
    let killed = json!({
        "id": "msg_killed", "time": "2999-01-01T00:00:00Z", "event": "E", "content": "{}",
        "deadline": "2026-01-01T00:00:00Z", "targets": [{"hook": 1, "url": url}]
    });
    let journal = format!("{}\n", json!({ "publication": killed }));
    let scenario = Scenario {
        arguments: &["redeliver", "msg_killed"],
        registry: "hooks.json",
        prepare: &|sandbox| {
            sandbox.write_hooks(std::slice::from_ref(&hook));
            sandbox.write("hooks.json.journal", &journal);
        },
        receiver: Some(&receiver),
    };
    let seen = each_fault(&scenario, redelivery);
    assert_seen(&seen, &["delivered", "warned", "not sent"]);
}
