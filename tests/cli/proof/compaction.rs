//! The journal is compacted after the deliveries, where it is long or damaged: whatever cuts that short, no
//! undelivered event is lost and the event at hand is delivered.

use serde_json::json;

use crate::support::{
    Call, Effect, Receiver, Sandbox, Scope, Strace, figures, files_of, hook_json, scaled,
    wait_until,
};

const UNDELIVERED: [&str; 2] = ["msg_first", "msg_last"];
const DAMAGED: &str = "{\"outcome\":{\"id\":\"torn";
const PUBLISH: [&str; 3] = ["publish", "E", "{\"now\":true}"];
const REDELIVER: [&str; 2] = ["redeliver", "--failed"];

/// Nine delivered publications of this content, and a damaged line, between two that were not delivered, as
/// their hook is disabled.
fn journal(url: &str, content: &str) -> String {
    let now = chrono::Utc::now().to_rfc3339();
    let begun = |id: &str, hook: u64, content: &str| {
        let record = json!({
            "id": id, "time": now, "event": "E", "deadline": now,
            "targets": [{"hook": hook, "url": url}], "content": json!({ "content": content }).to_string()
        });
        format!("{}\n", json!({ "publication": record }))
    };
    let ended = |id: &str, hook: u64, delivered: bool| {
        let record = json!({
            "id": id, "hook": hook, "time": now, "delivered": delivered, "status": "S", "reason": "r",
            "attempts": 1, "duration_ms": 1
        });
        format!("{}\n", json!({ "outcome": record }))
    };
    let mut journal = begun(UNDELIVERED[0], 2, "small") + &ended(UNDELIVERED[0], 2, false);
    for number in 0..9 {
        let id = format!("msg_{number}");
        journal += &(begun(&id, 1, content) + &ended(&id, 1, true));
    }
    journal + DAMAGED + "\n" + &begun(UNDELIVERED[1], 2, "small")
}

/// So long that a publish compacts it.
fn long_journal(url: &str) -> String {
    journal(url, &"x".repeat(1 << 20))
}

fn prepare(receiver: &Receiver, journal: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut disabled = hook_json(2, receiver.url("/"), "E");
    disabled["enabled"] = json!(false);
    sandbox.write_hooks(&[hook_json(1, receiver.url("/"), "E"), disabled]);
    sandbox.write("hooks.json.journal", journal);
    sandbox
}

/// The system calls of the compaction: from the last time that the lock is taken.
fn of_the_compaction(calls: &[Call]) -> Vec<Call> {
    let is_lock = |call: &Call| call.name == "openat" && call.shown.contains(".lock");
    let first = calls.iter().rposition(is_lock).expect("the lock is taken");
    let taken = calls[first..].to_vec();
    let has = |name: &str| taken.iter().any(|call| call.name.starts_with(name));
    assert!(has("rename") && has("fsync"), "no compaction: {taken:?}");
    taken
}

/// Of each system call the first two and the last two: a long journal is read and written by many.
fn thinned(calls: &[Call]) -> Vec<Call> {
    let is_kept = |call: &&Call| {
        let of_name = calls.iter().filter(|other| other.name == call.name);
        let numbers: Vec<_> = of_name.map(|other| other.number).collect();
        let place = numbers.iter().position(|number| *number == call.number);
        place.is_some_and(|place| place < 2 || place + 2 >= numbers.len())
    };
    calls.iter().filter(is_kept).cloned().collect()
}

fn text(sandbox: &Sandbox) -> String {
    String::from_utf8(sandbox.read("hooks.json.journal")).expect("the journal is UTF-8")
}

/// All lines but those that are long.
fn lines(journal: &str) -> impl Iterator<Item = &str> {
    journal.lines().filter(|line| line.len() < 1 << 10)
}

fn is_damage_kept(sandbox: &Sandbox) -> bool {
    let aside = sandbox.path().join("hooks.json.journal.damaged");
    let aside = std::fs::read_to_string(aside).unwrap_or_default();
    aside.contains(DAMAGED) || lines(&text(sandbox)).any(|line| line == DAMAGED)
}

#[track_caller]
fn assert_all_kept(sandbox: &Sandbox, journal: &str, about: &str) {
    let now = text(sandbox);
    let undelivered = |line: &&str| UNDELIVERED.iter().any(|id| line.contains(id));
    for line in lines(journal).filter(undelivered) {
        assert!(lines(&now).any(|kept| kept == line), "lost, {about}: {line}");
    }
    assert!(is_damage_kept(sandbox), "the damaged line is lost, {about}");
}

/// The states of the deliveries, newest first.
fn states(sandbox: &Sandbox) -> Vec<String> {
    let log = sandbox.log();
    log.iter().map(|line| line["state"].to_string()).collect()
}

fn calls_of<const N: usize>(
    strace: &Strace,
    receiver: &Receiver,
    journal: &str,
    arguments: [&str; N],
) -> Vec<Call> {
    let sandbox = prepare(receiver, journal);
    let files = files_of(&sandbox.path().join("hooks.json"));
    let (finished, calls) = strace.calls(sandbox.hooks(arguments), Scope::On(&files));
    finished.assert_code(0).assert_stderr_has(&[
        "warning: moved 1 damaged line of the journal [DIR]/hooks.json.journal to \
         [DIR]/hooks.json.journal.damaged\n",
    ]);
    assert_all_kept(&sandbox, journal, "without any fault");
    assert_eq!(sandbox.read("hooks.json.journal.damaged"), format!("{DAMAGED}\n").as_bytes());
    assert_eq!(sandbox.mode("hooks.json.journal.damaged"), 0o600);
    assert!(text(&sandbox).len() < 6 << 20, "it was not compacted");
    of_the_compaction(&calls)
}

