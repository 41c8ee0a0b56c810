//! Receivers that break HTTP on purpose: each delivery has an outcome on record, none is a panic, and none
//! takes more than 50 MB.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Finished, RawServer, Sandbox, hold, needs, peak_memory, read_request};

/// The most that a publish may take, in KiB.
const MOST_MEMORY: u64 = 50_000;

/// What the record is to say.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Delivered(u16),
    Refused(u16),
    /// No status has arrived.
    Unanswered,
    /// Whatever it is, it is on record.
    OnRecord,
}
use Expected::{Delivered, OnRecord, Refused, Unanswered};

/// Publishes once to a server that does this, and gives what is on record.
#[track_caller]
fn outcome(name: &str, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> (Value, Finished) {
    let server = RawServer::new(serve);
    let sandbox = Sandbox::new();
    let hook = json!({"id": 1, "url": server.url("/"), "event": "E", "insecure_ssl": false});
    let registry = json!({"version": 1, "next_id": 2, "hooks": [hook]});
    sandbox.write("hooks.json", registry.to_string());
    let publish = [
        "publish",
        "E",
        "{}",
        "--retries",
        "0",
        "--timeout",
        "1500ms",
    ];
    let mut running = sandbox.hooks(publish).spawn();
    let peak = peak_memory(&mut running);
    let published = running.wait();
    let about = format!("{name}\n{}\n{}", published.stdout, published.stderr);
    assert!(peak < MOST_MEMORY, "{peak} KiB at {about}");
    assert!(
        matches!(published.code(), Some(0 | 3)),
        "exit code {:?} at {about}",
        published.code()
    );
    assert_eq!(published.stderr, "", "{about}");
    assert_eq!(published.stdout.lines().count(), 1, "{about}");
    let is_plain = |c: char| !c.is_control() || c == '\n';
    assert!(published.stdout.chars().all(is_plain), "{about}");
    let log = sandbox.log();
    assert_eq!(log.len(), 1, "{about}");
    let hook = sandbox.hook("1");
    assert_eq!(hook["last_reason"], log[0]["reason"], "{about}");
    assert_eq!(hook.get("last_code"), log[0].get("code"), "{about}");
    (log[0].clone(), published)
}

#[track_caller]
fn check(name: &str, expected: Expected, serve: impl Fn(TcpStream) + Send + Sync + 'static) {
    let (record, published) = outcome(name, serve);
    let code = record["code"].as_u64();
    let (state, wanted) = match expected {
        Delivered(code) => ("delivered", Some(u64::from(code))),
        Refused(code) => ("failed", Some(u64::from(code))),
        Unanswered => ("failed", None),
        OnRecord => (record["state"].as_str().unwrap_or_default(), code),
    };
    assert!(
        matches!(state, "delivered" | "failed") && record["state"] == state && code == wanted,
        "{name}: {expected:?} was expected: {record:#}"
    );
    if code.is_none() {
        assert_eq!(record["status"], "Failure", "{name}");
    }
    published.assert_code(if state == "delivered" { 0 } else { 3 });
}

/// Reads the request, says this, and closes.
fn says(bytes: impl Into<Vec<u8>>) -> impl Fn(TcpStream) + Send + Sync + 'static {
    let bytes = bytes.into();
    move |mut stream| {
        if read_request(&stream).is_some() {
            let _ = stream.write_all(&bytes);
        }
    }
}

/// Reads the request, says the first, and then the second for as long as anybody listens.
fn goes_on(first: &'static str, then: &'static str) -> impl Fn(TcpStream) + Send + Sync + 'static {
    let flood = then.repeat(64 * 1024 / then.len() + 1);
    move |mut stream| {
        if read_request(&stream).is_some() && stream.write_all(first.as_bytes()).is_ok() {
            while stream.write_all(flood.as_bytes()).is_ok() {}
        }
    }
}

#[test]
fn status_lines_that_are_garbage_are_recorded_as_failures() {
    for line in [
        "",
        "\r\n\r\n",
        "\n",
        "\0\0\0\0",
        "HTTP",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 \r\n\r\n",
        "HTTP/1.1 2 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 -200 OK\r\n\r\n",
        "HTTP/1.1 0x1F OK\r\n\r\n",
        "HTTP/1.1 ２００ OK\r\n\r\n",
        "HTTP/1.1 000 None\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1\t200\tOK\r\n\r\n",
        "http/1.1 200 ok\r\n\r\n",
        "HTTQ/1.1 200 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "200 OK\r\n\r\n",
        "<html>200 OK</html>",
        "{\"status\":200}",
        "HTTP/1.1 200 \0OK\r\n\r\n",
        "+OK POP3 ready\r\n",
        "220 mail ESMTP\r\n",
    ] {
        check(&format!("{line:?}"), Unanswered, says(line));
    }
}

