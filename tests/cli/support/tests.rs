//! The support itself: assertions fail when they should, and receivers do what their script says.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::support::{FullBacklog, Receiver, Reply, Sandbox};

/// Sends a request by hand and returns what comes back until the connection ends or says nothing for a while.
fn post(receiver: &Receiver, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", receiver.port())).expect("it accepts");
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a time-out can be set");
    write!(
        stream,
        "POST /a?b HTTP/1.1\r\nX-Spelled-So: yes\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it reads");
    let mut answer = Vec::new();
    let _ = stream.take(100_000).read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether this fails as a test would.
fn fails(test: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(test)).is_err()
}

#[test]
fn a_receiver_keeps_the_request_whole_and_follows_its_script() {
    let receiver = Receiver::answering([
        Reply::status(503).header("retry-after", "1").body("busy"),
        Reply::status(200),
    ]);
    assert_eq!(
        post(&receiver, "{}"),
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 4\r\n\r\nbusy"
    );
    assert_eq!(post(&receiver, ""), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(post(&receiver, ""), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let requests = receiver.wait_for(3);
    assert_eq!((requests[0].method.as_str(), requests[0].target.as_str()), ("POST", "/a?b"));
    assert_eq!(requests[0].headers[0], ("X-Spelled-So".into(), "yes".into()));
    assert_eq!(requests[0].body, b"{}");
}

#[test]
fn a_receiver_that_misbehaves_still_ends_when_it_is_dropped() {
    let started = Instant::now();
    for (reply, start) in [
        (Reply::silent(), ""),
        (Reply::hang_up(), ""),
        (Reply::status(200).held(), ""),
        (Reply::drip_header(), "HTTP/1.1 200 OK\r\nx-drip: a"),
        (Reply::drip_body(200), "HTTP/1.1 200 Dripping\r\ncontent-length: 1000000\r\n\r\na"),
        (Reply::endless_body(200), "HTTP/1.1 200 Endless\r\n\r\nxxx"),
        (Reply::interim_flood(), "HTTP/1.1 103 Early Hints\r\n"),
        (Reply::raw("nonsense"), "nonsense"),
    ] {
        let receiver = Receiver::answering([reply.clone()]);
        // Left open, so that only the drop ends the response.
        let mut stream = TcpStream::connect(("127.0.0.1", receiver.port())).unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = vec![0; start.len()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), start, "{reply:?}");
        receiver.wait_for(1);
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_receiver_that_was_not_called_fails_its_test_and_so_does_one_that_must_not_be() {
    assert!(fails(|| drop(Receiver::new())));
    assert!(fails(|| {
        let receiver = Receiver::never();
        post(&receiver, "");
    }));
    assert!(!fails(|| drop(Receiver::never())));
    assert!(!fails(|| {
        let receiver = Receiver::new();
        post(&receiver, "");
    }));
}

#[test]
fn a_full_backlog_neither_accepts_nor_refuses() {
    let unanswering = FullBacklog::new();
    let address =
        unanswering.url().replace("http://", "").replace("/unanswering", "").parse().unwrap();
    let error = TcpStream::connect_timeout(&address, Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[test]
#[cfg(unix)]
fn a_process_that_hangs_is_killed_and_fails_its_test() {
    let sandbox = Sandbox::new();
    let started = Instant::now();
    assert!(fails(|| {
        let hang =
            sandbox.hooks::<&str>([]).shell("exec sleep 50").limit(Duration::from_millis(200));
        hang.run();
    }));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
#[cfg(unix)]
fn assert_compares_everything() {
    let sandbox = Sandbox::new();
    let said =
        sandbox.hooks(["x"]).shell("echo \"$PWD: done in 12 ms\"; echo oops >&2; exit 3").run();
    said.assert(3, "[DIR]: done in [MS]\n", "oops\n");
    assert!(fails(|| _ = said.assert(0, "[DIR]: done in [MS]\n", "oops\n")));
    assert!(fails(|| _ = said.assert(3, "[DIR]: done in [MS]", "oops\n")));
    assert!(fails(|| _ = said.assert(3, "[DIR]: done in [MS]\n", "")));
    assert!(fails(|| _ = said.assert_hides("oops")));
}
