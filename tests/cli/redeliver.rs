//! `hooks redeliver`: completes what was not delivered, and sends nothing twice.

mod hanging;
mod selection;

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{DEPLOYMENT, Receiver, Reply, Request, Sandbox};

const NOW: [&str; 4] = ["redeliver", "--failed", "--now", "--json"];

/// Publishes with one attempt, which fails.
fn fail(sandbox: &Sandbox, content: &str) {
    sandbox.hooks(["publish", "PostDeployment", content, "--retries", "0"]).run().assert_code(3);
}

fn failing(times: usize) -> Receiver {
    Receiver::answering((0..times).map(|_| Reply::status(500)).chain([Reply::status(200)]))
}

#[test]
fn what_failed_is_sent_again_byte_for_byte_under_its_id_oldest_first() {
    let sandbox = Sandbox::new();
    let receiver = failing(3);
    let hook = sandbox.add(&receiver.url("/"), "PostDeployment");
    let contents = ["{ \"n\": 1e400 }", "{\"n\":2, \"n\":2}", "{\"n\":3}\n"];
    for content in contents {
        fail(&sandbox, content);
    }
    let redelivered = sandbox.hooks(NOW).run();
    redelivered.assert_code(0);
    let requests = receiver.wait_for(6);
    assert_eq!(requests.len(), 6);
    for (first, again) in requests[..3].iter().zip(&requests[3..]) {
        assert_eq!(
            (first.text(), first.the_header("webhook-id")),
            (again.text(), again.the_header("webhook-id"))
        );
        assert_eq!(again.the_header("webhook-event"), "PostDeployment");
    }
    let publications = redelivered.json();
    assert_eq!(publications.as_array().unwrap().len(), 3);
    assert_eq!(publications[0]["deliveries"][0]["delivered"], true);
    assert_eq!(sandbox.hook(&hook)["last_context"], contents[2]);
    assert_eq!(sandbox.hooks(NOW).run().json(), json!([]));
    assert_eq!(receiver.count(), 6);
}

#[test]
fn only_the_hooks_that_failed_get_it_again() {
    let sandbox = Sandbox::new();
    let (good, bad) = (Receiver::new(), failing(1));
    sandbox.add(&good.url("/"), "PostDeployment");
    sandbox.add(&bad.url("/"), "PostDeployment");
    fail(&sandbox, DEPLOYMENT);
    sandbox.hooks(NOW).run().assert_code(0);
    assert_eq!((good.count(), bad.count()), (1, 2));
}

#[test]
fn a_hook_that_was_removed_disabled_or_moved_gets_nothing() {
    let sandbox = Sandbox::new();
    let receiver = failing(4);
    for name in ["removed", "disabled", "moved", "kept"] {
        sandbox.add(&receiver.url(&format!("/{name}")), "PostDeployment");
    }
    fail(&sandbox, DEPLOYMENT);
    sandbox.hooks(["remove", "1"]).run().assert_code(0);
    sandbox.hooks(["edit", "2", "--disable"]).run().assert_code(0);
    sandbox.hooks(["edit", "3", "--url", &receiver.url("/elsewhere")]).run().assert_code(0);
    sandbox.hooks(NOW).run().assert_code(0);
    let targets: Vec<_> =
        receiver.requests()[4..].iter().map(|request| request.target.clone()).collect();
    assert_eq!(targets, ["/kept"]);
    // Once it is enabled again, it gets what it missed.
    sandbox.hooks(["edit", "2", "--enable"]).run().assert_code(0);
    sandbox.hooks(NOW).run().assert_code(0);
    assert_eq!(receiver.requests()[5].target, "/disabled");
}

#[test]
fn a_delivery_that_fails_again_stays_to_be_done_and_is_exit_code_3() {
    let sandbox = Sandbox::new();
    let receiver = failing(2);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    fail(&sandbox, DEPLOYMENT);
    let again = sandbox.hooks(NOW).args(["--retries", "0"]).run();
    again.assert_code(3);
    assert_eq!(again.json()[0]["deliveries"][0]["code"], 500);
    assert_eq!(sandbox.log().len(), 1, "one line a delivery, with its latest outcome");
    sandbox.hooks(NOW).run().assert_code(0);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
    assert_eq!(receiver.count(), 3);
}

