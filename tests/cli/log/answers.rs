//! What is known afterwards: the receiver's answer, when the next try is, and one publication whole.

use serde_json::{Value, json};

use crate::support::{Receiver, Reply, Sandbox, refused_url};

#[test]
fn the_answer_of_a_receiver_that_accepted_is_kept_too() {
    let sandbox = Sandbox::new();
    let said = "{\"ok\":false,\"error\":\"channel_not_found\"}";
    let receiver = Receiver::answering([Reply::status(200).body(said)]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let published = sandbox.hooks(["publish", "PostDeployment", "{}", "--json"]).run();
    assert_eq!(published.json()["deliveries"][0]["response"], said);
    assert_eq!(sandbox.log()[0]["response"], said);
    assert_eq!(sandbox.log()[0]["reason"], "delivered");
    let verbose = sandbox.hooks(["log", "-v"]).run();
    assert!(verbose.stdout.contains("channel_not_found"), "{}", verbose.stdout);
}

#[test]
fn an_error_page_is_a_line() {
    let sandbox = Sandbox::new();
    let page = "<html>\n<head><title>502 Bad\n Gateway</title></head><body>…</body></html>";
    let reply = Reply::status(502).header("content-type", "text/html; charset=utf-8").body(page);
    let receiver = Receiver::answering([reply]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let failed = sandbox.hooks(["publish", "PostDeployment", "{}", "--retries", "0"]).run();
    failed.assert_code(3);
    assert!(failed.stdout.contains("502 Bad Gateway: 502 Bad Gateway ("), "{}", failed.stdout);
    assert_eq!(sandbox.log()[0]["reason"], "502 Bad Gateway");
}

#[test]
fn a_retry_after_is_kept_and_moves_the_next_try() {
    for (value, seconds) in [("3600", 3600), ("0.5", 1), ("7200.2", 7201)] {
        let sandbox = Sandbox::new();
        let reply = Reply::status(429).header("retry-after", value);
        let receiver = Receiver::answering([reply, Reply::status(200)]);
        sandbox.add(&receiver.url("/"), "PostDeployment");
        let publish = ["publish", "PostDeployment", "{}", "--deadline", "2s", "--retries", "0"];
        sandbox.hooks(publish).run().assert_code(3);
        let log = sandbox.log();
        let time = |key: &str| {
            log[0][key].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap()
        };
        let wait = (time("next_try") - time("time")).num_milliseconds();
        assert!((wait - seconds * 1000).abs() < 50, "{value}: {wait} ms");
        if seconds > 60 {
            let early = sandbox.hooks(["redeliver", "--failed"]).run();
            early.assert_stderr_has(&["not due yet: 1"]);
            assert_eq!(receiver.count(), 1);
        }
        sandbox.hooks(["redeliver", "--failed", "--now"]).run().assert_code(0);
        assert_eq!(receiver.count(), 2);
    }
}

#[test]
fn one_publication_is_shown_whole() {
    let sandbox = Sandbox::new();
    let reply = |body: &str| Reply::status(500).body(body.to_owned());
    let receiver =
        Receiver::answering([reply("first"), reply("second"), Reply::status(200).body("third")]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let content = "{ \"n\" : 1e400,\n  \"b\": 2 }";
    let publish = ["publish", "PostDeployment", content, "--retries", "0"];
    sandbox.hooks(publish).run().assert_code(3);
    for code in [3, 0] {
        let again = ["redeliver", "--failed", "--now", "--retries", "0"];
        sandbox.hooks(again).run().assert_code(code);
    }
    let id = sandbox.log()[0]["id"].as_str().unwrap().to_owned();
    let shown = sandbox.hooks(["log", &id]).run();
    shown.assert_code(0);
    assert!(shown.stdout.ends_with(&format!("\n\n{content}\n")), "{}", shown.stdout);
    let places =
        ["first", "second", "third"].map(|said| shown.stdout.find(&format!("answer: {said}")));
    assert!(places.is_sorted() && places[0].is_some(), "{}", shown.stdout);
    sandbox.hooks(["log", "msg_none"]).run().assert_code(5);
}

#[test]
fn the_log_is_sorted_by_the_time_that_it_shows() {
    let sandbox = Sandbox::new();
    let bad = Receiver::answering([Reply::status(500), Reply::status(200)]);
    let good = Receiver::new();
    sandbox.add(&bad.url("/"), "First");
    sandbox.add(&good.url("/"), "Second");
    sandbox.hooks(["publish", "First", "{}", "--retries", "0"]).run().assert_code(3);
    sandbox.hooks(["publish", "Second", "{}"]).run().assert_code(0);
    let events = || -> Vec<Value> { sandbox.log().iter().map(|l| l["event"].clone()).collect() };
    assert_eq!(events(), ["Second", "First"]);
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    assert_eq!(events(), ["First", "Second"]);
    let newest = sandbox.hooks(["log", "-n", "1", "--json"]).run().json_lines();
    assert_eq!(newest[0]["event"], "First");
}

#[test]
fn it_can_be_narrowed_and_asked_by_a_monitor() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    sandbox.add(&good.url("/"), "Good");
    let bad = sandbox.add(refused_url(), "Bad");
    sandbox.hooks(["publish", "Good", "{}"]).run().assert_code(0);
    sandbox.hooks(["log", "--failed", "--exit-code"]).run().assert_code(0);
    sandbox.hooks(["publish", "Bad", "{}", "--retries", "0"]).run().assert_code(3);
    let lines = |arguments: &[&str]| {
        let log = sandbox.hooks(["log", "--json"]).args(arguments).run();
        log.json_lines().len()
    };
    assert_eq!(lines(&["--event", "good"]), 1);
    assert_eq!(lines(&["--since", "1h"]), 2);
    assert_eq!(lines(&["--since", "0.001s"]), 0);
    sandbox.hooks(["log", "--failed", "--exit-code"]).run().assert_code(3);
    // What can never be sent is nothing to wait for.
    sandbox.hooks(["remove", &bad]).run().assert_code(0);
    assert_eq!(lines(&["--failed"]), 0);
    assert_eq!(lines(&[]), 2);
}

#[test]
fn the_next_try_is_there_only_where_there_is_one() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    sandbox.add(&good.url("/"), "E");
    let bad = sandbox.add(refused_url(), "E");
    sandbox.hooks(["publish", "E", "{}", "--retries", "0"]).run().assert_code(3);
    let next = || -> Vec<bool> {
        let mut log = sandbox.log();
        log.sort_by_key(|line| line["hook"].as_u64());
        log.iter().map(|line| line.get("next_try").is_some()).collect()
    };
    assert_eq!(next(), [false, true]);
    sandbox.hooks(["edit", &bad, "--disable"]).run().assert_code(0);
    assert_eq!(next(), [false, false]);
    assert_eq!(sandbox.log().len(), 2, "{}", json!(sandbox.log()));
}
