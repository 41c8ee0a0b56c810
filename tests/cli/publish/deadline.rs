//! Nothing on the network makes a publish take longer than its caller said.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::{DEPLOYMENT, FullBacklog, Receiver, Reply, Sandbox, needs};

/// Every way to be slow that a receiver has.
struct Slow {
    receivers: Vec<(&'static str, Receiver)>,
    unanswering: FullBacklog,
}

impl Slow {
    fn new() -> Self {
        let receivers = vec![
            ("silent", Receiver::answering([Reply::silent()])),
            (
                "dripping its header",
                Receiver::answering([Reply::drip_header()]),
            ),
            (
                "flooding with interim responses",
                Receiver::answering([Reply::interim_flood()]),
            ),
            (
                "never reading",
                Receiver::without_request(Reply::never_read()),
            ),
            (
                "silent in the handshake",
                Receiver::without_request(Reply::never_read()),
            ),
            (
                "answering after the deadline",
                Receiver::answering([Reply::status(200).delay(Duration::from_secs(40))]),
            ),
        ];
        Self {
            receivers,
            unanswering: FullBacklog::new(),
        }
    }

    /// Registers them all and returns how many they are.
    fn add_to(&self, sandbox: &Sandbox) -> usize {
        for (name, receiver) in &self.receivers {
            let origin = if name.contains("handshake") {
                "https://127.0.0.1"
            } else {
                "http://127.0.0.1"
            };
            sandbox.add(&receiver.url_as(origin, "/"), "PostDeployment");
        }
        sandbox.add(&self.unanswering.url(), "PostDeployment");
        self.receivers.len() + 1
    }
}

/// A deployment larger than what the kernel takes for a server that never reads.
fn large() -> String {
    format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024 - 100))
}

#[test]
fn slow_receivers_of_every_kind_end_with_the_time_out_and_the_healthy_one_is_delivered() {
    let sandbox = Sandbox::new();
    let slow = Slow::new();
    let (healthy, body_dripping) = (
        Receiver::new(),
        Receiver::answering([Reply::drip_body(200)]),
    );
    let count = slow.add_to(&sandbox);
    let of_healthy = sandbox.add(&healthy.url("/"), "PostDeployment");
    let of_dripping = sandbox.add(&body_dripping.url("/"), "PostDeployment");
    let publish = sandbox.hooks([
        "publish",
        "PostDeployment",
        "--timeout",
        "2s",
        "--retries",
        "0",
        "--json",
    ]);
    let published = publish.stdin(large()).run();
    published
        .assert_code(3)
        .assert_took(Duration::from_millis(1900), Duration::from_secs(4));
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
    published
        .assert_code(3)
        .assert_took(Duration::from_millis(1500), Duration::from_secs(5));
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
    publish()
        .env("HOOKS_DEADLINE", "1s")
        .run()
        .assert_code(3)
        .assert_took(least, most);
    publish()
        .env("HOOKS_TIMEOUT", "1s")
        .env("HOOKS_RETRIES", "0")
        .run()
        .assert_code(3)
        .assert_took(least, most);
    // The flag wins.
    let flag = publish()
        .env("HOOKS_DEADLINE", "1ms")
        .args(["--deadline", "1s"])
        .run();
    flag.assert_code(3).assert_took(least, most);
    for (name, flag) in [
        ("HOOKS_DEADLINE", "--deadline"),
        ("HOOKS_TIMEOUT", "--timeout"),
    ] {
        for value in ["0", "-1s", "soon", "1 fortnight"] {
            publish()
                .env(name, value)
                .run()
                .assert_code(2)
                .assert_stderr_has(&["error: ", name]);
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
fn more_hooks_than_jobs_still_end_by_the_deadline_and_each_is_recorded() {
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
    published
        .assert_code(3)
        .assert_took(Duration::from_millis(900), Duration::from_secs(3));
    let publication = published.json();
    let deliveries = publication["deliveries"].as_array().unwrap();
    let attempts: u64 = deliveries
        .iter()
        .map(|delivery| delivery["attempts"].as_u64().unwrap())
        .sum();
    assert_eq!((deliveries.len(), attempts), (6, 2), "{publication:#}");
    // Those that were never started are not lost: they are sent again later.
    assert_eq!(
        sandbox
            .log()
            .iter()
            .filter(|delivery| delivery["state"] == "failed")
            .count(),
        6
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_look_up_that_never_answers_counts_too() {
    if !needs("cc") {
        return;
    }
    let sandbox = Sandbox::new();
    let healthy = Receiver::new();
    sandbox.add("http://hangs.test/", "PostDeployment");
    sandbox.add(&healthy.url("/"), "PostDeployment");
    let library = hanging_look_up(&sandbox);
    let publish = |options: [&str; 4]| {
        sandbox
            .hooks(["publish", "PostDeployment", DEPLOYMENT])
            .args(options)
            .env("LD_PRELOAD", &library)
    };
    let published = publish(["--timeout", "2s", "--retries", "0"]).run();
    published
        .assert_code(3)
        .assert_took(Duration::from_millis(1900), Duration::from_secs(4));
    let published = publish(["--deadline", "2s", "--retries", "5"]).run();
    published
        .assert_code(3)
        .assert_took(Duration::from_secs(1), Duration::from_secs(4));
    assert_eq!(healthy.wait_for(2).len(), 2);
    assert_eq!(sandbox.hook("1")["last_status"], json!("Failure"));
    assert_eq!(sandbox.hook("2")["last_status"], json!("OK"));
}

/// A library that stands before the C library's look-up of names, and hangs at `hangs.test`.
#[cfg(target_os = "linux")]
pub(crate) fn hanging_look_up(sandbox: &Sandbox) -> PathBuf {
    let source = sandbox.write(
        "hang.c",
        r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    while (node && strcmp(node, "hangs.test") == 0) sleep(1000);
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, result);
}
"#,
    );
    let library = sandbox.path().join("hang.so");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status();
    assert!(status.expect("cc runs").success(), "the library compiles");
    library
}
