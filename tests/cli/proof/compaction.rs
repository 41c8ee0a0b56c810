//! The journal is compacted by a publish that finds it too long: whatever cuts that short, no undelivered
//! event is lost and the event at hand is delivered.

use std::collections::HashMap;

use serde_json::json;

use crate::support::{
    Call, Effect, Receiver, Sandbox, Scope, Strace, figures, files_of, hook_json, scaled,
    wait_until,
};

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
    sandbox.write_hooks(&[hook_json(1, receiver.url("/"), "E")]);
    sandbox.write("hooks.json.journal", journal);
    sandbox
}

/// The system calls by which the journal is replaced: from the making of the temporary file to the sync of
/// the folder. The registry is replaced before that, by a file of the same name.
fn replacing(calls: &[Call]) -> Vec<Call> {
    let is_rename =
        |call: &Call| call.name.starts_with("rename") && call.shown.contains("hooks.json.journal");
    let makes =
        |call: &Call| call.shown.contains("hooks.json.tmp") && call.shown.contains("O_EXCL");
    let renamed = calls.iter().position(is_rename).expect("no compaction");
    let first = calls[..renamed]
        .iter()
        .rposition(makes)
        .expect("it is made");
    let mut rest = calls[renamed..].iter();
    let synced = rest
        .position(|call| call.name == "fsync")
        .expect("it is synced");
    let mut taken = calls[first..=renamed + synced].to_vec();
    // Many a read and write is as the one before.
    let mut counts = HashMap::new();
    taken.retain(|call| {
        let count = counts.entry(call.name.clone()).or_insert(0);
        *count += 1;
        *count <= scaled(5, usize::MAX)
    });
    taken
}

/// The journal as it stands; the tool would take long to read it, so it is asked only once it is short.
fn text(sandbox: &Sandbox) -> String {
    String::from_utf8(sandbox.read("hooks.json.journal")).expect("the journal is UTF-8")
}

fn is_long(sandbox: &Sandbox) -> bool {
    text(sandbox).len() > 6 << 20
}

#[track_caller]
fn assert_undelivered_kept(sandbox: &Sandbox, journal: &str, about: &str) {
    let now = text(sandbox);
    let undelivered = |line: &&str| UNDELIVERED.iter().any(|id| line.contains(id));
    for line in journal.lines().filter(undelivered) {
        assert!(now.contains(line), "lost, {about}: {line}");
    }
}

/// The states of the deliveries, by the time that the log shows.
fn states(sandbox: &Sandbox) -> Vec<String> {
    let log = sandbox.log();
    log.iter().map(|line| line["state"].to_string()).collect()
}

fn calls_of_a_compaction(strace: &Strace, receiver: &Receiver, journal: &str) -> Vec<Call> {
    let sandbox = prepare(receiver, journal);
    let files = files_of(&sandbox.path().join("hooks.json"));
    let (finished, calls) = strace.calls(sandbox.hooks(PUBLISH), Scope::On(&files));
    finished.assert_code(0);
    assert_eq!(finished.stderr, "");
    assert!(!is_long(&sandbox), "it was not compacted");
    assert_undelivered_kept(&sandbox, journal, "without any fault");
    let mut latest = states(&sandbox)[..2].to_vec();
    latest.sort();
    assert_eq!(latest, ["\"delivered\"", "\"unfinished\""]);
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
        assert_undelivered_kept(&sandbox, &journal, &format!("killed at {call}"));
        let own = text(&sandbox).contains("now");
        assert!(own, "the killed publication is lost at {call}");
        sandbox.hooks(PUBLISH).run().assert_code(0);
        assert_undelivered_kept(&sandbox, &journal, &format!("one after {call}"));
        assert!(!is_long(&sandbox), "never compacted after {call}");
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
        assert_undelivered_kept(&sandbox, &journal, &format!("EIO at {call}"));
        let last = text(&sandbox).lines().last().map(str::to_owned);
        assert!(
            last.is_some_and(|line| line.starts_with(r#"{"outcome""#)),
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

#[test]
fn what_is_appended_without_the_lock_meanwhile_is_carried_over() {
    if Strace::find().is_none() {
        return;
    }
    let receiver = Receiver::new();
    let sandbox = prepare(&receiver, &long_journal(&receiver.url("/")));
    // It holds the lock for 3 s between reading the old journal and putting the new one in its place.
    let slow = "exec strace -f -qqq -o /dev/null -e trace=fsync -e inject=fsync:delay_enter=3000000:when=1 \"$@\"";
    let compacting = sandbox.hooks(PUBLISH).shell(slow).spawn();
    wait_until(|| sandbox.has("hooks.json.tmp"));
    // It cannot wait for that, goes on without the lock, and appends to the journal that is to go.
    let hurried = ["publish", "E", "{\"hurried\":true}", "--deadline", "1s"];
    let hurried = sandbox.hooks(hurried).run();
    hurried
        .assert_code(0)
        .assert_stderr_has(&["journalled without it"]);
    compacting.wait().assert_code(0);
    let journal = sandbox.journal();
    let contents = journal
        .iter()
        .filter_map(|line| line["publication"]["content"].as_str());
    assert_eq!(
        contents
            .filter(|content| content.contains("hurried"))
            .count(),
        1
    );
    assert!(journal[0]["compacted"].is_object(), "{}", journal[0]);
    let log = sandbox.log();
    let delivered = log
        .iter()
        .filter(|delivery| delivery["state"] == "delivered");
    assert_eq!(
        delivered
            .filter(|d| d["time"].as_str() < Some("2999"))
            .count(),
        2,
        "{log:?}"
    );
}
