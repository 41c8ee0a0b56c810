//! Receivers whose bodies lie about their length, have no end or break off: a status that has arrived counts,
//! and none takes more than 50 MB.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::hostile::Expected::{Delivered, OnRecord, Refused};
use crate::support::hostile::{check, outcome, sends, sends_forever};
use crate::support::{hold_open, needs, read_request};

#[test]
fn lengths_that_lie_are_a_recorded_outcome() {
    for (name, headers, expected) in [
        ("negative", "content-length: -1", OnRecord),
        ("not a number", "content-length: many", OnRecord),
        ("past 64 bits", "content-length: 99999999999999999999999", OnRecord),
        ("the most of 64 bits", "content-length: 18446744073709551615", Refused(500)),
        ("twice the same", "content-length: 4\r\ncontent-length: 4", OnRecord),
        ("twice another", "content-length: 4\r\ncontent-length: 400", OnRecord),
        ("a list", "content-length: 4, 4", OnRecord),
        ("too long", "content-length: 400", Refused(500)),
        ("too short", "content-length: 2", Refused(500)),
        ("chunked, too", "content-length: 4\r\ntransfer-encoding: chunked", Refused(500)),
        ("unknown coding", "transfer-encoding: wonderful", Refused(500)),
        ("chunked twice", "transfer-encoding: chunked, chunked", OnRecord),
    ] {
        let reply = format!("HTTP/1.1 500 Oops\r\n{headers}\r\n\r\nbody");
        check(name, expected, sends(reply));
    }
    for chunk in ["zz\r\n", "-1\r\n", "ffffffffffffffffffff\r\n", "4;ext\r\nbody", "4\nbody", "\0"]
    {
        let reply = format!("HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n{chunk}");
        check(chunk, Refused(500), sends(reply));
    }
}

#[test]
fn bodies_without_an_end_are_cut_and_a_status_that_has_arrived_counts() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    check("endless chunks", Delivered(200), sends_forever(chunked, "10\r\n0123456789abcdef\r\n"));
    check("endless tiny chunks", Delivered(200), sends_forever(chunked, "1\r\nx\r\n"));
    check("an endless chunk", Delivered(200), sends_forever(chunked, "ffffffff\r\nx"));
    check("an endless chunk size", Delivered(200), sends_forever(chunked, "0"));
    check("an endless extension", Delivered(200), sends_forever(chunked, "1;x"));
    let trailers = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n";
    check("endless trailers", Delivered(200), sends_forever(trailers, "x: y\r\n"));
    check("no length", Refused(500), sends_forever("HTTP/1.1 500 Oops\r\n\r\n", "body"));
    let large = "x".repeat(60 << 20);
    check(
        "60 MB",
        Delivered(200),
        sends(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{large}", large.len())),
    );
    check("then silence", Delivered(200), |mut stream| {
        if read_request(&stream).is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1");
            hold_open(stream);
        }
    });
}

#[test]
fn compressed_bodies_are_not_decompressed() {
    if !needs("gzip") {
        return;
    }
    // 50 MB of zeros, compressed to less than the limit of what is read of a response.
    let bomb = Command::new("sh")
        .args(["-c", "head -c 50M /dev/zero | gzip -9"])
        .stdout(Stdio::piped())
        .output()
        .expect("gzip can be started")
        .stdout;
    assert!(bomb.len() > 10_000 && bomb.len() < 64 * 1024, "{}", bomb.len());
    for coding in ["gzip", "x-gzip", "gzip, gzip", "deflate", "br", "zstd", "identity"] {
        let mut reply = format!(
            "HTTP/1.1 500 Oops\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
            bomb.len()
        )
        .into_bytes();
        reply.extend_from_slice(&bomb);
        let (record, _) = outcome(coding, sends(reply));
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
        let (record, _) = outcome(&format!("cut at {end}"), sends(&reply.as_bytes()[..end]));
        let body = reply.get(head.len()..end).unwrap_or_default();
        if end < head.len() {
            assert_eq!(record.get("code"), None, "cut at {end}: {record:#}");
        } else {
            assert_eq!(record["code"], 503, "cut at {end}: {record:#}");
            let reason = if body.is_empty() { "Service Unavailable" } else { body };
            assert_eq!(record["reason"], reason, "cut at {end}");
        }
    }
}
