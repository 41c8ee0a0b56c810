//! A clock that was wrong for a moment, far behind or far ahead: no event is lost by it, and none is stuck.

use chrono::{DateTime, Utc};

use crate::support::{Invocation, Receiver, Reply, Sandbox, Signal, needs, shifted_clock};

const YEAR: i64 = 365 * 24 * 3600;

/// How many seconds the clocks are wrong; the one in the middle is right.
const CLOCKS: [i64; 3] = [-50 * YEAR, 0, 5 * YEAR];

/// A call by this clock. The monotonic one is right, so that deadlines are.
fn at<'a>(sandbox: &'a Sandbox, clock: i64, arguments: &[&str]) -> Invocation<'a> {
    let call = sandbox.hooks(arguments);
    if clock == 0 {
        return call;
    }
    call.env("CLOCK_SHIFT", clock.to_string()).env("LD_PRELOAD", shifted_clock(sandbox))
}

#[test]
fn every_verb_works_by_every_clock_and_afterwards() {
    if !needs("cc") {
        return;
    }
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let mut published = 0;
    for clock in CLOCKS.into_iter().chain([0]) {
        let run = |arguments: &[&str]| at(&sandbox, clock, arguments).run();
        let url = receiver.url(&format!("/{clock}"));
        let added = run(&["add", "--url", &url, "--event", "E", "--json"]);
        added.assert_code(0);
        let id = added.json()["id"].to_string();
        run(&["edit", &id, "--generate-secret"]).assert_code(0);
        for arguments in [
            &["publish", "E", "{}"][..],
            &["run", "E", "--", "true"],
            &["test", &id],
            &["redeliver", &id],
            &["redeliver", "--failed"],
            &["list"],
            &["show", &id],
            &["log"],
            &["health"],
        ] {
            run(arguments).assert_code(0);
        }
        published += 2;
        let hook = sandbox.hook(&id);
        assert_eq!(hook["last_code"], 200, "{clock}: {hook:#}");
        let last: DateTime<Utc> = hook["last_datetime"].as_str().unwrap().parse().unwrap();
        let off = (last - Utc::now()).num_seconds() - clock;
        assert!(off.abs() < 60, "not by a clock that is {clock} s wrong: {last}");
        run(&["remove", &id]).assert_code(0);
        let log = sandbox.log();
        let real = log.iter().filter(|line| line["event"] == "E" && line["state"] == "delivered");
        // A sample is delivered, too.
        assert!(real.count() >= published, "{clock}");
    }
}

#[test]
fn an_event_of_any_clock_is_sent_by_any_other_unless_it_is_too_old_there() {
    if !needs("cc") {
        return;
    }
    for published in CLOCKS {
        for sent in CLOCKS {
            let sandbox = Sandbox::new();
            let receiver = Receiver::answering([Reply::status(500), Reply::status(200)]);
            sandbox.add(&receiver.url("/"), "E");
            let publish = ["publish", "E", "{\"kept\":1e400}", "--retries", "0"];
            at(&sandbox, published, &publish).run().assert_code(3);
            let redelivered = at(&sandbox, sent, &["redeliver", "--failed"]).run();
            redelivered.assert_code(0);
            let about = format!("published at {published}, sent at {sent}");
            if published == 0 && sent == CLOCKS[2] {
                redelivered.assert_stderr_has(&["older than --since"]);
                assert_eq!(receiver.count(), 1, "{about}");
                sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
            }
            let requests = receiver.requests();
            assert_eq!(requests.len(), 2, "{about}");
            assert_eq!(requests[1].text(), "{\"kept\":1e400}", "{about}");
            let ids = [0, 1].map(|n: usize| requests[n].the_header("webhook-id"));
            assert_eq!(ids[0], ids[1], "{about}");
            assert_eq!(sandbox.log()[0]["state"], "delivered", "{about}");
            // By the right clock, too, the hook has what came last.
            let later = at(&sandbox, 0, &["publish", "E", "{}"]).run();
            later.assert_code(0);
            let hook = sandbox.hook("1");
            assert_eq!(hook["last_context"], "{}", "{about}");
        }
    }
}

#[test]
fn a_publish_that_was_killed_by_any_clock_is_completed_by_the_right_one() {
    if !needs("cc") {
        return;
    }
    for clock in [CLOCKS[0], CLOCKS[2]] {
        let sandbox = Sandbox::new();
        let receiver = Receiver::answering([Reply::silent(), Reply::status(200)]);
        sandbox.add(&receiver.url("/"), "E");
        let publish = at(&sandbox, clock, &["publish", "E", "{}", "--deadline", "20s"]).spawn();
        receiver.wait_for(1);
        publish.signal(Signal::Kill);
        publish.wait();
        sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
        assert_eq!(receiver.count(), 2, "{clock}");
        assert_eq!(sandbox.log()[0]["state"], "delivered", "{clock}");
    }
}

#[test]
fn a_compaction_by_a_wrong_clock_loses_no_undelivered_event() {
    if !needs("cc") {
        return;
    }
    let big = "x".repeat(1 << 20);
    for clock in CLOCKS {
        let sandbox = Sandbox::new();
        let receiver = Receiver::answering([Reply::status(500), Reply::status(200)]);
        sandbox.add(&receiver.url("/"), "E");
        let publish = ["publish", "E", "{}", "--retries", "0"];
        sandbox.hooks(publish).run().assert_code(3);
        let journal = String::from_utf8(sandbox.read("hooks.json.journal")).unwrap();
        let done = journal.replace("\"delivered\":false", "\"delivered\":true");
        let more = |number: usize| {
            let id = format!("\"id\":\"msg_{number}\",\"x\":\"");
            done.replace("\"id\":\"", &id).replace("\"{}\"", &format!("\"{big}\""))
        };
        let more: String = (0..9).map(more).collect();
        sandbox.write("hooks.json.journal", journal + &more);
        at(&sandbox, clock, &["publish", "E", "{\"n\":2}"]).run().assert_code(0);
        let length = sandbox.read("hooks.json.journal").len();
        assert!(length < 6 << 20, "not compacted at {clock}");
        sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
        assert_eq!(receiver.count(), 3, "{clock}");
    }
}

#[test]
fn a_receiver_that_is_gone_disables_its_hook_whatever_the_clock_said_before() {
    if !needs("cc") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200), Reply::status(410)]);
    sandbox.add(&receiver.url("/"), "E");
    at(&sandbox, CLOCKS[2], &["publish", "E", "{}"]).run().assert_code(0);
    let gone = sandbox.hooks(["publish", "E", "{}"]).run();
    gone.assert_code(3).assert_stderr_has(&["hook 1 is disabled now"]);
    assert_eq!(sandbox.hook("1")["enabled"], false);
}