#[test]
fn a_kill_at_any_system_call_of_a_compaction_loses_nothing() {
    let Some(strace) = Strace::find() else { return };
    let receiver = Receiver::new();
    let journal = journal(&receiver.url("/"), "small");
    let calls = calls_of(&strace, &receiver, &journal, REDELIVER);
    for call in &calls {
        let sandbox = prepare(&receiver, &journal);
        let files = files_of(&sandbox.path().join("hooks.json"));
        let redeliver = sandbox.hooks(REDELIVER);
        let (_, killed) = strace.inject(redeliver, Scope::On(&files), call, Effect::Kill);
        assert!(killed, "{call}");
        assert_all_kept(&sandbox, &journal, &format!("killed at {call}"));
        sandbox.hooks(REDELIVER).run().assert_code(0);
        assert_all_kept(&sandbox, &journal, &format!("one after {call}"));
        assert!(lines(&text(&sandbox)).all(|line| line != DAMAGED), "still damaged after {call}");
        assert!(!sandbox.has("hooks.json.tmp"), "{call}");
        // Now it is well, and nothing is said any more.
        let again = sandbox.hooks(["-q"]).args(REDELIVER).run();
        again.assert(0, "", "");
    }
    figures(&format!("killed at {} calls of a compaction", calls.len()));
    call(&receiver);
}

/// The receiver of a test must have been called.
fn call(receiver: &Receiver) {
    let sandbox = prepare(receiver, "");
    sandbox.hooks(PUBLISH).run().assert_code(0);
}

#[test]
fn a_kill_in_the_compaction_of_a_long_journal_leaves_the_event_delivered_and_the_rest_as_it_was() {
    let Some(strace) = Strace::find() else { return };
    let receiver = Receiver::new();
    let journal = long_journal(&receiver.url("/"));
    let calls = calls_of(&strace, &receiver, &journal, PUBLISH);
    let calls = if scaled(0, 1) == 1 { calls } else { thinned(&calls) };
    for call in &calls {
        let sandbox = prepare(&receiver, &journal);
        let files = files_of(&sandbox.path().join("hooks.json"));
        let publish = sandbox.hooks(PUBLISH);
        let (killed, came) = strace.inject(publish, Scope::On(&files), call, Effect::Kill);
        assert!(came, "{call}");
        assert!(killed.stdout.starts_with("delivered"), "{call}");
        assert_all_kept(&sandbox, &journal, &format!("killed at {call}"));
        let recorded = lines(&text(&sandbox)).any(|line| line.contains("now"));
        assert!(recorded, "the event is off record at {call}");
    }
    figures(&format!("killed at {} calls of a long compaction", calls.len()));
}

#[test]
fn a_fault_in_a_compaction_is_a_warning_and_loses_nothing() {
    let Some(strace) = Strace::find() else { return };
    let receiver = Receiver::new();
    let journal = journal(&receiver.url("/"), "small");
    let mut failed = 0;
    for call in calls_of(&strace, &receiver, &journal, REDELIVER) {
        if matches!(&*call.name, "close" | "fcntl") {
            continue;
        }
        let sandbox = prepare(&receiver, &journal);
        let files = files_of(&sandbox.path().join("hooks.json"));
        let error = Effect::Error("EIO");
        let (redelivered, came) =
            strace.inject(sandbox.hooks(REDELIVER), Scope::On(&files), &call, error);
        assert!(came, "{call}");
        redelivered.assert_code(0);
        assert_all_kept(&sandbox, &journal, &format!("EIO at {call}"));
        if lines(&text(&sandbox)).any(|line| line == DAMAGED) {
            redelivered.assert_stderr_has(&["warning: could not ", "Input/output error"]);
            failed += 1;
        }
        assert!(!sandbox.has("hooks.json.tmp"), "{call}");
    }
    assert!(failed > 10, "{failed} faults mattered");
    call(&receiver);
}

#[test]
fn a_record_that_was_appended_without_the_lock_is_carried_over() {
    if Strace::find().is_none() {
        return;
    }
    let receiver = Receiver::new();
    let sandbox = prepare(&receiver, &journal(&receiver.url("/"), "small"));
    // It holds the lock for 3 s between reading the old journal and putting the new one in its place.
    let slow = "exec strace -f -qqq -o /dev/null -e trace=fsync -e inject=fsync:delay_enter=3000000:when=1 \"$@\"";
    let compacting = sandbox.hooks(REDELIVER).shell(slow).spawn();
    wait_until(|| sandbox.has("hooks.json.tmp"));
    // A publish with a short deadline goes on without the lock, and appends to the old journal.
    let hurried = ["publish", "E", "{\"hurried\":true}", "--deadline", "1s"];
    let hurried = sandbox.hooks(hurried).run();
    hurried.assert_code(0).assert_stderr_has(&["journalled without it"]);
    compacting.wait().assert_code(0);
    let journal = sandbox.journal();
    let contents = journal.iter().filter_map(|line| line["publication"]["content"].as_str());
    let hurried = contents.filter(|content| content.contains("hurried"));
    assert_eq!(hurried.count(), 1);
    assert!(journal[0]["compacted"].is_object(), "{}", journal[0]);
    let states = states(&sandbox);
    assert_eq!(states.iter().filter(|state| *state == "\"delivered\"").count(), 10);
}