#[test]
fn the_schedule_is_due_at_once_after_the_first_failure_and_then_after_five_minutes() {
    let sandbox = Sandbox::new();
    let receiver = failing(2);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    fail(&sandbox, DEPLOYMENT);
    let cron = || sandbox.hooks(["redeliver", "--failed", "--json", "--retries", "0"]).run();
    cron().assert_code(3);
    assert_eq!(receiver.count(), 2);
    let not_due = cron();
    not_due.assert_code(0);
    assert_eq!(not_due.json(), json!([]));
    assert_eq!(receiver.count(), 2, "five minutes have not passed");
    rewind(&sandbox, 6 * 60);
    cron().assert_code(0);
    assert_eq!(receiver.count(), 3);
}

/// Puts all that is in the journal this many seconds into the past.
fn rewind(sandbox: &Sandbox, seconds: i64) {
    let text = String::from_utf8(sandbox.read("hooks.json.journal")).expect("the journal is UTF-8");
    let lines = text.lines().map(|line| {
        let mut record: Value = serde_json::from_str(line).expect("a record is JSON");
        shift(&mut record, seconds);
        format!("{record}\n")
    });
    sandbox.write("hooks.json.journal", lines.collect::<String>());
}

/// Moves every time in a record.
fn shift(value: &mut Value, seconds: i64) {
    match value {
        Value::String(text) => {
            if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
                let earlier = time - chrono::TimeDelta::seconds(seconds);
                *text = earlier.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, seconds)),
        Value::Object(members) => members.values_mut().for_each(|member| shift(member, seconds)),
        _ => {}
    }
}

#[test]
fn what_is_older_than_since_is_left() {
    let sandbox = Sandbox::new();
    let receiver = failing(1);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    fail(&sandbox, "{\"n\":1}");
    rewind(&sandbox, 25 * 3600);
    assert_eq!(sandbox.hooks(NOW).run().json(), json!([]), "24 hours unless told");
    assert_eq!(sandbox.hooks(NOW).args(["--since", "2h"]).run().json(), json!([]));
    let redelivered = sandbox.hooks(NOW).args(["--since", "48h"]).run();
    redelivered.assert_code(0);
    assert_eq!(receiver.wait_for(2).len(), 2);
    for since in ["", "yesterday", "0", "-1h"] {
        let refused = sandbox.hooks(["redeliver", "--failed", &format!("--since={since}")]).run();
        refused.assert_code(2).assert_stderr_has(&["--since"]);
    }
}

#[test]
fn what_was_never_tried_and_is_too_old_is_said_even_when_quiet() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let defer = ["publish", "PostDeployment", "{}", "--defer"];
    sandbox.hooks(defer).run().assert_code(0);
    rewind(&sandbox, 25 * 3600);
    let cron = ["-q", "redeliver", "--failed"];
    sandbox.hooks(cron).run().assert(
        0,
        "",
        "warning: never tried, and left so as older than --since: 1; to send them: --since 7d\n",
    );
    sandbox.hooks(cron).args(["--since", "7d"]).run().assert(0, "", "");
    receiver.request();
    sandbox.hooks(cron).run().assert(0, "", "");
}

#[test]
fn two_at_once_share_the_work_and_send_nothing_twice() {
    let sandbox = Sandbox::new();
    let count = 10;
    let receiver = failing(count);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    for number in 0..count {
        fail(&sandbox, &format!("{{\"n\":{number}}}"));
    }
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| sandbox.hooks(NOW).run().assert_code(0).code());
        }
    });
    let requests = receiver.wait_for(2 * count);
    assert_eq!(requests.len(), 2 * count);
    let mut ids: Vec<_> =
        requests[count..].iter().map(|request| request.the_header("webhook-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "each of them once");
}

#[test]
fn a_publication_that_another_process_is_still_delivering_is_left_alone() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT]).spawn();
    receiver.wait_for(1);
    assert_eq!(sandbox.hooks(NOW).run().json(), json!([]));
    receiver.release();
    publish.wait().assert_code(0);
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_hooks_latest_publication_can_be_sent_again_whether_it_failed_or_not() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let id = sandbox.add(&receiver.url("/a"), "PostDeployment");
    let other = sandbox.add(&receiver.url("/b"), "PostDeployment");
    for number in 1..=2 {
        sandbox
            .hooks(["publish", "PostDeployment", &format!("{{\"n\":{number}}}")])
            .run()
            .assert_code(0);
    }
    let redelivered = sandbox.hooks(["redeliver", &id, "--json"]).run();
    redelivered.assert_code(0);
    let last = receiver.wait_for(5)[4].clone();
    assert_eq!((last.target.as_str(), last.text().as_str()), ("/a", "{\"n\":2}"));
    assert_eq!(last.the_header("webhook-id"), receiver.requests()[2].the_header("webhook-id"));
    assert_eq!(redelivered.json()[0]["deliveries"][0]["hook"].to_string(), id);
    sandbox.hooks(["redeliver", &id, &other]).run().assert_code(0);
    assert_eq!(receiver.count(), 7);
}

