//! Which responses count as delivered, and what is kept of a response.

use std::time::Duration;

use serde_json::json;

use crate::support::{Receiver, Reply, Sandbox, refused_url};

#[test]
fn every_2xx_is_delivered() {
    let sandbox = Sandbox::new();
    let statuses = [200, 201, 202, 204, 226, 299];
    let receivers = statuses.map(|status| Receiver::answering([Reply::status(status)]));
    for (status, receiver) in statuses.iter().zip(&receivers) {
        sandbox.add(&receiver.url(&format!("/{status}")), "PostDeployment");
    }
    sandbox.publish().assert_code(0);
    let last: Vec<_> =
        sandbox.ids().iter().map(|id| sandbox.hook(id)["last_status"].clone()).collect();
    assert_eq!(last[..4], [json!("OK"), json!("Created"), json!("Accepted"), json!("No Content")]);
    assert_eq!(sandbox.hook("6")["last_code"], 299);
}

#[test]
fn a_redirect_is_a_failure_that_names_its_location_and_is_never_followed() {
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let sandbox = Sandbox::new();
        let elsewhere = Receiver::never();
        let location = elsewhere.url("/elsewhere");
        let receiver = Receiver::answering([Reply::status(status).header("location", &location)]);
        let id = sandbox.add(&receiver.url("/"), "PostDeployment");
        let published = sandbox.publish();
        published.assert_code(3);
        assert_eq!(receiver.count(), 1, "{status} is not tried again");
        let hook = sandbox.hook(&id);
        assert_eq!(hook["last_code"], status);
        assert!(hook["last_reason"].as_str().unwrap().contains(&location), "{hook}");
    }
}

#[test]
fn a_failures_reason_is_what_the_receiver_said() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(400).body("{\"text\":\"no_text\"}")]);
    let silent = Receiver::answering([Reply::status(400)]);
    let long = Receiver::answering([Reply::status(422).body("y".repeat(100_000))]);
    let bytes =
        Receiver::answering([Reply::status(400).body(vec![0xff, 0x1b, b'[', b'2', b'J', b'!'])]);
    for receiver in [&receiver, &silent, &long, &bytes] {
        sandbox.add(&receiver.url("/"), "PostDeployment");
    }
    let published = sandbox.publish();
    published.assert_code(3).assert_hides("\u{1b}");
    assert_eq!(sandbox.hook("1")["last_reason"], "{\"text\":\"no_text\"}");
    assert!(!sandbox.hook("2")["last_reason"].as_str().unwrap().is_empty());
    let kept = sandbox.hook("3")["last_reason"].as_str().unwrap().len();
    assert!((1..=1100).contains(&kept), "1 KiB is kept, not {kept}");
    assert!(sandbox.hook("4")["last_reason"].as_str().unwrap().ends_with('!'));
}

#[test]
fn the_context_is_kept_up_to_4_kibibytes_and_on_a_characters_boundary() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let id = sandbox.add(&receiver.url("/"), "PostDeployment");
    // Three bytes a character, so that 4 KiB would end within one.
    let sent = format!("{{\"a\":\"{}\"}}", "€".repeat(100_000));
    sandbox.hooks(["publish", "PostDeployment"]).stdin(sent.as_str()).run().assert_code(0);
    assert_eq!(receiver.request().body.len(), sent.len());
    let hook = sandbox.hook(&id);
    let context = hook["last_context"].as_str().unwrap();
    assert!(sent.starts_with(context));
    assert!((4_090..=4_096).contains(&context.len()), "{}", context.len());
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let sandbox = Sandbox::new();
    let (first, last) = (Receiver::new(), Receiver::new());
    sandbox.add(&first.url("/"), "PostDeployment");
    sandbox.add(refused_url(), "PostDeployment");
    sandbox.add(&last.url("/"), "PostDeployment");
    let published = sandbox.hooks(["publish", "PostDeployment", "{}", "--retries", "0"]).run();
    published.assert_code(3);
    first.request();
    last.request();
}

#[test]
fn a_status_that_has_arrived_counts_whatever_the_body_does_then() {
    let sandbox = Sandbox::new();
    let bodies = [
        Reply::drip_body(200),
        Reply::endless_body(200),
        Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nbut no more"),
        Reply::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
        Reply::raw("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope"),
        Reply::raw("HTTP/1.0 200 OK\r\n\r\nold"),
    ];
    let receivers = bodies.map(|body| Receiver::answering([body]));
    for receiver in &receivers {
        sandbox.add(&receiver.url("/"), "PostDeployment");
    }
    let published = sandbox
        .hooks(["publish", "PostDeployment", "{}", "--timeout", "2s", "--retries", "0"])
        .run();
    published.assert_code(0).assert_took(Duration::ZERO, Duration::from_secs(6));
    for receiver in &receivers {
        receiver.request();
    }
}
