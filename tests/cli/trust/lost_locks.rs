//! A lock file that somebody deletes while it is held: what was acknowledged stays.

use std::fs;

use crate::support::{Process, Receiver, Reply, Sandbox, Strace, one_hook, wait_until};

/// Starts a verb that stops for a while before this call, and waits until it is there: it holds the lock.
fn stopped_at(sandbox: &Sandbox, arguments: &[&str], file: &str, call: &str) -> Option<Process> {
    let path = sandbox.path().join(file);
    let script = format!(
        "exec strace -f -qqq -o trace -P '{}' --inject={call}:delay_enter=2000000:when=1 \"$@\"",
        path.display()
    );
    Strace::find()?;
    let running = sandbox.hooks(arguments).shell(&script).spawn();
    wait_until(|| fs::read_to_string(sandbox.path().join("trace")).is_ok_and(|t| t.contains(call)));
    Some(running)
}

#[test]
fn an_add_whose_lock_file_is_deleted_and_one_that_comes_then_are_both_there() {
    let sandbox = Sandbox::new();
    sandbox.add("http://h.example/1", "E");
    let add = ["add", "--url", "http://h.example/2", "--event", "E"];
    let Some(first) = stopped_at(&sandbox, &add, "hooks.json.tmp", "fsync") else {
        return;
    };
    fs::remove_file(sandbox.path().join("hooks.json.lock")).unwrap();
    let second = sandbox.add("http://h.example/3", "E");
    first.wait().assert_code(0);
    assert_eq!(second, "2");
    assert_eq!(sandbox.ids(), ["1", "2", "3"]);
    assert_eq!(sandbox.hook("2")["url"], "http://h.example/3");
    assert_eq!(sandbox.hook("3")["url"], "http://h.example/2");
}

#[test]
fn a_lock_file_that_another_one_has_replaced_is_not_held() {
    let sandbox = Sandbox::new();
    sandbox.add("http://h.example/1", "E");
    // Held as by another hooks, and then deleted: whoever waits for it must see the new one.
    let path = sandbox.path().join("hooks.json.lock");
    let held = fs::File::options().write(true).open(&path).unwrap();
    held.lock().unwrap();
    let add = ["add", "--url", "http://h.example/2", "--event", "E"];
    let waiting = sandbox.hooks(add).spawn();
    waiting.stderr_line("waiting");
    fs::remove_file(&path).unwrap();
    let new = fs::File::options().write(true).create_new(true).open(&path).unwrap();
    sandbox.set_mode("hooks.json.lock", 0o600);
    new.lock().unwrap();
    drop(held);
    let refused = waiting.wait();
    refused.assert_code(6);
    drop(new);
    sandbox.hooks(add).run().assert_code(0);
    assert_eq!(sandbox.ids(), ["1", "2"]);
}

#[test]
fn a_redelivery_whose_lock_file_is_deleted_is_sent_once() {
    let receiver = Receiver::answering([Reply::status(500), Reply::status(200)]);
    let sandbox = Sandbox::new();
    sandbox.add(&receiver.url("/"), "E");
    let publish = ["publish", "E", "{}", "--retries", "0"];
    sandbox.hooks(publish).run().assert_code(3);
    let redeliver = ["redeliver", "--failed", "--now", "--retries", "0"];
    // It has read the journal then, and is about to claim what it has found.
    let Some(first) = stopped_at(&sandbox, &redeliver, "hooks.json.journal", "close") else {
        return;
    };
    fs::remove_file(sandbox.path().join("hooks.json.lock")).unwrap();
    sandbox.hooks(redeliver).run().assert_code(0);
    let refused = first.wait();
    refused.assert_code(1).assert_stderr_has(&[
        "error: could not write the journal [DIR]/hooks.json.journal: the lock file was deleted",
    ]);
    assert_eq!(receiver.count(), 2);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
}

#[test]
fn a_publish_whose_lock_file_is_deleted_is_on_record() {
    let (sandbox, receiver) = one_hook();
    let publish = ["publish", "PostDeployment", "{}"];
    let Some(first) = stopped_at(&sandbox, &publish, "hooks.json.lock", "write") else {
        return;
    };
    fs::remove_file(sandbox.path().join("hooks.json.lock")).unwrap();
    sandbox.publish().assert_code(0);
    first.wait().assert_code(0);
    receiver.wait_for(2);
    let log = sandbox.log();
    assert_eq!(log.len(), 2);
    assert!(log.iter().all(|line| line["state"] == "delivered"), "{log:#?}");
}
