//! Nothing on the network makes a publish take longer than its caller said.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{DEPLOYMENT, FullBacklog, Receiver, Reply, Sandbox, needs};

/// Receivers that are slow, each in another way.
struct Slow {
    receivers: Vec<(&'static str, Receiver)>,
    unanswering: FullBacklog,
}

impl Slow {
    fn new() -> Self {
        let receivers = vec![
            ("silent", Receiver::answering([Reply::silent()])),
            ("dripping its header", Receiver::answering([Reply::drip_header()])),
            ("flooding with interim responses", Receiver::answering([Reply::interim_flood()])),
            ("never reading", Receiver::without_request(Reply::never_read())),
            ("silent in the handshake", Receiver::without_request(Reply::never_read())),
            (
                "answering after the deadline",
                Receiver::answering([Reply::status(200).delay(Duration::from_secs(40))]),
            ),
        ];
        Self { receivers, unanswering: FullBacklog::new() }
    }

    /// Registers a hook for each and returns how many there are.
    fn add_to(&self, sandbox: &Sandbox) -> usize {
        for (name, receiver) in &self.receivers {
            let origin =
                if name.contains("handshake") { "https://127.0.0.1" } else { "http://127.0.0.1" };
            sandbox.add(&receiver.url_as(origin, "/"), "PostDeployment");
        }
        sandbox.add(&self.unanswering.url(), "PostDeployment");
        self.receivers.len() + 1
    }
}

/// A deployment larger than what the kernel buffers for a server that never reads.
fn large() -> String {
    format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024 - 100))
}

#[test]
fn slow_receivers_of_every_kind_end_with_the_time_out_and_the_healthy_one_is_delivered() {
    let sandbox = Sandbox::new();
    let slow = Slow::new();
    let (healthy, body_dripping) = (Receiver::new(), Receiver::answering([Reply::drip_body(200)]));
    let count = slow.add_to(&sandbox);
    let of_healthy = sandbox.add(&healthy.url("/"), "PostDeployment");
    let of_dripping = sandbox.add(&body_dripping.url("/"), "PostDeployment");
    let publish =
        sandbox.hooks(["publish", "PostDeployment", "--timeout", "2s", "--retries", "0", "--json"]);
    let published = publish.stdin(large()).run();
    published.assert_code(3).assert_took(Duration::from_millis(1900), Duration::from_secs(4));
    let deliveries = published.json()["deliveries"].as_array().unwrap().clone();
    assert_eq!(deliveries.len(), count + 2);
    for delivery in deliveries {
        let delivered = [&of_healthy, &of_dripping].contains(&&delivery["hook"].to_string());
        assert_eq!(delivery["delivered"], delivered, "{delivery:#}");
        if !delivered {
            let reason = delivery["reason"].as_str().unwrap();
            assert!(
                reason.contains("2 s") || reason.contains("2s"),
                "the time-out is named: {reason}"
            );
        }
    }
    assert_eq!(healthy.request().body.len(), large().len());
    body_dripping.request();
}

#[test]
fn the_deadline_holds_over_all_retries() {
    let sandbox = Sandbox::new();
    let slow = Slow::new();
    slow.add_to(&sandbox);
    let busy = Receiver::answering([Reply::status(503)]);
    sandbox.add(&busy.url("/"), "PostDeployment");
    let publish = sandbox.hooks([
        "publish",
        "PostDeployment",
        "--deadline",
        "3s",
        "--retries",
        "5",
        "--timeout",
        "2s",
    ]);
    let published = publish.stdin(large()).run();
    published.assert_code(3).assert_took(Duration::from_millis(1500), Duration::from_secs(5));
    for id in sandbox.ids() {
        let hook = sandbox.hook(&id);
        assert!(
            hook["last_status"].is_string() && hook["last_status"] != "OK",
            "hook {id}: {hook:#}"
        );
    }
}

#[test]
fn the_deadline_and_the_time_out_can_come_from_the_environment() {
    let sandbox = Sandbox::new();
    let silent = Receiver::answering([Reply::silent()]);
    sandbox.add(&silent.url("/"), "PostDeployment");
    let publish = || sandbox.hooks(["publish", "PostDeployment", "{}"]);
    let (least, most) = (Duration::from_millis(900), Duration::from_secs(3));
    publish().env("HOOKS_DEADLINE", "1s").run().assert_code(3).assert_took(least, most);
    publish()
        .env("HOOKS_TIMEOUT", "1s")
        .env("HOOKS_RETRIES", "0")
        .run()
        .assert_code(3)
        .assert_took(least, most);
    // The flag wins.
    let flag = publish().env("HOOKS_DEADLINE", "1ms").args(["--deadline", "1s"]).run();
    flag.assert_code(3).assert_took(least, most);
    for (name, flag) in [("HOOKS_DEADLINE", "--deadline"), ("HOOKS_TIMEOUT", "--timeout")] {
        for value in ["0", "-1s", "soon", "1 fortnight"] {
            publish().env(name, value).run().assert_code(2).assert_stderr_has(&["error: ", name]);
            publish()
                .arg(format!("{flag}={value}"))
                .run()
                .assert_code(2)
                .assert_stderr_has(&["error: ", flag]);
        }
    }
}