#[test]
fn unusual_statuses_are_recorded_as_what_they_are() {
    check(
        "999",
        Refused(999),
        says("HTTP/1.1 999 Go away\r\ncontent-length: 0\r\n\r\n"),
    );
    check(
        "600",
        Refused(600),
        says("HTTP/1.1 600 Past\r\ncontent-length: 0\r\n\r\n"),
    );
    check(
        "299",
        Delivered(299),
        says("HTTP/1.1 299 Fine\r\ncontent-length: 0\r\n\r\n"),
    );
    check(
        "no reason",
        Delivered(200),
        says("HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n"),
    );
    check(
        "no reason, no space",
        Delivered(200),
        says("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"),
    );
    check(
        "204 with a body",
        Delivered(204),
        says("HTTP/1.1 204 None\r\ncontent-length: 4\r\n\r\nbody"),
    );
    check(
        "204 with chunks",
        Delivered(204),
        says("HTTP/1.1 204 None\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"),
    );
    check(
        "205 with a body",
        Delivered(205),
        says("HTTP/1.1 205 Reset\r\ncontent-length: 4\r\n\r\nbody"),
    );
    check(
        "304 with a body",
        Refused(304),
        says("HTTP/1.1 304 Same\r\ncontent-length: 4\r\n\r\nbody"),
    );
    check(
        "HTTP/1.0",
        Delivered(200),
        says("HTTP/1.0 200 OK\r\n\r\nhello"),
    );
    check(
        "HTTP/1.0 500",
        Refused(500),
        says("HTTP/1.0 500 Oops\r\n\r\nhello"),
    );
    check(
        "bare line feeds",
        OnRecord,
        says("HTTP/1.1 200 OK\ncontent-length: 0\n\n"),
    );
    check(
        "two replies",
        Delivered(200),
        says("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 500 Oops\r\n\r\n"),
    );
    // A connection that became another protocol is no delivery.
    check(
        "101",
        OnRecord,
        says("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n\0\x01"),
    );
    let (record, _) = outcome(
        "101",
        says("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
    );
    assert_eq!(record["state"], "failed");
}

#[test]
fn interim_responses_end_in_the_final_one_or_in_a_failure() {
    let final_reply = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let hints =
        |count| "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(count) + final_reply;
    check("10 hints", Delivered(200), says(hints(10)));
    check("50,000 hints", OnRecord, says(hints(50_000)));
    check(
        "hints for ever",
        Unanswered,
        goes_on("", "HTTP/1.1 102 Processing\r\n\r\n"),
    );
    check(
        "100 for ever",
        Unanswered,
        goes_on("", "HTTP/1.1 100 Continue\r\n\r\n"),
    );
    check(
        "100 and the end",
        Unanswered,
        says("HTTP/1.1 100 Continue\r\n\r\n"),
    );
}

#[test]
fn headers_without_measure_are_a_recorded_outcome() {
    let headers = |count: usize, length: usize| {
        let value = "v".repeat(length);
        let many: String = (0..count).map(|n| format!("x-{n}: {value}\r\n")).collect();
        format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\n\r\n")
    };
    check("100 headers", Delivered(200), says(headers(100, 10)));
    check(
        "8 KiB in one header",
        Delivered(200),
        says(headers(1, 8 * 1024)),
    );
    check(
        "a reason for ever",
        Unanswered,
        goes_on("HTTP/1.1 200 ", "OK"),
    );
    let head = "HTTP/1.1 200 OK\r\n";
    let too_much = [
        (
            "200 headers",
            outcome("200 headers", says(headers(200, 10))),
        ),
        (
            "50,000 headers",
            outcome("50,000 headers", says(headers(50_000, 10))),
        ),
        (
            "1 MB in one",
            outcome("1 MB in one", says(headers(1, 1 << 20))),
        ),
        (
            "1 MB in many",
            outcome("1 MB in many", says(headers(100, 10_000))),
        ),
        (
            "headers for ever",
            outcome("headers for ever", goes_on(head, "x-more: more\r\n")),
        ),
        (
            "a name for ever",
            outcome("a name for ever", goes_on(head, "x")),
        ),
    ];
    for (name, (record, _)) in too_much {
        let reason = record["reason"].as_str().unwrap_or_default();
        // Either it was read after all, or the reason is the true one.
        let is_true = record["state"] == "delivered" || reason.contains("header");
        assert!(is_true, "{name}: {reason}");
    }
    for header in [
        ": no name",
        "no colon",
        " starts with a space: x",
        "na me: x",
        "x: \0",
        "x: a\rb",
        "\u{fc}: x",
        "content-length",
        "retry-after: \u{1}",
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\n{header}\r\ncontent-length: 0\r\n\r\n");
        check(header, OnRecord, says(reply));
    }
}

#[test]
fn lengths_that_lie_are_a_recorded_outcome() {
    for (name, headers, expected) in [
        ("negative", "content-length: -1", OnRecord),
        ("not a number", "content-length: many", OnRecord),
        (
            "past 64 bits",
            "content-length: 99999999999999999999999",
            OnRecord,
        ),
        (
            "the most of 64 bits",
            "content-length: 18446744073709551615",
            Refused(500),
        ),
        (
            "twice the same",
            "content-length: 4\r\ncontent-length: 4",
            OnRecord,
        ),
        (
            "twice another",
            "content-length: 4\r\ncontent-length: 400",
            OnRecord,
        ),
        ("a list", "content-length: 4, 4", OnRecord),
        ("too long", "content-length: 400", Refused(500)),
        ("too short", "content-length: 2", Refused(500)),
        (
            "chunked, too",
            "content-length: 4\r\ntransfer-encoding: chunked",
            Refused(500),
        ),
        (
            "unknown coding",
            "transfer-encoding: wonderful",
            Refused(500),
        ),
        (
            "chunked twice",
            "transfer-encoding: chunked, chunked",
            OnRecord,
        ),
    ] {
        let reply = format!("HTTP/1.1 500 Oops\r\n{headers}\r\n\r\nbody");
        check(name, expected, says(reply));
    }
    for chunk in [
        "zz\r\n",
        "-1\r\n",
        "ffffffffffffffffffff\r\n",
        "4;ext\r\nbody",
        "4\nbody",
        "\0",
    ] {
        let reply = format!("HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n{chunk}");
        check(chunk, Refused(500), says(reply));
    }
}

#[test]
fn bodies_without_an_end_are_cut_and_a_status_that_has_arrived_counts() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    check(
        "endless chunks",
        Delivered(200),
        goes_on(chunked, "10\r\n0123456789abcdef\r\n"),
    );
    check(
        "endless tiny chunks",
        Delivered(200),
        goes_on(chunked, "1\r\nx\r\n"),
    );
    check(
        "an endless chunk",
        Delivered(200),
        goes_on(chunked, "ffffffff\r\nx"),
    );
    check(
        "an endless chunk size",
        Delivered(200),
        goes_on(chunked, "0"),
    );
    check(
        "an endless extension",
        Delivered(200),
        goes_on(chunked, "1;x"),
    );
    let trailers = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n";
    check(
        "endless trailers",
        Delivered(200),
        goes_on(trailers, "x: y\r\n"),
    );
    check(
        "no length",
        Refused(500),
        goes_on("HTTP/1.1 500 Oops\r\n\r\n", "body"),
    );
    check("then silence", Delivered(200), |mut stream| {
        if read_request(&stream).is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1");
            hold(stream);
        }
    });
}

