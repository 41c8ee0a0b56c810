//! SIGKILL at every system call of `add`, of `publish` and of `publish --defer`: the next command succeeds, no event
//! that was sent is missing from the journal, and none that was acknowledged is lost.

use std::cell::Cell;
use std::fs;

use crate::support::{
    Call, Effect, Output, Receiver, Sandbox, Scope, Strace, complete, figures, hook_json, needs,
};

/// Kills a run of the binary at each of its system calls in turn, and calls `then` after each.
fn at_each_call(
    arguments: &[&str],
    prepare: impl Fn() -> Sandbox,
    mut then: impl FnMut(&Sandbox, &Call, &Output),
) {
    let Some(strace) = Strace::find() else { return };
    let reference = prepare();
    let (finished, calls) = strace.calls(reference.hooks(arguments), Scope::All);
    finished.assert_code(0);
    let mut hits = 0;
    for call in &calls {
        let sandbox = prepare();
        let invocation = sandbox.hooks(arguments);
        let (ended, killed) = strace.inject(invocation, Scope::All, call, Effect::Kill);
        // A thread may make fewer calls than in the first run.
        assert!(killed || ended.code() == Some(0), "{} at {call}\n{}", ended.command, ended.stderr);
        hits += usize::from(killed);
        then(&sandbox, call, &ended);
        let left = sandbox.names();
        assert!(!left.contains(&"hooks.json.tmp".to_owned()), "{left:?} after {call}");
    }
    figures(&format!("{} killed at {hits} of {} system calls", arguments[0], calls.len()));
    assert!(hits * 10 >= calls.len() * 8, "{hits} of {}", calls.len());
}

fn with_registry(url: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write_hooks(&[hook_json(7, url, "E")]);
    sandbox
}

#[test]
fn after_a_kill_at_any_system_call_of_add_the_next_add_succeeds() {
    if !needs("strace") {
        return;
    }
    at_each_call(
        &["add", "--url", "https://h.example/killed", "--event", "E"],
        || with_registry("https://h.example/"),
        |sandbox, call, _| {
            let before = sandbox.ids();
            assert!(before == ["7"] || before == ["7", "8"], "{before:?} at {call}");
            let id = sandbox.add("https://h.example/next", "E");
            let mut expected = before.clone();
            expected.push(id);
            assert_eq!(sandbox.ids(), expected, "at {call}");
        },
    );
}

#[test]
fn after_a_kill_at_any_system_call_of_publish_the_event_is_on_record_and_the_next_one_is_delivered()
{
    if !needs("strace") {
        return;
    }
    let receiver = Receiver::new();
    let mut left: Vec<Sandbox> = Vec::new();
    let seen = Cell::new(0);
    at_each_call(
        &["publish", "E", "{\"killed\":true}", "--deadline", "3s"],
        || {
            let sandbox = with_registry(&receiver.url("/"));
            sandbox.write("hooks.json.journal", "");
            seen.set(receiver.count());
            sandbox
        },
        |sandbox, call, _| {
            let requests = receiver.requests();
            let new = &requests[seen.get()..];
            let recorded = sandbox.log();
            for request in new {
                let id = request.the_header("webhook-id");
                let known = recorded.iter().any(|line| line["id"] == id);
                assert!(known, "{id} was sent and is not on record, at {call}");
            }
            let next = sandbox.hooks(["publish", "E", "{\"next\":true}"]).run();
            next.assert_code(0);
            assert_eq!(next.stderr, "", "at {call}");
            assert_eq!(sandbox.ids(), ["7"]);
            let state = sandbox.journal();
            let unfinished = state.iter().filter(|r| r.get("publication").is_some()).count()
                > state.iter().filter(|r| r.get("outcome").is_some()).count();
            if unfinished {
                let kept = Sandbox::new();
                for name in ["hooks.json", "hooks.json.journal"] {
                    fs::copy(sandbox.path().join(name), kept.path().join(name))
                        .expect("a file can be copied");
                }
                left.push(kept);
            }
        },
    );
    assert!(!left.is_empty(), "no kill left a publication unfinished");
    // Their deadlines pass at about the same time, so this waits only once.
    for sandbox in &left {
        complete(sandbox);
        let log = sandbox.log();
        assert!(log.iter().all(|line| line["state"] == "delivered"), "{log:#?}");
    }
}

#[test]
fn after_a_kill_at_any_system_call_of_a_deferral_what_was_acknowledged_is_sent() {
    if !needs("strace") {
        return;
    }
    let receiver = Receiver::new();
    let (seen, mut acknowledged) = (Cell::new(0), 0);
    at_each_call(
        &["publish", "E", "{\"killed\":true}", "--defer"],
        || {
            seen.set(receiver.count());
            with_registry(&receiver.url("/"))
        },
        |sandbox, call, ended| {
            let is_acknowledged = ended.stdout.contains("deferred") || ended.code() == Some(0);
            acknowledged += usize::from(is_acknowledged);
            let redeliver = sandbox.hooks(["redeliver", "--failed"]).run();
            redeliver.assert_code(0);
            let sent = receiver.count() - seen.get();
            assert!(
                sent == 1 || (sent == 0 && !is_acknowledged),
                "{sent} sent after {call}, acknowledged: {is_acknowledged}\n{}",
                redeliver.stderr
            );
        },
    );
    assert!(acknowledged > 0, "no call came after the acknowledgement");
}