#[test]
fn a_publication_can_be_sent_again_by_its_id() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/a"), "PostDeployment");
    sandbox.add(&receiver.url("/b"), "PostDeployment");
    let first = sandbox.hooks(["publish", "PostDeployment", "{\"n\":1}", "--json"]).run().json();
    sandbox.hooks(["publish", "PostDeployment", "{\"n\":2}"]).run().assert_code(0);
    let id = first["id"].as_str().unwrap();
    sandbox.hooks(["redeliver", id]).run().assert_code(0);
    let again = receiver.wait_for(6)[4..].to_vec();
    assert!(
        again
            .iter()
            .all(|request| request.text() == "{\"n\":1}" && request.the_header("webhook-id") == id)
    );
}

#[test]
fn an_id_that_nothing_has_is_exit_code_5() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::never();
    let hook = sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.hooks(["redeliver", "7"]).run().assert_code(5).assert_stderr_has(&["error: ", "7"]);
    let unknown = "msg_019a8b7c-1234-7abc-8def-0123456789ab";
    sandbox
        .hooks(["redeliver", unknown])
        .run()
        .assert_code(5)
        .assert_stderr_has(&["error: ", unknown]);
    let never = sandbox.hooks(["redeliver", &hook]).run();
    never.assert_code(3);
    never.assert_stderr_has(&["nothing was published to hook 1 yet"]);
    for arguments in [&["redeliver"][..], &["redeliver", "7x"], &["redeliver", "1", "--failed"]] {
        sandbox.hooks(arguments).run().assert_code(2);
    }
}

#[test]
fn a_redelivery_is_a_delivery_of_the_hook() {
    let sandbox = Sandbox::new();
    let receiver = failing(1);
    let id = sandbox.add(&receiver.url("/"), "PostDeployment");
    fail(&sandbox, DEPLOYMENT);
    assert_eq!(sandbox.hook(&id)["last_code"], 500);
    sandbox.hooks(NOW).run().assert_code(0);
    let hook = sandbox.hook(&id);
    assert_eq!((&hook["last_code"], &hook["last_context"]), (&json!(200), &json!(DEPLOYMENT)));
}

#[test]
fn a_hook_gets_what_it_missed_in_order_and_a_slow_hook_delays_no_other() {
    let sandbox = Sandbox::new();
    let count = 8;
    let slow_failures = (0..count).map(|_| Reply::status(500));
    let slow_answer = Reply::status(200).delay(Duration::from_millis(150));
    let slow = Receiver::answering(slow_failures.chain([slow_answer]));
    let quick = failing(count);
    sandbox.add(&slow.url("/slow"), "PostDeployment");
    sandbox.add(&quick.url("/quick"), "PostDeployment");
    for number in 0..count {
        fail(&sandbox, &format!("{{\"n\":{number}}}"));
    }
    sandbox.hooks(NOW).run().assert_code(0);
    for receiver in [&slow, &quick] {
        let requests = receiver.wait_for(2 * count);
        let id = |request: &Request| request.the_header("webhook-id").to_owned();
        let first: Vec<_> = requests[..count].iter().map(id).collect();
        let again: Vec<_> = requests[count..].iter().map(id).collect();
        assert_eq!(first, again);
    }
    let last_quick = quick.requests().pop().unwrap().at;
    let last_slow = slow.requests().pop().unwrap().at;
    assert!(last_quick < last_slow);
    assert_eq!(slow.most_in_flight(), 1, "one after the other");
}

#[test]
fn a_missing_registry_is_reported_even_when_quiet() {
    let sandbox = Sandbox::new();
    // Otherwise nobody would notice a wrong --file in a crontab.
    let redeliver = ["--quiet", "redeliver", "--failed"];
    sandbox.hooks(redeliver).run().assert(
        0,
        "",
        "warning: there is no registry [DIR]/hooks.json\n",
    );
}
