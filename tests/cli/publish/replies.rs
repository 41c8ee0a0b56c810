//! Receivers that answer at length, wrongly or not in HTTP.

use std::time::Duration;

use crate::support::{Receiver, Reply, Sandbox, needs};

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
        .hooks([
            "publish",
            "PostDeployment",
            "{}",
            "--timeout",
            "2s",
            "--retries",
            "0",
        ])
        .run();
    published
        .assert_code(0)
        .assert_took(Duration::ZERO, Duration::from_secs(6));
    for receiver in &receivers {
        receiver.request();
    }
}

#[test]
fn a_large_reply_and_an_endless_one_take_little_memory() {
    if !needs("prlimit") {
        return;
    }
    let sandbox = Sandbox::new();
    let large = Receiver::answering([Reply::status(200).body(vec![b'x'; 60 * 1024 * 1024])]);
    let endless = Receiver::answering([Reply::endless_body(500)]);
    let head = Receiver::answering([Reply::raw(format!(
        "HTTP/1.1 200 OK\r\nx: {}",
        "y".repeat(60 << 20)
    ))]);
    for receiver in [&large, &endless, &head] {
        sandbox.add(&receiver.url("/"), "PostDeployment");
    }
    // The kernel tells the most that it ever held, of the process and its children.
    let measured = r#"exec python3 -c 'import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(code)' "$@""#;
    if !needs("python3") {
        return;
    }
    let publish = sandbox.hooks([
        "publish",
        "PostDeployment",
        "{}",
        "--timeout",
        "3s",
        "--retries",
        "0",
    ]);
    let published = publish.shell(measured).run();
    published
        .assert_code(3)
        .assert_took(Duration::ZERO, Duration::from_secs(10));
    let peak = published
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("peak "))
        .unwrap();
    assert!(peak.parse::<u64>().unwrap() < 50_000, "{peak} KiB");
    assert_eq!(sandbox.hook("1")["last_code"], 200);
    assert_eq!(sandbox.hook("2")["last_code"], 500);
    assert_eq!(sandbox.hook("3")["last_status"], "Failure");
}

#[test]
fn what_is_no_http_is_a_failure_and_no_crash() {
    let sandbox = Sandbox::new();
    let nonsense: [&[u8]; 8] = [
        b"",
        b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x0a",
    ];
    let receivers = nonsense.map(|bytes| Receiver::answering([Reply::raw(bytes)]));
    for receiver in &receivers {
        sandbox.add(&receiver.url("/"), "PostDeployment");
    }
    let published = sandbox
        .hooks([
            "publish",
            "PostDeployment",
            "{}",
            "--retries",
            "0",
            "--timeout",
            "2s",
        ])
        .run();
    published.assert_code(3);
    for id in ["1", "2", "3", "4", "5", "8"] {
        assert_eq!(sandbox.hook(id)["last_status"], "Failure", "hook {id}");
    }
}

#[test]
fn an_interim_response_is_not_the_answer() {
    let sandbox = Sandbox::new();
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n";
    let receiver = Receiver::answering([Reply::raw(format!(
        "{interim}HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n"
    ))]);
    let id = sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.publish().assert_code(0);
    assert_eq!(sandbox.hook(&id)["last_code"], 201);
}
