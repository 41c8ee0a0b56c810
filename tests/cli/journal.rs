//! The journal and `hooks log`: nothing that was accepted is forgotten.

use std::fs;

use serde_json::json;

use crate::support::{DEPLOYMENT, Receiver, Reply, Sandbox, Signal, hook_json, wait_until};

#[test]
fn a_publication_is_on_disk_before_the_first_byte_is_sent_and_the_outcome_after() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT]).spawn();
    let id = receiver.wait_for(1)[0].the_header("webhook-id").to_owned();
    let text = String::from_utf8(sandbox.read("hooks.json.journal")).unwrap();
    assert!(text.contains(&id) && text.ends_with('\n') && text.lines().count() == 1, "{text}");
    assert_eq!(sandbox.log()[0]["state"], "pending");
    receiver.release();
    publish.wait().assert_code(0);
    assert!(sandbox.journal().len() > 1);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
}

#[test]
#[cfg(unix)]
fn a_publish_that_was_killed_is_shown_and_completed_once() {
    let sandbox = Sandbox::new();
    let quick = Receiver::new();
    let slow = Receiver::answering([Reply::silent(), Reply::status(200)]);
    sandbox.add(&quick.url("/"), "PostDeployment");
    sandbox.add(&slow.url("/"), "PostDeployment");
    // White space and a number that no parser keeps: it has to be the same bytes.
    let content = "{ \"n\" :\t1e400, \"n\": 0.10 }\n";
    let publish =
        sandbox.hooks(["publish", "PostDeployment", "--deadline", "2s"]).stdin(content).spawn();
    slow.wait_for(1);
    publish.stdout_line(&quick.port().to_string());
    publish.signal(Signal::Kill);
    assert_eq!(publish.wait().code(), None);

    let state = |hook: u64| {
        let log = sandbox.log();
        log.iter().find(|entry| entry["hook"] == hook).unwrap()["state"].clone()
    };
    // Before its deadline the other process may still be delivering.
    assert_eq!(state(2), "pending");
    sandbox.hooks(["redeliver", "--failed", "--now"]).run().assert_code(0);
    assert_eq!(slow.count(), 1, "a publication that may be under way is left alone");

    wait_until(|| state(2) == "unfinished");
    let failed = sandbox.hooks(["log", "--failed", "--json"]).run();
    assert!(failed.json_lines().iter().any(|entry| entry["hook"] == 2));
    let redelivered = sandbox.hooks(["redeliver", "--failed", "--json"]).run();
    redelivered.assert_code(0);
    let requests = slow.wait_for(2);
    assert_eq!(requests[1].text(), content);
    assert_eq!(requests[1].the_header("webhook-id"), requests[0].the_header("webhook-id"));
    assert_eq!(redelivered.json()[0]["id"], requests[0].the_header("webhook-id"));
    assert_eq!(state(2), "delivered");

    let again = sandbox.hooks(["redeliver", "--failed", "--now", "--json"]).run();
    again.assert_code(0);
    assert_eq!(again.json(), json!([]));
    assert_eq!(slow.count(), 2);
}

/// A sandbox with one failed delivery, and its receiver, which accepts from now on.
fn one_failure() -> (Sandbox, Receiver) {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(500), Reply::status(200)]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT, "--retries", "0"]).run().assert_code(3);
    (sandbox, receiver)
}

#[test]
fn a_cut_off_last_line_and_a_damaged_line_lose_no_other_line() {
    let (sandbox, receiver) = one_failure();
    let whole = sandbox.read("hooks.json.journal");
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let torn = &whole[..first_line / 2];
    let damaged =
        [&whole[..first_line], b"garbage\xff\0 here\n", &whole[first_line..], torn].concat();
    sandbox.write("hooks.json.journal", &damaged);

    let log = sandbox.hooks(["log", "--json"]).run();
    log.assert_code(0);
    assert_eq!(
        log.stderr,
        "warning: skipped lines 2 and 4 of the journal [DIR]/hooks.json.journal: damaged\n"
    );
    assert_eq!(log.json_lines().len(), 1);

    let redelivered = sandbox.hooks(["-q", "redeliver", "--failed", "--now"]).run();
    redelivered.assert(
        0,
        "",
        "warning: moved 2 damaged lines of the journal [DIR]/hooks.json.journal to \
         [DIR]/hooks.json.journal.damaged\n",
    );
    assert_eq!(receiver.wait_for(2).len(), 2);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
    let aside = [b"garbage\xff\0 here\n", torn, b"\n"].concat();
    assert_eq!(sandbox.read("hooks.json.journal.damaged"), aside);
    // Said once.
    sandbox.hooks(["-q", "redeliver", "--failed"]).run().assert(0, "", "");

    // The next publication can be read, too.
    sandbox.publish().assert_code(0);
    assert_eq!(sandbox.log().len(), 2);
}

