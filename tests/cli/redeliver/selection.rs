//! What was held, has moved, or was meant for somebody else: `--held`, `--moved`, `--to`, `--dry-run`.

use serde_json::Value;

use crate::support::{Receiver, Reply, Request, Sandbox, refused_url};

/// The ids of the publications, the newest first.
fn ids(sandbox: &Sandbox) -> Vec<String> {
    let id = |line: &Value| line["id"].as_str().unwrap_or_default().to_owned();
    let mut ids: Vec<String> = sandbox.log().iter().map(id).collect();
    ids.dedup();
    ids
}

#[test]
fn what_a_disabled_hook_would_have_got_is_sent_on_request_alone() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let hook = sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.hooks(["edit", &hook, "--disable"]).run().assert_code(0);
    for content in ["{\"n\":1}", "{\"n\":2}"] {
        let published = sandbox.hooks(["publish", "PostDeployment", content, "--json"]).run();
        published.assert_code(0);
        assert_eq!(published.json()["deliveries"][0]["state"], "held");
    }
    assert_eq!(sandbox.log()[0]["state"], "held");
    let held = ["redeliver", "--held", &hook];
    sandbox.hooks(held).run().assert_code(0);
    assert_eq!(receiver.count(), 0, "it is disabled still");

    let enabled = sandbox.hooks(["edit", &hook, "--enable"]).run();
    enabled.assert_stderr_has(&[
        "note: 2 held for it while it was disabled; to send:",
        "redeliver --held 1",
    ]);
    sandbox.hooks(["redeliver", "--failed", "--now"]).run().assert_code(0);
    assert_eq!(receiver.count(), 0, "--failed leaves what is held");
    sandbox.hooks(held).run().assert_code(0);
    let texts: Vec<String> = receiver.requests().iter().map(Request::text).collect();
    assert_eq!(texts, ["{\"n\":1}", "{\"n\":2}"]);
    sandbox.hooks(held).run().assert_code(0);
    assert_eq!(receiver.count(), 2, "once is enough");
}

#[test]
fn a_filter_holds_too_and_an_old_one_is_left_by_since() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::never();
    let hook = sandbox.add_with(&receiver.url("/"), "E", ["--status", "failed"]);
    sandbox.hooks(["edit", &hook, "--disable"]).run().assert_code(0);
    sandbox.hooks(["publish", "E", "{\"status\":\"success\"}"]).run().assert_code(0);
    assert!(!sandbox.has("hooks.json.journal"), "the filter does not want it");
    sandbox.hooks(["publish", "E", "{\"status\":\"failed\"}"]).run().assert_code(0);
    sandbox.hooks(["edit", &hook, "--enable"]).run().assert_code(0);
    let none = sandbox.hooks(["redeliver", "--held", &hook, "--since", "0.001s"]).run();
    none.assert_code(0);
    none.assert_stderr_has(&["1 older than --since"]);
}

#[test]
fn after_a_wrong_url_the_events_go_to_the_right_one() {
    let sandbox = Sandbox::new();
    let right = Receiver::new();
    let hook = sandbox.add(refused_url(), "PostDeployment");
    sandbox
        .hooks(["publish", "PostDeployment", "{\"n\":1}", "--retries", "0"])
        .run()
        .assert_code(3);
    sandbox.hooks(["edit", &hook, "--url", &right.url("/")]).run().assert_code(0);
    let unmoved = sandbox.hooks(["redeliver", "--failed", "--now"]).run();
    unmoved.assert_code(0);
    unmoved.assert_stderr_has(&["1 to a hook that has another URL since (--moved)"]);
    assert_eq!(right.count(), 0);
    let moved = sandbox.hooks(["redeliver", "--failed", "--now", "--moved"]).run();
    moved.assert_code(0);
    assert_eq!(right.request().text(), "{\"n\":1}");
    sandbox.hooks(["redeliver", "--failed", "--now", "--moved"]).run().assert_code(0);
    assert_eq!(right.count(), 1);
}

#[test]
fn a_publication_can_be_sent_to_a_hook_that_it_was_not_for() {
    let sandbox = Sandbox::new();
    let (first, second) =
        (Receiver::new(), Receiver::answering([Reply::status(500), Reply::status(200)]));
    sandbox.add(&first.url("/"), "PostDeployment");
    sandbox.hooks(["publish", "PostDeployment", "{\"n\":1}"]).run().assert_code(0);
    let other = sandbox.add(&second.url("/"), "Other");
    let id = ids(&sandbox).remove(0);
    let to = ["redeliver", &id, "--to", &other];
    let failed = sandbox.hooks(to).args(["--retries", "0"]).run();
    failed.assert_code(3);
    // From now on it is owed to that hook as to any other.
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    let requests = second.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].text(), "{\"n\":1}");
    assert_eq!(requests[1].the_header("webhook-id"), id);
    sandbox.hooks(["redeliver", "msg_none", "--to", &other]).run().assert_code(5);
    sandbox.hooks(["redeliver", &id, "--to", "99"]).run().assert_code(5);
    sandbox.hooks(["redeliver", "1", "--to", &other]).run().assert_code(2);
}

#[test]
fn what_is_named_and_cannot_be_sent_is_a_failure() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.add(&receiver.url("/2"), "Other");
    sandbox.hooks(["publish", "PostDeployment", "{}"]).run().assert_code(0);
    let id = ids(&sandbox).remove(0);
    sandbox.hooks(["redeliver", "2"]).run().assert_code(3);
    let both = sandbox.hooks(["redeliver", "1", "2"]).run();
    both.assert_code(3);
    both.assert_stderr_has(&["nothing was published to hook 2 yet"]);
    assert_eq!(receiver.count(), 2);
    sandbox.hooks(["edit", "1", "--disable"]).run().assert_code(0);
    let disabled = sandbox.hooks(["redeliver", &id]).run();
    disabled.assert_code(3);
    disabled.assert_stderr_has(&["hook 1 is left out of", "it is disabled"]);
}

#[test]
fn a_dry_run_shows_the_requests_and_claims_nothing() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(500), Reply::status(200)]);
    sandbox.add(&receiver.url("/cb"), "PostDeployment");
    sandbox
        .hooks(["publish", "PostDeployment", "{\"n\":1}", "--retries", "0"])
        .run()
        .assert_code(3);
    let journal = sandbox.read("hooks.json.journal");
    let shown = sandbox.hooks(["redeliver", "--failed", "--dry-run"]).run();
    shown.assert_code(0);
    assert!(
        shown.stdout.contains("POST ") && shown.stdout.contains("{\"n\":1}"),
        "{}",
        shown.stdout
    );
    assert_eq!(shown.stderr, "note: nothing was sent\n");
    assert_eq!(sandbox.read("hooks.json.journal"), journal);
    assert_eq!(receiver.count(), 1);
    let sent = sandbox.hooks(["redeliver", "--failed"]).run();
    sent.assert_code(0);
    assert!(sent.stdout.trim_end().ends_with("PostDeployment"), "{}", sent.stdout);
}
