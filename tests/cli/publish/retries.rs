//! What is tried again, when, and what is not.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::support::{FullBacklog, Receiver, Reply, Sandbox, refused_url};

/// Publishes to one hook at this receiver, and returns the delivery's JSON.
fn delivery(receiver: &Receiver, options: &[&str]) -> Value {
    deliveries(std::slice::from_ref(receiver), options).remove(0)
}

/// Publishes to a hook at each of these receivers, at once, and returns the deliveries' JSON in their order.
fn deliveries(receivers: &[Receiver], options: &[&str]) -> Vec<Value> {
    let sandbox = Sandbox::new();
    for receiver in receivers {
        sandbox.add(&receiver.url("/"), "PostDeployment");
    }
    let publish = ["publish", "PostDeployment", r#"{"n":1}"#, "--json"];
    let published = sandbox.hooks(publish).args(options).run();
    let mut deliveries: Vec<Value> = serde_json::from_value(published.json()["deliveries"].clone())
        .expect("the deliveries are an array");
    deliveries.sort_by_key(|delivery| delivery["hook"].as_u64());
    let all_delivered = deliveries.iter().all(|delivery| delivery["delivered"] == true);
    published.assert_code(if all_delivered { 0 } else { 3 });
    deliveries
}

#[test]
fn a_receiver_that_recovers_is_one_delivery_of_three_attempts() {
    let receiver =
        Receiver::answering([Reply::status(503), Reply::status(503), Reply::status(200)]);
    let sandbox = Sandbox::new();
    let id = sandbox.add(&receiver.url("/"), "PostDeployment");
    let published = sandbox.hooks(["publish", "PostDeployment", r#"{"n":1}"#, "--json"]).run();
    published.assert_code(0);
    // Waits of 1 s and 3 s, each up to a fifth shorter or longer.
    published.assert_took(Duration::from_millis(3200), Duration::from_secs(10));
    let delivery = published.json()["deliveries"][0].clone();
    assert_eq!((&delivery["attempts"], &delivery["delivered"]), (&json!(3), &json!(true)));
    let requests = receiver.wait_for(3);
    assert_eq!(requests.len(), 3);
    let first = requests[1].at.duration_since(requests[0].at);
    let second = requests[2].at.duration_since(requests[1].at);
    assert!(
        Duration::from_millis(790) <= first && first < Duration::from_millis(2400),
        "{first:?}"
    );
    assert!(Duration::from_millis(2390) <= second && second < Duration::from_secs(7), "{second:?}");
    for again in &requests[1..] {
        assert_eq!(again.the_header("webhook-id"), requests[0].the_header("webhook-id"));
        assert_eq!(again.body, requests[0].body);
    }
    let stamps: Vec<u64> = requests
        .iter()
        .map(|request| request.the_header("webhook-timestamp").parse().unwrap())
        .collect();
    assert!(stamps[0] < stamps[2], "a fresh timestamp at each attempt: {stamps:?}");
    let log = sandbox.log();
    assert_eq!(
        (log.len(), &log[0]["attempts"], &log[0]["state"]),
        (1, &json!(3), &json!("delivered"))
    );
    assert_eq!(sandbox.hook(&id)["last_code"], 200);
}

#[test]
fn the_last_of_the_failures_is_what_is_recorded() {
    let receiver = Receiver::answering([
        Reply::hang_up(),
        Reply::status(503).body("first"),
        Reply::status(500).body("last"),
    ]);
    let delivery = delivery(&receiver, &[]);
    assert_eq!(
        (&delivery["attempts"], &delivery["code"], &delivery["reason"]),
        (&json!(3), &json!(500), &json!("last"))
    );
}

#[test]
fn temporary_failures_are_tried_again() {
    let statuses = [408, 429, 500, 502, 503, 504, 599];
    let receivers =
        statuses.map(|status| Receiver::answering([Reply::status(status), Reply::status(200)]));
    let deliveries = deliveries(&receivers, &["--retries", "1"]);
    for (status, delivery) in statuses.iter().zip(deliveries) {
        assert_eq!(delivery["attempts"], 2, "{status}");
        assert_eq!(delivery["delivered"], true, "{status}");
    }
}

#[test]
fn permanent_failures_are_not_tried_again() {
    let statuses = [300, 302, 400, 401, 403, 404, 405, 409, 410, 413, 418, 422, 451, 499];
    let receivers =
        statuses.map(|status| Receiver::answering([Reply::status(status), Reply::status(200)]));
    let deliveries = deliveries(&receivers, &["--retries", "5"]);
    for (status, delivery) in statuses.iter().zip(deliveries) {
        assert_eq!(delivery["attempts"], 1, "{status}");
        assert_eq!(delivery["delivered"], false, "{status}");
    }
}

#[test]
fn a_connection_dropped_without_an_answer_is_tried_again() {
    let drops = [Reply::hang_up(), Reply::raw("HTTP/1.1 20"), Reply::raw("nonsense\r\n\r\n")];
    let receivers = drops.map(|dropped| Receiver::answering([dropped, Reply::status(200)]));
    for delivery in deliveries(&receivers, &["--retries", "1"]) {
        assert_eq!(delivery["attempts"], 2, "{delivery:#}");
    }
}

#[test]
fn a_timeout_is_tried_again() {
    let receiver = Receiver::answering([Reply::silent(), Reply::status(200)]);
    assert_eq!(delivery(&receiver, &["--timeout", "500ms"])["attempts"], 2);
}

#[test]
fn a_refused_connection_is_tried_again() {
    let sandbox = Sandbox::new();
    sandbox.add(refused_url(), "PostDeployment");
    let published =
        sandbox.hooks(["publish", "PostDeployment", "{}", "--json", "--retries", "1"]).run();
    published.assert_code(3).assert_took(Duration::from_millis(790), Duration::from_secs(3));
    assert_eq!(published.json()["deliveries"][0]["attempts"], 2);
}

#[test]
fn retries_are_counted_by_flag_or_environment() {
    let receiver = Receiver::answering([Reply::status(503).header("retry-after", "0")]);
    for (options, attempts) in [(&["--retries", "0"][..], 1), (&["--retries", "1"], 2)] {
        assert_eq!(delivery(&receiver, options)["attempts"], attempts);
    }
    let sandbox = Sandbox::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let published = sandbox
        .hooks(["publish", "PostDeployment", "{}", "--json"])
        .env("HOOKS_RETRIES", "0")
        .run();
    assert_eq!(published.json()["deliveries"][0]["attempts"], 1);
    for retries in ["-1", "x", "1.5", ""] {
        let refused = sandbox
            .hooks(["publish", "PostDeployment", "{}", &format!("--retries={retries}")])
            .run();
        refused.assert_code(2).assert_stderr_has(&["--retries"]);
        let refused =
            sandbox.hooks(["publish", "PostDeployment", "{}"]).env("HOOKS_RETRIES", retries).run();
        // An empty variable counts as unset.
        if retries.is_empty() {
            refused.assert_code(3);
        } else {
            refused.assert_code(2).assert_stderr_has(&["HOOKS_RETRIES"]);
        }
    }
}

#[test]
fn retry_after_is_waited_for_in_seconds_and_as_a_date() {
    // A date has whole seconds, so a date in three seconds may be only two seconds away.
    let in_three_seconds = || http_date(SystemTime::now() + Duration::from_secs(3));
    let in_seconds = || "2".to_owned();
    let cases: [(u16, &dyn Fn() -> String); 3] =
        [(429, &in_seconds), (503, &in_seconds), (429, &in_three_seconds)];
    for (status, value) in cases {
        let value = value();
        let receiver = Receiver::answering([
            Reply::status(status).header("Retry-After", &value),
            Reply::status(200),
        ]);
        let delivery = delivery(&receiver, &[]);
        assert_eq!(delivery["attempts"], 2, "{value}");
        let requests = receiver.requests();
        let waited = requests[1].at.duration_since(requests[0].at);
        // The usual first wait is 1.2 s at most.
        assert!(
            waited > Duration::from_millis(1500) && waited < Duration::from_secs(6),
            "{value}: {waited:?}"
        );
    }
}

#[test]
fn a_retry_after_past_the_deadline_ends_the_attempts_at_once() {
    let values = ["60", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"];
    let receivers = values.map(|value| {
        let busy = Reply::status(429).header("retry-after", value);
        Receiver::answering([busy, Reply::status(200)])
    });
    let started = Instant::now();
    for delivery in deliveries(&receivers, &["--deadline", "20s"]) {
        assert_eq!(delivery["attempts"], 1, "{delivery:#}");
    }
    let took = started.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn an_invalid_retry_after_leaves_the_usual_wait() {
    let receivers = ["soon", "-1", "", "1.5"].map(|value| {
        let busy = Reply::status(503).header("retry-after", value);
        Receiver::answering([busy, Reply::status(200)])
    });
    for delivery in deliveries(&receivers, &["--retries", "1"]) {
        assert_eq!(delivery["attempts"], 2, "{delivery:#}");
    }
    for receiver in receivers {
        let requests = receiver.requests();
        let waited = requests[1].at.duration_since(requests[0].at);
        assert!(waited > Duration::from_millis(790), "{waited:?}");
    }
}

#[test]
fn a_410_disables_the_hook_until_it_is_enabled() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(410).body("moved away"), Reply::status(200)]);
    let id = sandbox.add(&receiver.url("/"), "PostDeployment");
    let published = sandbox.publish();
    published.assert_code(3).assert_stderr_has(&["disabled", "hooks edit 1 --enable"]);
    let hook = sandbox.hook(&id);
    assert_eq!((&hook["enabled"], &hook["last_code"]), (&json!(false), &json!(410)));
    let reason = hook["disabled_reason"].as_str().unwrap();
    assert!(reason.contains("410"), "{reason}");
    assert!(sandbox.hooks(["list"]).run().stdout.contains("disabled"));
    assert!(sandbox.hooks(["show", &id]).run().stdout.contains(reason));

    sandbox.publish().assert_code(0);
    assert_eq!(receiver.count(), 1, "a disabled hook gets nothing");

    sandbox.hooks(["edit", &id, "--enable"]).run().assert_code(0);
    assert_eq!(sandbox.hook(&id).get("disabled_reason"), None);
    sandbox.publish().assert_code(0);
    assert_eq!(receiver.count(), 2);
}

#[test]
fn a_connect_that_is_neither_accepted_nor_refused_is_a_time_out() {
    let sandbox = Sandbox::new();
    let unanswering = FullBacklog::new();
    let id = sandbox.add(&unanswering.url(), "PostDeployment");
    let publish = ["publish", "PostDeployment", "{}", "--timeout", "1s", "--retries", "0"];
    let published = sandbox.hooks(publish).run();
    published.assert_code(3).assert_took(Duration::from_millis(900), Duration::from_secs(3));
    let reason = sandbox.hook(&id)["last_reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("1 s") || reason.contains("1s"), "the time-out is named: {reason}");
}

/// A date as HTTP writes it.
fn http_date(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970").as_secs();
    let (mut days, of_day) = (seconds / 86400, seconds % 86400);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        [usize::try_from(days % 7).expect("small")];
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!(
        "{weekday}, {:02} {} {year} {hour:02}:{minute:02}:{second:02} GMT",
        days + 1,
        months[month]
    )
}
