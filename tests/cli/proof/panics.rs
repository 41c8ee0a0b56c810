//! A bug ends with one `error:` line that says how to report it: no backtrace, no secret, no lost event.

use crate::support::{Call, Effect, Output, Receiver, Sandbox, Scope, Strace, refused_url};

const SECRET: &str = "hunter2hunter2hunter2";

/// Makes `getrandom` fail, upon which the standard library panics when it makes its first map: a panic that can
/// be caused from outside, in every build and with every verb.
fn without_random_numbers(strace: &Strace, sandbox: &Sandbox, arguments: &[&str]) -> Output {
    // The C library makes the first call, and tolerates that it fails.
    for number in 1..=8 {
        let call = Call { name: "getrandom".to_owned(), number, shown: String::new() };
        let invocation =
            sandbox.hooks(arguments).env("RUST_BACKTRACE", "full").env("RUST_LIB_BACKTRACE", "1");
        let (ended, came) = strace.inject(invocation, Scope::All, &call, Effect::Error("EIO"));
        assert!(came, "{arguments:?} needs no random numbers: find another panic");
        if ended.stderr.contains("bug") {
            return ended;
        }
    }
    panic!("{arguments:?} gets along without random numbers: find another panic")
}

#[test]
fn a_panic_is_an_error_line_and_how_to_report_it() {
    let Some(strace) = Strace::find() else { return };
    let sandbox = Sandbox::new();
    let url = format!("http://user:{SECRET}@127.0.0.1:9/?token={SECRET}");
    let header = format!("X-Token: {SECRET}");
    sandbox.add_with(&url, "E", ["--header", &header]);
    let content = format!("{{\"password\":\"{SECRET}\"}}");
    for arguments in [
        &["list"][..],
        &["add", "--url", &url, "--event", "Other"],
        &["edit", "1", "--header", &header],
        &["publish", "E", &content, "--retries", "0"],
        &["redeliver", "--failed"],
        &["log"],
    ] {
        let panicked = without_random_numbers(&strace, &sandbox, arguments);
        assert_ne!(panicked.code(), Some(0), "{}", panicked.command);
        let expected = "error: hooks [LINE]\nhint: [LINE]\n";
        panicked.assert(panicked.code().unwrap_or(-1), "", expected);
        panicked
            .assert_hides(SECRET)
            .assert_hides("stack backtrace")
            .assert_hides("RUST_BACKTRACE")
            .assert_stderr_has(&["has a bug at", "report"]);
        assert_eq!(sandbox.ids(), ["1"], "{}", panicked.command);
    }
}

#[test]
fn without_threads_a_publish_does_not_panic_and_the_event_is_on_record() {
    let Some(strace) = Strace::find() else { return };
    let receiver = Receiver::new();
    let publish = ["publish", "E", "{}", "--retries", "0"];
    let prepare = || {
        let sandbox = Sandbox::new();
        sandbox.add(&receiver.url("/"), "E");
        sandbox
    };
    let reference = prepare();
    let (finished, calls) = strace.calls(reference.hooks(publish), Scope::All);
    finished.assert_code(0);
    let threads: Vec<_> = calls.iter().filter(|call| call.name.starts_with("clone")).collect();
    assert!(!threads.is_empty(), "a publish needs no threads any more");
    for call in threads {
        let sandbox = prepare();
        let error = Effect::Error("EAGAIN");
        let (ended, came) = strace.inject(sandbox.hooks(publish), Scope::All, call, error);
        assert!(came, "{call}");
        ended.assert_hides("bug");
        assert!(matches!(ended.code(), Some(0 | 3)), "{}", ended.stderr);
        let log = sandbox.log();
        assert_eq!(log.len(), 1, "the event is lost at {call}\n{}", ended.stderr);
        sandbox.hooks(["redeliver", "--failed", "--now"]).run().assert_code(0);
        assert_eq!(sandbox.log()[0]["state"], "delivered", "{call}");
    }
}

#[test]
fn a_writer_that_waits_for_the_lock_without_a_thread_does_not_panic() {
    let Some(strace) = Strace::find() else { return };
    let sandbox = Sandbox::new();
    sandbox.add(refused_url(), "E");
    let _held = sandbox.lock();
    let call = Call { name: "clone3".to_owned(), number: 1, shown: String::new() };
    let edit = sandbox.hooks(["edit", "1", "--disable"]);
    let (ended, _) = strace.inject(edit, Scope::All, &call, Effect::Error("EAGAIN"));
    // It may wait in another way or give up, but it names the file.
    ended.assert_hides("bug").assert_stderr_has(&["error: ", "[DIR]/hooks.json"]);
    assert!(matches!(ended.code(), Some(1 | 6)), "{}", ended.stderr);
}
