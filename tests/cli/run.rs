//! `hooks run`: the deploy command is what counts, and nothing that happens to the publishing touches it.

#[cfg(unix)]
mod ci_step;
#[cfg(unix)]
mod command;
#[cfg(unix)]
mod signals;

use serde_json::json;

use crate::support::{Receiver, Reply, Sandbox, one_hook, refused_url};

/// `hooks run PostDeployment -- sh -c SCRIPT`
fn run(script: &str) -> [&str; 6] {
    ["run", "PostDeployment", "--", "sh", "-c", script]
}

#[test]
fn the_command_keeps_its_streams_and_how_it_went_is_published() {
    let (sandbox, receiver) = one_hook();
    let ran = sandbox
        .hooks([
            "run",
            "PostDeployment",
            "--id",
            "cd5bee7",
            "--message",
            "My fix",
        ])
        .args(["--set", "count:=2", "--"])
        .args(["sh", "-c", "cat; echo on stdout; echo on stderr >&2; pwd"])
        .stdin("from stdin\n")
        .run();
    let line = format!("delivered  hook 1  {}  200 OK ([MS])\n", receiver.url("/"));
    ran.assert(
        0,
        "from stdin\non stdout\n[DIR]\n",
        &format!("on stderr\n{line}"),
    );
    let mut sent = receiver.request().json();
    let (start, end) = (sent["start_time"].clone(), sent["end_time"].clone());
    assert!(
        start.as_str() <= end.as_str() && start.is_string(),
        "{sent}"
    );
    for key in ["start_time", "end_time"] {
        sent.as_object_mut().unwrap().remove(key);
    }
    let expected = json!({"id": "cd5bee7", "status": "success", "message": "My fix", "count": 2});
    assert_eq!(sent, expected);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
}

#[test]
fn it_ends_with_the_commands_own_code_and_publishes_a_failure_as_failed() {
    let (sandbox, receiver) = one_hook();
    sandbox.write("no-program", "echo not executable\n");
    for (arguments, code, status) in [
        (&["true"][..], 0, "success"),
        (&["false"], 1, "failed"),
        (&["sh", "-c", "exit 3"], 3, "failed"),
        (&["sh", "-c", "exit 255"], 255, "failed"),
        (&["sh", "-c", "kill -9 $$"], 137, "failed"),
        (&["sh", "-c", "kill -15 $$"], 143, "failed"),
        (&["no-such-program"], 127, "failed"),
        (&["./no-program"], 126, "failed"),
    ] {
        let ran = sandbox
            .hooks(["run", "PostDeployment", "--"])
            .args(arguments)
            .run();
        ran.assert_code(code);
        assert_eq!(ran.stdout, "");
        let sent = receiver.requests().pop().unwrap().json();
        assert_eq!(sent["status"], status, "{arguments:?}");
    }
    assert_eq!(receiver.requests().len(), 8);
}

#[test]
fn a_delivery_that_fails_is_said_and_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.add(refused_url(), "PostDeployment");
    let failed = format!(
        "failed     hook 1  {}  connection refused ([MS])\n",
        refused_url()
    );
    for (script, code) in [("exit 0", 0), ("exit 9", 9)] {
        let ran = sandbox.hooks(run(script)).env("HOOKS_RETRIES", "0").run();
        ran.assert(code, "", &failed);
    }
}

#[test]
fn no_hook_at_all_is_no_failure() {
    let sandbox = Sandbox::new();
    let note = "note: no hook is to be called for PostDeployment: there is no registry [DIR]/hooks.json yet\n";
    sandbox.hooks(run("exit 4")).run().assert(4, "", note);
}

#[test]
fn a_registry_that_can_not_be_read_warns_and_does_not_stop_the_deployment() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", "half a regis");
    let ran = sandbox.hooks(run("echo deployed; exit 6")).run();
    ran.assert_code(6).assert_stderr_has(&[
        "warning: not published, and not kept for later: ",
        "[DIR]/hooks.json",
        "line 1",
    ]);
    assert_eq!(ran.stdout, "deployed\n");
    assert_eq!(sandbox.registry_bytes(), b"half a regis");
}

