//! SIGINT and SIGTERM in the middle of a publish.

use std::time::Duration;

use serde_json::json;

use crate::support::{FullBacklog, Receiver, Reply, Sandbox, Signal, needs};

const PUBLISH: [&str; 3] = ["publish", "PostDeployment", r#"{"n":1}"#];

#[test]
fn an_interrupt_ends_it_within_a_second_and_records_what_is_known() {
    for (signal, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
        let sandbox = Sandbox::new();
        let (quick, silent) = (Receiver::new(), Receiver::answering([Reply::silent()]));
        let unanswering = FullBacklog::new();
        let of_quick = sandbox.add(&quick.url("/"), "PostDeployment");
        sandbox.add(&silent.url("/"), "PostDeployment");
        sandbox.add(&unanswering.url(), "PostDeployment");
        let publish = sandbox.hooks(PUBLISH).spawn();
        quick.wait_for(1);
        silent.wait_for(1);
        // Its result line shows that the response has arrived, too.
        publish.stdout_line(&quick.port().to_string());
        let ended = publish.end_by(signal, Duration::from_secs(2));
        ended.assert_code(code);
        assert_eq!(sandbox.hook(&of_quick)["last_status"], "OK");
        let log = sandbox.log();
        assert_eq!(log.len(), 3);
        for entry in &log {
            let expected = if entry["hook"] == 1 {
                "delivered"
            } else {
                // It was started, and its outcome is not known.
                "unfinished"
            };
            assert!(expected.contains(entry["state"].as_str().unwrap()), "{entry:#}");
        }
    }
}

#[test]
fn what_an_interrupt_cut_off_is_redelivered_at_once_under_the_same_id() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent(), Reply::status(200)]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(PUBLISH).spawn();
    receiver.wait_for(1);
    publish.signal(Signal::Interrupt);
    publish.wait().assert_code(130);
    let failed = sandbox.hooks(["log", "--failed", "--json"]).run();
    assert_eq!(failed.json_lines()[0]["state"], "unfinished");
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    let requests = receiver.wait_for(2);
    assert_eq!(requests[0].the_header("webhook-id"), requests[1].the_header("webhook-id"));
    assert_eq!(requests[0].body, requests[1].body);
}

#[test]
fn after_an_interrupt_nothing_new_is_started() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(503), Reply::status(200)]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(PUBLISH).args(["--verbose"]).spawn();
    receiver.wait_for(1);
    // During the wait before the second attempt.
    publish.end_by(Signal::Interrupt, Duration::from_secs(2)).assert_code(130);
    assert_eq!(receiver.count(), 1);
    assert_ne!(sandbox.log()[0]["state"], "delivered");
}

#[test]
fn an_interrupt_records_how_the_attempt_before_a_wait_went() {
    let sandbox = Sandbox::new();
    let busy = Reply::status(503).header("retry-after", "20").body("busy");
    let asking = Receiver::answering([busy, Reply::status(200)]);
    let failing = Receiver::answering([Reply::status(503), Reply::status(200)]);
    sandbox.add(&asking.url("/"), "PostDeployment");
    sandbox.add(&failing.url("/"), "PostDeployment");
    let publish = sandbox.hooks(PUBLISH).args(["--verbose"]).spawn();
    publish.stderr_line("hook 1: attempt 1 failed: ");
    publish.stderr_line("hook 2: attempt 1 failed: ");
    let ended = publish.end_by(Signal::Interrupt, Duration::from_secs(2));
    ended.assert_code(130).assert_stdout_has(&["failed     hook 1", "busy"]);
    let log = sandbox.log();
    for (hook, reason) in [(1, "busy"), (2, "Service Unavailable")] {
        let entry = log.iter().find(|entry| entry["hook"] == hook).unwrap();
        assert_eq!(
            (&entry["state"], &entry["code"], &entry["reason"], &entry["attempts"]),
            (&json!("failed"), &json!(503), &json!(reason), &json!(1))
        );
        assert_eq!(sandbox.hook(&hook.to_string())["last_reason"], reason);
    }
    let journal = sandbox.journal();
    assert!(journal.iter().all(|record| record.get("interrupted").is_none()), "{journal:#?}");
    // The first failure is due at once, unless the receiver asks for time.
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    assert_eq!((asking.count(), failing.count()), (1, 2));
    sandbox.hooks(["redeliver", "--failed", "--now"]).run().assert_code(0);
    assert_eq!((asking.count(), failing.count()), (2, 2));
}

#[test]
fn an_interrupt_leaves_a_second_attempt_without_an_answer_unfinished() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(503), Reply::silent()]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(PUBLISH).spawn();
    receiver.wait_for(2);
    publish.end_by(Signal::Interrupt, Duration::from_secs(2)).assert_code(130);
    assert_eq!(sandbox.log()[0]["state"], "unfinished");
}

#[test]
#[cfg(target_os = "linux")]
fn a_dns_lookup_that_hangs_does_not_delay_an_interrupt() {
    if !needs("cc") {
        return;
    }
    let sandbox = Sandbox::new();
    let quick = Receiver::new();
    sandbox.add("http://hangs.test/", "PostDeployment");
    sandbox.add(&quick.url("/"), "PostDeployment");
    let library = crate::support::hanging_look_up(&sandbox);
    let publish = sandbox.hooks(PUBLISH).env("LD_PRELOAD", library).spawn();
    publish.stdout_line(&quick.port().to_string());
    publish.end_by(Signal::Terminate, Duration::from_secs(2)).assert_code(143);
    assert_eq!(sandbox.hook("2")["last_status"], json!("OK"));
}

#[test]
fn an_interrupt_ends_a_publish_while_the_registry_is_locked() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent()]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(PUBLISH).spawn();
    receiver.wait_for(1);
    let held = sandbox.lock();
    publish.signal(Signal::Interrupt);
    let ended = publish.wait();
    ended.assert_code(130).assert_took(Duration::ZERO, Duration::from_secs(8));
    drop(held);
    assert_eq!(sandbox.log().len(), 1);
}

#[test]
fn a_sighup_does_not_end_a_publish() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    let id = sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(PUBLISH).spawn();
    receiver.wait_for(1);
    publish.signal(Signal::HangUp);
    receiver.release();
    publish.wait().assert_code(0);
    assert_eq!(sandbox.hook(&id)["last_status"], "OK");
}

#[test]
fn an_interrupt_while_another_process_holds_the_lock_does_not_wait_for_the_deadline() {
    let sandbox = Sandbox::new();
    let (quick, silent) = (Receiver::new(), Receiver::answering([Reply::silent()]));
    sandbox.add(&quick.url("/"), "PostDeployment");
    sandbox.add(&silent.url("/"), "PostDeployment");
    let publish = sandbox.hooks(PUBLISH).spawn();
    silent.wait_for(1);
    publish.stdout_line(&quick.port().to_string());
    let held = sandbox.lock();
    // The merge of the one known outcome may be tried for two seconds, not for thirty.
    publish.end_by(Signal::Interrupt, Duration::from_secs(6)).assert_code(130);
    drop(held);
    let log = sandbox.log();
    let quick = log.iter().find(|entry| entry["hook"] == 1).unwrap();
    assert_eq!(quick["state"], "delivered");
}
