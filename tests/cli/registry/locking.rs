//! The registry's lock.

use std::fs;
use std::thread;
use std::time::Duration;

use super::ADD;
use crate::support::{Receiver, Sandbox};

const BY_HAND: &str = r#"{"version": 1, "next_id": 8, "hooks": [
    {"id": 7, "url": "http://127.0.0.1:9/", "event": "E", "insecure_ssl": false}
]}"#;

#[test]
fn reading_takes_no_lock() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", BY_HAND);
    let _held = sandbox.lock();
    for verb in [&["list"][..], &["show", "7"], &["log"]] {
        let read = sandbox.hooks(verb).limit(Duration::from_secs(5)).run();
        read.assert_code(0);
    }
}

#[test]
fn a_writer_waits_for_the_lock_says_so_and_goes_on_when_it_is_free() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", BY_HAND);
    let held = sandbox.lock();
    let waiting = sandbox.hooks(ADD).spawn();
    let note = waiting.stderr_line("waiting");
    let holder = format!("process {} ", std::process::id());
    assert!(note.starts_with("note: waiting for ") && note.contains(&holder), "{note}");
    drop(held);
    let added = waiting.wait();
    added.assert_code(0).assert_took(Duration::from_millis(500), Duration::from_secs(9));
    assert_eq!(sandbox.ids(), ["7", "8"]);
}

#[test]
fn a_registry_that_stays_locked_is_exit_code_6_and_names_the_holder() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", BY_HAND);
    let _held = sandbox.lock();
    let verbs: [&[&str]; 3] = [&ADD, &["edit", "7", "--disable"], &["remove", "7"]];
    // At the same time, because each waits for ten seconds.
    thread::scope(|scope| {
        for verb in verbs {
            let sandbox = &sandbox;
            scope.spawn(move || {
                let locked = sandbox.hooks(verb).run();
                locked.assert_code(6).assert_stderr_has(&["note: ", "error: ", "[DIR]/hooks.json"]);
                locked.assert_took(Duration::from_secs(8), Duration::from_secs(20));
            });
        }
    });
    assert_eq!(sandbox.registry_bytes(), BY_HAND.as_bytes());
}

#[test]
fn the_holder_of_the_lock_is_named_by_its_process_id() {
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/", "PostDeployment");
    // The file holds the id of the process that took the lock last.
    let _held = sandbox.lock();
    fs::write(sandbox.path().join("hooks.json.lock"), std::process::id().to_string()).unwrap();
    let locked = sandbox.hooks(["remove", "1"]).run();
    locked.assert_code(6).assert_stderr_has(&[&std::process::id().to_string()]);
}

#[test]
fn a_publish_delivers_while_the_registry_is_locked_and_keeps_its_deadline() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "E");
    let held = sandbox.lock();
    let published = sandbox.hooks(["publish", "E", "{}", "--deadline", "4s"]).run();
    // The exit code is that of the deliveries.
    published
        .assert_code(0)
        .assert_stderr_has(&["warning: ", "[DIR]/hooks.json", "journal"])
        .assert_took(Duration::from_secs(2), Duration::from_secs(8));
    receiver.request();
    drop(held);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
    assert_eq!(sandbox.hook("1").get("last_status"), None);
}