#[test]
fn a_commit_that_can_not_be_read_warns_and_the_rest_is_published() {
    let (sandbox, receiver) = one_hook();
    let ran = sandbox
        .hooks(["run", "PostDeployment", "--git", "--", "true"])
        .env("GIT_CEILING_DIRECTORIES", "/")
        .run();
    ran.assert_code(0).assert_stderr_has(&["warning: ", "git"]);
    assert_eq!(receiver.request().json()["status"], "success");
}

#[test]
fn the_streams_of_a_push_client_that_has_gone_do_not_matter() {
    let (sandbox, receiver) = one_hook();
    let closed = r#""$@" >&- 2>&- <&-"#;
    let ran = sandbox
        .hooks(["run", "PostDeployment", "--", "true"])
        .shell(closed);
    ran.run().assert_code(0);
    receiver.request();
}

#[test]
fn what_the_command_decides_can_not_be_set() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["run", "PostDeployment", "--status", "success", "--", "true"][..],
        &["run", "PostDeployment", "--end-time", "now", "--", "true"],
        &["run", "PostDeployment", "true"],
        &["run", "PostDeployment", "--"],
        &["run", "PostDeployment"],
        &["run", "--", "true"],
    ] {
        let refused = sandbox.hooks(arguments).run();
        refused.assert_code(2).assert_stderr_has(&["error: "]);
    }
}

#[test]
#[cfg(unix)]
fn the_first_signal_is_the_commands_and_the_publish_still_follows() {
    use crate::support::Signal;
    for (signal, name, code) in [
        (Signal::Interrupt, "INT", 130),
        (Signal::Terminate, "TERM", 143),
    ] {
        let (sandbox, receiver) = one_hook();
        // A shell waits for its child before it heeds a signal, so the wait has to be its own.
        let default = "echo ready; while :; do read -r _ || exit 1; done";
        let ran = sandbox.hooks(run(default)).stdin_left_open().spawn();
        ran.stdout_line("ready");
        ran.signal(signal);
        ran.wait().assert_code(code);
        assert_eq!(receiver.request().json()["status"], "failed");

        // A command that heeds it in its own way decides how it went.
        let graceful = format!(
            "trap 'echo stopping; exit 0' {name}; echo ready; while :; do read -r _ || exit 1; done"
        );
        let ran = sandbox.hooks(run(&graceful)).stdin_left_open().spawn();
        ran.stdout_line("ready");
        ran.signal(signal);
        let ran = ran.wait();
        ran.assert_code(0);
        assert_eq!(ran.stdout, "ready\nstopping\n");
        assert_eq!(receiver.wait_for(2)[1].json()["status"], "success");
    }
}

#[test]
#[cfg(unix)]
fn a_second_signal_cuts_the_publish_and_the_event_is_not_lost() {
    use crate::support::Signal;
    use std::time::{Duration, Instant};
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent()]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let ran = sandbox.hooks(run("echo ready; while :; do read -r _ || exit 1; done"));
    let ran = ran.stdin_left_open().spawn();
    ran.stdout_line("ready");
    ran.signal(Signal::Terminate);
    receiver.wait_for(1);
    let sent = Instant::now();
    ran.signal(Signal::Terminate);
    ran.wait().assert_code(143);
    assert!(
        sent.elapsed() < Duration::from_secs(2),
        "{:?}",
        sent.elapsed()
    );
    assert_ne!(sandbox.log()[0]["state"], "delivered");
}

#[test]
fn the_deployment_is_never_stopped_by_a_full_disk() {
    let (sandbox, receiver) = one_hook();
    let full = r#"trap "" XFSZ; ulimit -f 0; exec "$@""#;
    let ran = sandbox
        .hooks(run("echo deployed; exit 3"))
        .shell(full)
        .run();
    ran.assert_code(3).assert_stderr_has(&["warning: "]);
    assert_eq!(ran.stdout, "deployed\n");
    assert_eq!(receiver.request().json()["status"], "failed");
}
