//! The journal is compacted by a publish that finds it too long: whatever cuts that short, no undelivered
//! event is lost and the event at hand is delivered.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Call, Effect, Receiver, Sandbox, Scope, Strace, figures, files_of};

const UNDELIVERED: [&str; 2] = ["msg_first", "msg_last"];
const PUBLISH: [&str; 3] = ["publish", "E", "{\"now\":true}"];

/// Nine delivered publications of 1 MiB between two that were not delivered.
fn long_journal(url: &str) -> String {
    let now = "2999-01-01T00:00:00Z";
    let big = "x".repeat(1 << 20);
    let begun = |id: &str, content: &str| {
        let record = json!({
            "id": id, "time": now, "event": "E", "deadline": "2026-01-01T00:00:00Z",
            "targets": [{"hook": 1, "url": url}], "content": json!({ "content": content }).to_string()
        });
        format!("{}\n", json!({ "publication": record }))
    };
    let ended = |id: &str, delivered: bool| {
        let record = json!({
            "id": id, "hook": 1, "time": now, "delivered": delivered, "status": "S", "reason": "r",
            "attempts": 1, "duration_ms": 1
        });
        format!("{}\n", json!({ "outcome": record }))
    };
    let mut journal = begun(UNDELIVERED[0], "small") + &ended(UNDELIVERED[0], false);
    for number in 0..9 {
        let id = format!("msg_{number}");
        journal += &(begun(&id, &big) + &ended(&id, true));
    }
    journal + &begun(UNDELIVERED[1], "small")
}

fn prepare(receiver: &Receiver, journal: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let hook = json!({"id": 1, "url": receiver.url("/"), "event": "E", "insecure_ssl": false});
    let registry = json!({"version": 1, "next_id": 2, "hooks": [hook]});
    sandbox.write("hooks.json", registry.to_string());
    sandbox.write("hooks.json.journal", journal);
    sandbox
}

/// The system calls by which the journal is replaced: from the first on the temporary file to the sync of
/// the folder.
fn replacing(calls: &[Call]) -> Vec<Call> {
    let first = calls.iter().position(|call| call.shown.contains(".tmp"));
    let rest = calls.iter().skip(first.expect("a temporary file is used"));
    let mut renamed = false;
    let mut taken = Vec::new();
    for call in rest {
        taken.push(call.clone());
        renamed |= call.name.starts_with("rename");
        if renamed && call.name == "fsync" {
            break;
        }
    }
    assert!(
        taken[0].shown.contains(".tmp") && renamed,
        "no compaction: {taken:?}"
    );
    taken
}

fn length(sandbox: &Sandbox) -> u64 {
    let file = fs::metadata(sandbox.path().join("hooks.json.journal"));
    file.expect("there is a journal").len()
}

fn states(sandbox: &Sandbox) -> Vec<(String, String)> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let log = sandbox.log();
    log.iter()
        .map(|line| (text(line, "id"), text(line, "state")))
        .collect()
}

#[track_caller]
fn assert_undelivered_kept(sandbox: &Sandbox, about: &str) {
    let states = states(sandbox);
    for (id, state) in UNDELIVERED.iter().zip(["failed", "unfinished"]) {
        let kept = states.contains(&((*id).to_owned(), state.to_owned()));
        assert!(kept, "{id} is lost, {about}: {states:?}");
    }
}

fn calls_of_a_compaction(strace: &Strace, receiver: &Receiver, journal: &str) -> Vec<Call> {
    let sandbox = prepare(receiver, journal);
    let files = files_of(&sandbox.path().join("hooks.json"));
    let (finished, calls) = strace.calls(sandbox.hooks(PUBLISH), Scope::On(&files));
    finished.assert_code(0);
    assert_eq!(finished.stderr, "");
    assert!(length(&sandbox) < 6 << 20, "it was not compacted");
    assert_undelivered_kept(&sandbox, "without any fault");
    replacing(&calls)
}

#[test]
fn a_kill_at_any_system_call_of_a_compaction_loses_no_undelivered_event() {
    let Some(strace) = Strace::find() else { return };
    let receiver = Receiver::new();
    let journal = long_journal(&receiver.url("/"));
    let calls = calls_of_a_compaction(&strace, &receiver, &journal);
    for call in &calls {
        let sandbox = prepare(&receiver, &journal);
        let files = files_of(&sandbox.path().join("hooks.json"));
        let publish = sandbox.hooks(PUBLISH).args(["--deadline", "2s"]);
        let (_, killed) = strace.inject(publish, Scope::On(&files), call, Effect::Kill);
        assert!(killed, "{call}");
        assert_undelivered_kept(&sandbox, &format!("killed at {call}"));
        let killed_one = states(&sandbox)[0].clone();
        assert!(
            !killed_one.0.is_empty() && matches!(&*killed_one.1, "pending" | "unfinished"),
            "the killed publication is lost at {call}: {killed_one:?}"
        );
        sandbox.hooks(PUBLISH).run().assert_code(0);
        assert_undelivered_kept(&sandbox, &format!("after the next publish, {call}"));
        assert!(length(&sandbox) < 6 << 20, "never compacted after {call}");
        assert!(!sandbox.has("hooks.json.tmp"), "{call}");
    }
    figures(&format!("killed at {} calls of a compaction", calls.len()));
}

#[test]
fn a_fault_in_a_compaction_is_a_warning_and_loses_nothing() {
    let Some(strace) = Strace::find() else { return };
    let receiver = Receiver::new();
    let journal = long_journal(&receiver.url("/"));
    for call in calls_of_a_compaction(&strace, &receiver, &journal) {
        if matches!(&*call.name, "close" | "fcntl") {
            continue;
        }
        let sandbox = prepare(&receiver, &journal);
        let files = files_of(&sandbox.path().join("hooks.json"));
        let before = receiver.requests().len();
        let error = Effect::Error("EIO");
        let (published, came) =
            strace.inject(sandbox.hooks(PUBLISH), Scope::On(&files), &call, error);
        assert!(came, "{call}");
        published.assert_code(0);
        assert_eq!(
            receiver.requests().len(),
            before + 1,
            "not delivered at {call}"
        );
        assert_undelivered_kept(&sandbox, &format!("EIO at {call}"));
        let (_, state) = &states(&sandbox)[0];
        assert_eq!(
            state, "delivered",
            "not on record at {call}\n{}",
            published.stderr
        );
        published.assert_stderr_has(&[
            "warning: ",
            "[DIR]/hooks.json.journal",
            "Input/output error",
        ]);
    }
}
