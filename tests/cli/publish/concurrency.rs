//! Many deliveries and many processes at once.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::support::{DEPLOYMENT, Receiver, Reply, Sandbox, hook_json};

#[test]
fn sixty_slow_hooks_take_as_long_as_one() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).delay(Duration::from_millis(300))]);
    hooks_at(&sandbox, &receiver, 60);
    let published = sandbox.publish();
    published.assert_code(0).assert_took(Duration::from_millis(300), Duration::from_secs(3));
    assert_eq!(receiver.wait_for(60).len(), 60);
    assert!(receiver.most_in_flight() > 20, "{}", receiver.most_in_flight());
}

#[test]
fn jobs_bounds_how_many_are_in_flight() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).delay(Duration::from_millis(50))]);
    hooks_at(&sandbox, &receiver, 12);
    let publish = || sandbox.hooks(["publish", "PostDeployment", "{}"]);
    publish().args(["--jobs", "3"]).run().assert_code(0);
    assert_eq!(receiver.wait_for(12).len(), 12);
    assert_eq!(receiver.most_in_flight(), 3);
    publish().env("HOOKS_JOBS", "1").run().assert_code(0);
    assert_eq!(receiver.wait_for(24).len(), 24);
    for jobs in ["0", "-1", "x", ""] {
        publish()
            .args([&format!("--jobs={jobs}")])
            .run()
            .assert_code(2)
            .assert_stderr_has(&["--jobs"]);
    }
    assert_eq!(receiver.count(), 24);
}

/// Writes a registry of this many hooks at the receiver.
fn hooks_at(sandbox: &Sandbox, receiver: &Receiver, count: u64) {
    let url = |id| receiver.url(&format!("/{id}"));
    let hooks: Vec<_> = (1..=count).map(|id| hook_json(id, url(id), "PostDeployment")).collect();
    sandbox.write_hooks(&hooks);
}

#[test]
fn while_a_receiver_is_slow_add_remove_and_edit_return_at_once_and_are_kept() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    let slow = sandbox.add(&receiver.url("/slow"), "PostDeployment");
    let gone = sandbox.add(&receiver.url("/gone"), "PostDeployment");
    let moved = sandbox.add(&receiver.url("/moved"), "PostDeployment");
    let publish = sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT]).spawn();
    receiver.wait_for(3);
    for arguments in [
        &["add", "--url", "https://h.example/new", "--event", "Other"][..],
        &["remove", &gone],
        &["edit", &moved, "--url", "https://h.example/moved"],
        &["edit", &slow, "--header", "X-New: 1"],
    ] {
        let done = sandbox.hooks(arguments).run();
        done.assert_code(0).assert_took(Duration::ZERO, Duration::from_secs(1));
    }
    receiver.release();
    publish.wait().assert_code(0);
    assert_eq!(sandbox.ids(), ["1", "3", "4"]);
    assert_eq!(sandbox.hook(&slow)["last_status"], "OK");
    assert_eq!(sandbox.hook(&slow)["headers"], json!({"X-New": "1"}));
    assert_eq!(sandbox.hook(&moved).get("last_status"), None, "another URL now: not its delivery");
}

#[test]
fn an_older_outcome_never_overwrites_a_newer_one() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(410).held()]);
    sandbox.add(&receiver.url("/"), "E");
    let publish = ["publish", "E", "{}", "--deadline", "2s"];
    let publish = sandbox.hooks(publish).spawn();
    receiver.wait_for(1);
    let lock = sandbox.lock();
    receiver.release();
    publish.stdout_line("410 Gone");
    // As another process writes it that has finished later and gets the lock sooner.
    let mut newer = hook_json(1, receiver.url("/"), "E");
    newer["last_datetime"] = json!(chrono::Utc::now().to_rfc3339());
    newer["last_code"] = json!(200);
    sandbox.write_hooks(std::slice::from_ref(&newer));
    drop(lock);
    let published = publish.wait();
    published.assert_code(3);
    assert_eq!(sandbox.hook("1"), newer);
    assert_eq!(sandbox.log()[0]["state"], "failed");
    // Nor is a hook said to be disabled that is not.
    assert!(!published.stderr.contains("disabled"), "{}", published.stderr);
}

#[test]
fn twenty_publishes_at_once_to_ten_hooks_are_two_hundred_requests_and_outcomes() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    hooks_at(&sandbox, &receiver, 10);
    thread::scope(|scope| {
        for number in 0..20 {
            let sandbox = &sandbox;
            scope.spawn(move || {
                let content = format!(r#"{{"n":{number}}}"#);
                sandbox.hooks(["publish", "PostDeployment", &content]).run().assert_code(0);
            });
        }
    });
    let requests = receiver.wait_for(200);
    assert_eq!(requests.len(), 200);
    let ids: HashSet<_> =
        requests.iter().map(|request| request.the_header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 20);
    let log = sandbox.log();
    assert_eq!(log.len(), 200);
    assert!(log.iter().all(|delivery| delivery["state"] == "delivered"));
    for id in sandbox.ids() {
        assert_eq!(sandbox.hook(&id)["last_status"], "OK");
    }
}

#[test]
#[cfg(unix)]
fn more_hooks_than_allowed_open_files_are_delivered_in_turn() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).delay(Duration::from_millis(100))]);
    hooks_at(&sandbox, &receiver, 60);
    // macOS allows a process 256 open files, which is as many as there are deliveries in flight.
    let published = sandbox
        .hooks(["publish", "PostDeployment", "{}", "--retries", "0"])
        .shell(r#"ulimit -n 40; exec "$@""#)
        .run();
    published.assert_code(0);
    assert_eq!(published.stderr, "");
    assert_eq!(receiver.wait_for(60).len(), 60);
    assert!(sandbox.log().iter().all(|entry| entry["state"] == "delivered"));
}