#[test]
fn compressed_bodies_stay_compressed() {
    if !needs("gzip") {
        return;
    }
    // 300 MB of zeros in less than 64 KiB twice over.
    let bomb = Command::new("sh")
        .args(["-c", "head -c 300M /dev/zero | gzip -9 | gzip -9"])
        .stdout(Stdio::piped())
        .output()
        .expect("gzip can be started")
        .stdout;
    assert!(bomb.len() > 100 && bomb.len() < 64 * 1024, "{}", bomb.len());
    for coding in [
        "gzip",
        "x-gzip",
        "gzip, gzip",
        "deflate",
        "br",
        "zstd",
        "identity",
    ] {
        let mut reply = format!(
            "HTTP/1.1 500 Oops\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
            bomb.len()
        )
        .into_bytes();
        reply.extend_from_slice(&bomb);
        let (record, _) = outcome(coding, says(reply));
        let reason = record["reason"].as_str().unwrap_or_default();
        assert!(reason.starts_with("\u{1f}\u{fffd}"), "{coding}: {reason:?}");
    }
}

#[test]
fn a_close_at_each_byte_of_a_reply_is_a_recorded_outcome() {
    let head =
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\n";
    let reply = format!("{head}sorry");
    for end in 0..=reply.len() {
        let (record, _) = outcome(&format!("cut at {end}"), says(&reply.as_bytes()[..end]));
        let body = reply.get(head.len()..end).unwrap_or_default();
        if end < head.len() {
            assert_eq!(record.get("code"), None, "cut at {end}: {record:#}");
        } else {
            assert_eq!(record["code"], 503, "cut at {end}: {record:#}");
            let reason = if body.is_empty() {
                "Service Unavailable"
            } else {
                body
            };
            assert_eq!(record["reason"], reason, "cut at {end}");
        }
    }
}

#[test]
fn a_server_that_does_not_wait_for_the_request_is_a_recorded_outcome() {
    let early = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    check("a reply first", OnRecord, move |mut stream| {
        let _ = stream.write_all(early.as_bytes());
        hold(stream);
    });
    // The request is never read: the kernel resets the connection.
    check("a reply, and a reset", OnRecord, move |mut stream| {
        let _ = stream.write_all(early.as_bytes());
    });
    check("closed at once", Unanswered, drop);
    check("closed for writing", Unanswered, |stream| {
        let _ = stream.shutdown(Shutdown::Write);
        hold(stream);
    });
    check(
        "closed in the middle of the request",
        Unanswered,
        |mut stream| {
            let _ = stream.read(&mut [0; 10]);
        },
    );
    check(
        "answered in the middle of the request",
        OnRecord,
        move |mut stream| {
            let _ = stream.read(&mut [0; 10]);
            let _ = stream.write_all(early.as_bytes());
        },
    );
    check("a byte at a time", Delivered(200), move |mut stream| {
        if read_request(&stream).is_some() {
            for byte in early.as_bytes() {
                let _ = stream.write_all(&[*byte]);
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
}
