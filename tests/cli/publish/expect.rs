//! `--expect`: a 2xx whose body lacks a text is no delivery.

use std::time::Duration;

use serde_json::json;

use crate::support::{Receiver, Reply, Sandbox};

const ROUTED: &str = r#""routed":true"#;

fn expecting(receiver: &Receiver, text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add_with(&receiver.url("/"), "E", ["--expect", text]);
    sandbox
}

#[test]
fn a_success_that_has_the_text_is_a_delivery() {
    let large = format!("{}{ROUTED}", "x".repeat(64 * 1024 - ROUTED.len()));
    for body in [r#"{"routed":true}"#, &large] {
        let receiver = Receiver::answering([Reply::status(200).body(body)]);
        let sandbox = expecting(&receiver, ROUTED);
        sandbox.hooks(["publish", "E", "{}"]).run().assert_code(0);
        assert_eq!(sandbox.hook("1")["last_reason"], "delivered");
    }
}

#[test]
fn a_success_that_lacks_it_failed_and_is_tried_again() {
    let receiver = Receiver::answering([
        Reply::status(200).body(r#"{"routed":false}"#),
        Reply::status(204),
        Reply::status(201).body(r#"{"routed":true}"#),
    ]);
    let sandbox = expecting(&receiver, ROUTED);
    let published = sandbox.hooks(["-v", "publish", "E", "{}"]).run();
    published.assert_code(0).assert_stderr_has(&[
        r#"note: hook 1: attempt 1 failed: 200 OK: the answer lacks "routed":true; trying again in "#,
        r#"note: hook 1: attempt 2 failed: 204 No Content: the answer lacks "routed":true; trying again in "#,
    ]);
    assert_eq!(receiver.count(), 3);
}

#[test]
fn one_that_never_has_it_stays_failed_with_code_and_reason() {
    let past = format!("{}{ROUTED}", "x".repeat(64 * 1024));
    for body in [r#"{"routed": true}"#, "", r#"{"Routed":true}"#, &past] {
        let receiver = Receiver::answering([Reply::status(200).body(body)]);
        let sandbox = expecting(&receiver, ROUTED);
        let published = sandbox.hooks(["publish", "E", "{}", "--retries", "0", "--json"]).run();
        published.assert_code(3);
        let delivery = &published.json()["deliveries"][0];
        assert_eq!(delivery["delivered"], false, "{body}");
        assert_eq!(delivery["state"], "failed");
        assert_eq!((&delivery["status"], &delivery["code"]), (&json!("OK"), &json!(200)));
        assert_eq!(delivery["reason"], r#"the answer lacks "routed":true"#);
        let hook = sandbox.hook("1");
        assert_eq!((&hook["last_code"], &hook["last_reason"]), (&json!(200), &delivery["reason"]));
        assert_eq!(sandbox.log()[0]["state"], "failed");
        let listed = sandbox.hooks(["list", "--failed"]).run();
        listed.assert_stdout_has(&[r#"200 OK: the answer lacks "routed":true"#]);
    }
}

#[test]
fn it_is_asked_of_successes_alone() {
    let receiver = Receiver::answering([Reply::status(404).body(format!("{{{ROUTED}}}"))]);
    let sandbox = expecting(&receiver, ROUTED);
    sandbox.hooks(["publish", "E", "{}"]).run().assert_code(3);
    assert_eq!(sandbox.hook("1")["last_reason"], format!("{{{ROUTED}}}"));
    receiver.request();
}

#[test]
fn a_body_that_comes_slowly_is_waited_for() {
    let receiver = Receiver::answering([Reply::drip_body(200)]);
    let sandbox = expecting(&receiver, "aaaaaaaaaaaaaaaaaaaaaaaaa");
    // The bytes come one in 100 ms; what has come at the time-out is what counts.
    let published =
        sandbox.hooks(["publish", "E", "{}", "--timeout", "6s", "--retries", "0"]).run();
    published.assert_code(0);
    published.assert_took(Duration::from_secs(3), Duration::from_secs(12));
}

#[test]
fn a_secret_in_the_text_is_masked() {
    let receiver = Receiver::new();
    let sandbox = Sandbox::new();
    let url = receiver.url("/?key=s3cretvalue");
    sandbox.add_with(&url, "E", ["--expect", "s3cretvalue"]);
    let published = sandbox.hooks(["publish", "E", "{}", "--retries", "0"]).run();
    published.assert_code(3).assert_hides("s3cretvalue");
    assert_eq!(sandbox.hook("1")["last_reason"], "the answer lacks ***");
}

#[test]
fn it_is_shown_compared_and_cleared() {
    let sandbox = Sandbox::new();
    let add = ["add", "--url", "http://h/", "--event", "E"];
    sandbox.hooks(add).args(["--expect", ROUTED, "--when", "a"]).run().assert_code(0);
    let shown = sandbox.hooks(["show", "1", "--json"]).run();
    shown.assert_stdout_has(&["\"when\": \"a\",\n  \"expect\": \"\\\"routed\\\":true\"\n}"]);
    sandbox.hooks(["show", "1"]).run().assert_stdout_has(&["\nexpect          \"routed\":true"]);
    sandbox.hooks(add).run().assert_code(0);
    let other = sandbox.hooks(add).args(["--expect", "ok"]).run();
    other.assert_code(4).assert_stderr_has(&["hooks edit 1 --expect 'ok'"]);
    sandbox.hooks(["edit", "1", "--expect", ""]).run().assert_code(0);
    assert_eq!(sandbox.hook("1").get("expect"), None);
    let long = sandbox.hooks(["edit", "1", "--expect", &"x".repeat(1025)]).run();
    long.assert_code(2).assert_stderr_has(&["a text of at most 1 KiB is wanted"]);
}
