//! Receivers whose responses break off or have an invalid head: each delivery has an outcome on record, none
//! panics, and none takes more than 50 MB.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use crate::support::hostile::Expected::{Delivered, OnRecord, Refused, Unanswered};
use crate::support::hostile::{check, outcome, sends, sends_forever};
use crate::support::{hold_open, read_request};

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
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 99999 OK\r\n\r\n",
        // An alert of TLS.
        "\x15\x03\x01\x00\x02\x02\x0a",
    ] {
        check(&format!("{line:?}"), Unanswered, sends(line));
    }
}

#[test]
fn unusual_statuses_are_recorded_as_what_they_are() {
    check("999", Refused(999), sends("HTTP/1.1 999 Go away\r\ncontent-length: 0\r\n\r\n"));
    check("600", Refused(600), sends("HTTP/1.1 600 Past\r\ncontent-length: 0\r\n\r\n"));
    check("299", Delivered(299), sends("HTTP/1.1 299 Fine\r\ncontent-length: 0\r\n\r\n"));
    check("no reason", Delivered(200), sends("HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n"));
    check(
        "no reason, no space",
        Delivered(200),
        sends("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"),
    );
    check(
        "204 with a body",
        Delivered(204),
        sends("HTTP/1.1 204 None\r\ncontent-length: 4\r\n\r\nbody"),
    );
    check(
        "204 with chunks",
        Delivered(204),
        sends("HTTP/1.1 204 None\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"),
    );
    check(
        "205 with a body",
        Delivered(205),
        sends("HTTP/1.1 205 Reset\r\ncontent-length: 4\r\n\r\nbody"),
    );
    check(
        "304 with a body",
        Refused(304),
        sends("HTTP/1.1 304 Same\r\ncontent-length: 4\r\n\r\nbody"),
    );
    check("HTTP/1.0", Delivered(200), sends("HTTP/1.0 200 OK\r\n\r\nhello"));
    check("HTTP/1.0 500", Refused(500), sends("HTTP/1.0 500 Oops\r\n\r\nhello"));
    check("bare line feeds", OnRecord, sends("HTTP/1.1 200 OK\ncontent-length: 0\n\n"));
    check(
        "two replies",
        Delivered(200),
        sends("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 500 Oops\r\n\r\n"),
    );
    // A switch to another protocol is not a delivery.
    check(
        "101",
        OnRecord,
        sends(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n\0\x01",
        ),
    );
    let (record, _) =
        outcome("101", sends("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"));
    assert_eq!(record["state"], "failed");
}

#[test]
fn interim_responses_end_in_the_final_one_or_in_a_failure() {
    let final_reply = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let hints =
        |count| "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(count) + final_reply;
    check(
        "100, 103 and the final one",
        Delivered(201),
        sends(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n\
             HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n",
        ),
    );
    check("10 hints", Delivered(200), sends(hints(10)));
    check("50,000 hints", OnRecord, sends(hints(50_000)));
    check("hints for ever", Unanswered, sends_forever("", "HTTP/1.1 102 Processing\r\n\r\n"));
    check("100 for ever", Unanswered, sends_forever("", "HTTP/1.1 100 Continue\r\n\r\n"));
    check("100 and the end", Unanswered, sends("HTTP/1.1 100 Continue\r\n\r\n"));
}

#[test]
fn too_many_or_too_long_headers_are_a_recorded_outcome() {
    let headers = |count: usize, length: usize| {
        let value = "v".repeat(length);
        let mut many = String::new();
        for number in 0..count {
            let _ = write!(many, "x-{number}: {value}\r\n");
        }
        format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\n\r\n")
    };
    check("100 headers", Delivered(200), sends(headers(100, 10)));
    check("8 KiB in one header", Delivered(200), sends(headers(1, 8 * 1024)));
    check("a reason for ever", Unanswered, sends_forever("HTTP/1.1 200 ", "OK"));
    let head = "HTTP/1.1 200 OK\r\n";
    let too_much = [
        ("200 headers", outcome("200 headers", sends(headers(200, 10)))),
        ("50,000 headers", outcome("50,000 headers", sends(headers(50_000, 10)))),
        ("60 MB in one", outcome("60 MB in one", sends(headers(1, 60 << 20)))),
        ("1 MB in one", outcome("1 MB in one", sends(headers(1, 1 << 20)))),
        ("1 MB in many", outcome("1 MB in many", sends(headers(100, 10_000)))),
        ("headers for ever", outcome("headers for ever", sends_forever(head, "x-more: more\r\n"))),
        ("a name for ever", outcome("a name for ever", sends_forever(head, "x"))),
    ];
    for (name, (record, _)) in too_much {
        let reason = record["reason"].as_str().unwrap_or_default();
        // Either it was read, or the reason names the header.
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
        check(header, OnRecord, sends(reply));
    }
}

#[test]
fn a_server_that_does_not_wait_for_the_request_is_a_recorded_outcome() {
    let early = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    check("a reply first", OnRecord, move |mut stream| {
        let _ = stream.write_all(early.as_bytes());
        hold_open(stream);
    });
    // The request is never read: the kernel resets the connection.
    check("a reply, and a reset", OnRecord, move |mut stream| {
        let _ = stream.write_all(early.as_bytes());
    });
    check("closed at once", Unanswered, drop);
    check("closed for writing", Unanswered, |stream| {
        let _ = stream.shutdown(Shutdown::Write);
        hold_open(stream);
    });
    check("closed in the middle of the request", Unanswered, |mut stream| {
        let _ = stream.read(&mut [0; 10]);
    });
    check("answered in the middle of the request", OnRecord, move |mut stream| {
        let _ = stream.read(&mut [0; 10]);
        let _ = stream.write_all(early.as_bytes());
    });
    check("a byte at a time", Delivered(200), move |mut stream| {
        if read_request(&stream).is_some() {
            for byte in early.as_bytes() {
                let _ = stream.write_all(&[*byte]);
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
}