#[test]
fn when_the_journal_cannot_be_written_the_event_is_delivered_with_a_warning() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    fs::create_dir(sandbox.path().join("hooks.json.journal")).unwrap();
    let published = sandbox.publish();
    published.assert_stderr_has(&["is a directory, not a regular file; \
         it is delivered all the same, but what fails now may not be sent again\n"]);
    published.assert(
        0,
        &format!(
            "delivered  hook 1  {}  200 OK ([MS])\n",
            receiver.url("/")
        ),
        "warning: could not write the journal [DIR]/hooks.json.journal: hooks.json.journal of user [LINE]\n",
    );
    assert_eq!(sandbox.hook("1")["last_status"], "OK");
}

#[test]
fn two_registries_in_one_folder_have_journals_of_their_own() {
    let sandbox = Sandbox::new();
    let (a, b) = (Receiver::answering([Reply::status(500), Reply::status(200)]), Receiver::new());
    for (file, receiver) in [("a.json", &a), ("b.json", &b)] {
        let url = receiver.url("/");
        sandbox.hooks_add(&url, "PostDeployment").args(["--file", file]).run().assert_code(0);
        let publish = ["publish", "PostDeployment", "{}", "--retries", "0", "--file", file];
        sandbox.hooks(publish).run();
    }
    sandbox.hooks(["redeliver", "--failed", "--now", "--file", "b.json"]).run().assert_code(0);
    assert_eq!((a.count(), b.count()), (1, 1));
    sandbox.hooks(["redeliver", "--failed", "--now", "--file", "a.json"]).run().assert_code(0);
    assert_eq!((a.count(), b.count()), (2, 1));
    assert_eq!(sandbox.hooks(["log", "--json", "--file", "b.json"]).run().json_lines().len(), 1);
}

#[test]
fn compaction_drops_what_was_delivered_and_never_what_was_not() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    // It fails at each of the twelve publications, and recovers then.
    let flaky =
        Receiver::answering((0..12).map(|_| Reply::status(500)).chain([Reply::status(200)]));
    let hooks: Vec<_> = (1..=50)
        .map(|id| {
            let url = if id == 50 { flaky.url("/") } else { good.url(&format!("/{id}")) };
            hook_json(id, url, if id == 50 { "Flaky" } else { "Good" })
        })
        .collect();
    sandbox.write_hooks(&hooks);
    let large =
        |number: usize| format!("{{\"n\":{number},\"a\":\"{}\"}}", "x".repeat(1024 * 1024 - 100));
    let publish = |event: &str, number: usize| {
        sandbox.hooks(["publish", event, "--retries", "0"]).stdin(large(number)).run()
    };
    for number in 0..12 {
        publish("Flaky", number).assert_code(3);
        publish("Good", number).assert_code(0);
    }
    let size = fs::metadata(sandbox.path().join("hooks.json.journal")).unwrap().len();
    // Twelve undelivered publications of 1 MiB have to stay, and little else.
    assert!(size < 19 * 1024 * 1024, "{size} bytes");
    assert!(!sandbox.has("hooks.json.journal.tmp"));
    assert_eq!(sandbox.mode("hooks.json.journal"), 0o600);
    let redelivered = sandbox.hooks(["redeliver", "--failed", "--now", "--json"]).run();
    redelivered.assert_code(0);
    let ids: Vec<_> = redelivered
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|publication| publication["id"].clone())
        .collect();
    let requests = flaky.wait_for(24);
    assert_eq!((ids.len(), requests.len()), (12, 24));
    // All of them, byte for byte, each under its id; and oldest first.
    for (number, (first, again)) in requests[..12].iter().zip(&requests[12..]).enumerate() {
        assert!(first.body == large(number).as_bytes() && again.body == first.body);
        assert_eq!(again.the_header("webhook-id"), first.the_header("webhook-id"));
        assert_eq!(ids[number], first.the_header("webhook-id"));
    }
}
