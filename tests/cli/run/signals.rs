//! Signals to `hooks run` are passed on to the command, and how the command ends is published.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use crate::support::{
    Invocation, Output, Process, Receiver, Reply, Sandbox, Signal, mkfifo, needs,
};

/// A sandbox whose one hook waits for `PostDeployment` at this receiver.
fn hooked(receiver: &Receiver) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox
}

/// `hooks run PostDeployment -- sh -c SCRIPT`
fn run<'a>(sandbox: &'a Sandbox, script: &str) -> Invocation<'a> {
    sandbox.hooks(["run", "PostDeployment", "--", "sh", "-c", script])
}

/// Starts a command that prints `ready` when it can be signalled, and waits for that.
fn ready(invocation: Invocation) -> Process {
    let running = invocation.stdin_left_open().spawn();
    running.stdout_line("ready");
    running
}

/// Waits, and runs the traps that were set before it at once.
const WAIT: &str = "echo ready; while :; do read -r _ || exit 99; done";

#[test]
fn run_ends_as_the_command_ends_and_publishes_its_status() {
    for (signal, name, by_default) in
        [(Signal::Terminate, "TERM", 143), (Signal::Interrupt, "INT", 130)]
    {
        for (trap, code, status) in [
            (String::new(), by_default, "failed"),
            (format!("trap 'exit 7' {name}; "), 7, "failed"),
            (format!("trap 'exit 0' {name}; "), 0, "success"),
        ] {
            let receiver = Receiver::new();
            let sandbox = hooked(&receiver);
            let running = ready(run(&sandbox, &format!("{trap}{WAIT}")));
            running.signal(signal);
            let ran = running.wait();
            ran.assert_code(code);
            assert_eq!(ran.stdout, "ready\n");
            assert_eq!(receiver.request().json()["status"], status);
            assert_eq!(sandbox.log()[0]["state"], "delivered");
        }
    }
}

/// Counts these signals, up to half a second after the first.
fn counting(signal: &str) -> String {
    format!(
        "trap 'n=$((n+1))' {signal}; n=0; echo ready; \
         while [ $n = 0 ]; do sleep 0.1; done; sleep 0.5; echo counted $n; exit 7"
    )
}

#[test]
fn a_signal_reaches_the_command_once() {
    let receiver = Receiver::new();
    let sandbox = hooked(&receiver);
    let running = run(&sandbox, &counting("TERM")).spawn();
    running.stdout_line("ready");
    running.signal(Signal::Terminate);
    let ran = running.wait();
    ran.assert_code(7);
    assert_eq!(ran.stdout, "ready\ncounted 1\n");
}

#[test]
fn a_signal_while_publishing_cuts_the_publish_and_the_code_stays_the_commands() {
    for code in [0, 7] {
        let receiver = Receiver::answering([Reply::silent(), Reply::status(200)]);
        let sandbox = hooked(&receiver);
        let running = run(&sandbox, &format!("exit {code}")).spawn();
        receiver.wait_for(1);
        running.end_by(Signal::Terminate, Duration::from_secs(2)).assert_code(code);
        let redelivered = sandbox.hooks(["redeliver", "--failed", "--now"]).run();
        redelivered.assert_code(0);
        let requests = receiver.wait_for(2);
        assert_eq!(requests[0].body, requests[1].body);
    }
}

#[test]
fn a_second_signal_before_the_command_ends_leaves_the_event_to_redeliver() {
    let receiver = Receiver::new();
    let sandbox = hooked(&receiver);
    let stubborn = "trap 'n=$((n+1)); echo got $n' TERM; n=0; echo ready; \
        while [ $n -lt 2 ]; do sleep 0.1; done; exit 7";
    let running = run(&sandbox, stubborn).spawn();
    running.stdout_line("ready");
    running.signal(Signal::Terminate);
    running.stdout_line("got 1");
    running.signal(Signal::Terminate);
    running.wait().assert_code(7);
    assert_eq!(receiver.count(), 0, "the second signal cuts the publish");
    assert_ne!(sandbox.log()[0]["state"], "delivered");
    sandbox.hooks(["redeliver", "--failed", "--now"]).run().assert_code(0);
    assert_eq!(receiver.request().json()["status"], "failed");
}

/// Runs `hooks run` with this command on a terminal, and presses Ctrl-C once the command is ready: the terminal
/// sends the signal to both.
fn interrupted_on_a_terminal(sandbox: &Sandbox, command: &str) -> Output {
    sandbox.write("command.sh", command);
    mkfifo(sandbox, "keys");
    let running = sandbox
        .hooks::<&str>([])
        .shell(&format!(
            "exec script -qec 'exec {} run PostDeployment -- sh command.sh' /dev/null <keys",
            Sandbox::BINARY
        ))
        .env("SHELL", "/bin/sh")
        .env("TERM", "dumb")
        .spawn();
    let keys = sandbox.path().join("keys");
    let mut keys = File::options().write(true).open(keys).expect("the terminal reads its keys");
    running.stdout_line("ready");
    keys.write_all(b"\x03").expect("the terminal takes keys");
    running.wait()
}

#[test]
fn a_terminals_ctrl_c_reaches_the_command_once() {
    if !needs("script") {
        return;
    }
    let receiver = Receiver::new();
    let sandbox = hooked(&receiver);
    let ran = interrupted_on_a_terminal(&sandbox, &counting("INT"));
    ran.assert_code(7);
    assert!(ran.stdout.contains("counted 1"), "{}", ran.stdout);
    assert_eq!(receiver.request().json()["status"], "failed");
    assert_eq!(sandbox.log()[0]["state"], "delivered");
}

#[test]
fn a_command_that_ctrl_c_ends_is_published_each_time() {
    if !needs("script") {
        return;
    }
    // The command's end and the signal reach hooks in either order, so once is no proof.
    for _ in 0..10 {
        let receiver = Receiver::new();
        let sandbox = hooked(&receiver);
        let ran = interrupted_on_a_terminal(&sandbox, "echo ready; exec sleep 60");
        ran.assert_code(130);
        assert_eq!(receiver.request().json()["status"], "failed");
        assert_eq!(sandbox.log()[0]["state"], "delivered");
    }
}

#[test]
fn a_signal_that_was_ignored_stays_ignored_in_the_command() {
    let receiver = Receiver::new();
    for signal in ["HUP", "INT", "TERM"] {
        let sandbox = hooked(&receiver);
        // As `nohup` or `&` in a script starts a command.
        let ran = run(&sandbox, &format!("kill -{signal} $$; echo survived"))
            .shell(&format!(r#"trap "" {signal}; exec "$@""#))
            .run();
        ran.assert_code(0);
        assert_eq!(ran.stdout, "survived\n", "{signal}");
    }
}

#[test]
fn a_sighup_does_not_end_the_publish_of_a_run() {
    let receiver = Receiver::answering([Reply::status(200).held()]);
    let sandbox = hooked(&receiver);
    let running = run(&sandbox, "exit 7").spawn();
    receiver.wait_for(1);
    running.signal(Signal::HangUp);
    receiver.release();
    running.wait().assert_code(7);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
}

#[test]
fn a_second_signal_during_the_publish_ends_it_and_the_event_is_not_lost() {
    let receiver = Receiver::answering([Reply::silent()]);
    let sandbox = hooked(&receiver);
    let ran = ready(run(&sandbox, WAIT));
    ran.signal(Signal::Terminate);
    receiver.wait_for(1);
    ran.end_by(Signal::Terminate, Duration::from_secs(2)).assert_code(143);
    assert_ne!(sandbox.log()[0]["state"], "delivered");
}
