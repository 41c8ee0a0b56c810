//! A publish that was stopped past its deadline and goes on then: another run may have taken its deliveries up.

use crate::support::{Process, Receiver, Reply, Sandbox, Signal, wait_until};

/// A publish that was stopped before its receiver had answered, and whose deadline has passed.
fn stopped(sandbox: &Sandbox, receiver: &Receiver) -> Process {
    sandbox.add(&receiver.url("/"), "E");
    let publish = ["publish", "E", "{}", "--deadline", "1s", "--retries", "0"];
    let publish = sandbox.hooks(publish).spawn();
    receiver.wait_for(1);
    publish.signal(Signal::Stop);
    wait_until(|| sandbox.log()[0]["state"] == "unfinished");
    publish
}

#[test]
fn what_another_run_has_delivered_since_is_not_said_to_have_failed() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent(), Reply::status(202)]);
    let publish = stopped(&sandbox, &receiver);
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    let before = sandbox.registry_bytes();
    let journal = sandbox.read("hooks.json.journal");
    publish.signal(Signal::Continue);
    let published = publish.wait();
    let url = receiver.url("/");
    published.assert(0, &format!("delivered  hook 1  {url}  202 Accepted ([MS])\n"), "");
    assert_eq!(sandbox.registry_bytes(), before);
    assert_eq!(sandbox.read("hooks.json.journal"), journal);
    assert_eq!(receiver.count(), 2);
}

#[test]
fn what_another_run_is_at_is_left_to_it() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent(), Reply::status(200).held()]);
    let publish = stopped(&sandbox, &receiver);
    let redeliver = sandbox.hooks(["redeliver", "--failed"]).spawn();
    receiver.wait_for(2);
    publish.signal(Signal::Continue);
    let published = publish.wait();
    published.assert_code(3);
    assert_eq!(published.stdout, "");
    assert_eq!(sandbox.log()[0]["state"], "pending");
    // So a third one does not take it up.
    sandbox.hooks(["redeliver", "--failed", "--now"]).run().assert_code(0);
    receiver.release();
    redeliver.wait().assert_code(0);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
    assert_eq!(receiver.count(), 2);
}

#[test]
fn what_nobody_has_taken_up_has_failed() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent()]);
    let publish = stopped(&sandbox, &receiver);
    publish.signal(Signal::Continue);
    let published = publish.wait();
    published.assert_code(3);
    assert!(published.stdout.contains("no answer within"), "{}", published.stdout);
    assert_eq!(sandbox.log()[0]["state"], "failed");
}