#[test]
fn the_deadline_starts_when_the_input_has_been_read() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(["publish", "PostDeployment", "--deadline", "1s"]);
    let published = publish.shell(r#"{ sleep 1.5; echo "{}"; } | "$@""#).run();
    published.assert_code(0);
    receiver.request();
}

#[test]
fn more_hooks_than_jobs_still_end_by_the_deadline_and_none_is_forgotten() {
    let sandbox = Sandbox::new();
    let silent = Receiver::answering([Reply::silent()]);
    for number in 0..6 {
        sandbox.add(&silent.url(&format!("/{number}")), "PostDeployment");
    }
    let publish = sandbox.hooks([
        "publish",
        "PostDeployment",
        "{}",
        "--deadline",
        "1s",
        "--jobs",
        "2",
        "--json",
    ]);
    let published = publish.run();
    published.assert_code(3).assert_took(Duration::from_millis(900), Duration::from_secs(3));
    published.assert_stderr_has(&[
        "note: 4 deliveries are left for the next run: hooks redeliver --failed\n",
    ]);
    let publication = published.json();
    let count = |deliveries: &[Value], state: &str, tried: bool| {
        let is_it = |d: &&Value| d["state"] == state && d.get("attempts").is_some() == tried;
        deliveries.iter().filter(is_it).count()
    };
    // Those that were never begun have no outcome anywhere, and are sent later.
    for deliveries in [publication["deliveries"].as_array().unwrap(), &sandbox.log()] {
        assert_eq!(deliveries.len(), 6);
        let counts = (count(deliveries, "failed", true), count(deliveries, "unfinished", false));
        assert_eq!(counts, (2, 4), "{deliveries:#?}");
    }
    // The publication, two outcomes, and that the rest is left.
    let records = sandbox.journal();
    assert_eq!(records.len(), 4);
    assert_eq!(records[3]["interrupted"]["hooks"], json!([3, 4, 5, 6]));
    let hooks = sandbox.registry()["hooks"].as_array().unwrap().clone();
    let tried = hooks.iter().filter(|hook| hook.get("last_status").is_some());
    assert_eq!(tried.count(), 2);
}

#[test]
fn what_was_not_begun_is_said_even_when_quiet() {
    let sandbox = Sandbox::new();
    let silent = Receiver::answering([Reply::silent()]);
    sandbox.add(&silent.url("/a"), "E");
    sandbox.add(&silent.url("/b"), "E");
    let publish = ["-q", "publish", "E", "{}", "--deadline", "1s", "--jobs", "1"];
    let published = sandbox.hooks(publish).run();
    published.assert_code(3);
    assert_eq!(
        published.stderr,
        "warning: 1 delivery is left for the next run: hooks redeliver --failed\n"
    );
    // It is due at once.
    let redeliver = ["redeliver", "--failed", "--deadline", "1s", "--json"];
    sandbox.hooks(redeliver).run().assert_code(3);
    assert_eq!(silent.count(), 3);
}

#[test]
#[cfg(target_os = "linux")]
fn a_dns_lookup_that_hangs_ends_with_the_timeout() {
    if !needs("cc") {
        return;
    }
    let sandbox = Sandbox::new();
    let healthy = Receiver::new();
    sandbox.add("http://hangs.test/", "PostDeployment");
    sandbox.add(&healthy.url("/"), "PostDeployment");
    let library = crate::support::hanging_look_up(&sandbox);
    let publish = |options: [&str; 4]| {
        sandbox
            .hooks(["publish", "PostDeployment", DEPLOYMENT])
            .args(options)
            .env("LD_PRELOAD", &library)
    };
    let published = publish(["--timeout", "2s", "--retries", "0"]).run();
    published.assert_code(3).assert_took(Duration::from_millis(1900), Duration::from_secs(4));
    let published = publish(["--deadline", "2s", "--retries", "5"]).run();
    published.assert_code(3).assert_took(Duration::from_secs(1), Duration::from_secs(4));
    assert_eq!(healthy.wait_for(2).len(), 2);
    assert_eq!(sandbox.hook("1")["last_status"], json!("Failure"));
    assert_eq!(sandbox.hook("2")["last_status"], json!("OK"));
}
