//! One publish to a receiver that breaks the rules of HTTP, and what is on record of it.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::output::Output;
use super::proof::peak_memory;
use super::sandbox::{Sandbox, hook_json};
use super::server::{Server, read_request};

/// The most that a publish may take, in KiB.
const MOST_MEMORY: u64 = 50_000;

/// The longest that it may take, with a timeout of 1.5 s.
const LONGEST: Duration = Duration::from_secs(10);

/// What the record is to say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    Delivered(u16),
    Refused(u16),
    /// No status has arrived.
    Unanswered,
    /// Whatever it is, it is on record.
    OnRecord,
}

/// Publishes once to a server that does this, and gives what is on record.
#[track_caller]
pub(crate) fn outcome(
    name: &str,
    serve: impl Fn(TcpStream) + Send + Sync + 'static,
) -> (Value, Output) {
    let server = Server::new(serve);
    let sandbox = Sandbox::new();
    sandbox.write_hooks(&[hook_json(1, server.url("/"), "E")]);
    let publish = ["publish", "E", "{}", "--retries", "0", "--timeout", "1500ms"];
    let mut running = sandbox.hooks(publish).spawn();
    let peak = peak_memory(&mut running);
    let published = running.wait();
    published.assert_took(Duration::ZERO, LONGEST);
    let about = format!("{name}\n{}\n{}", published.stdout, published.stderr);
    assert!(peak < MOST_MEMORY, "{peak} KiB at {about}");
    assert!(matches!(published.code(), Some(0 | 3)), "exit code {:?} at {about}", published.code());
    let note = "note: 1 not delivered; to send again: hooks redeliver --failed\n";
    assert!(["", note].contains(&&*published.stderr), "{about}");
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
pub(crate) fn check(
    name: &str,
    expected: Expected,
    serve: impl Fn(TcpStream) + Send + Sync + 'static,
) {
    let (record, published) = outcome(name, serve);
    let code = record["code"].as_u64();
    let (state, wanted) = match expected {
        Expected::Delivered(code) => ("delivered", Some(u64::from(code))),
        Expected::Refused(code) => ("failed", Some(u64::from(code))),
        Expected::Unanswered => ("failed", None),
        Expected::OnRecord => (record["state"].as_str().unwrap_or_default(), code),
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

/// Reads the request, sends this, and closes the connection.
pub(crate) fn sends(bytes: impl Into<Vec<u8>>) -> impl Fn(TcpStream) + Send + Sync + 'static {
    let bytes = bytes.into();
    move |mut stream| {
        if read_request(&stream).is_some() {
            let _ = stream.write_all(&bytes);
        }
    }
}

/// Reads the request, sends the first, and then the second until the client closes the connection.
pub(crate) fn sends_forever(
    first: &'static str,
    then: &'static str,
) -> impl Fn(TcpStream) + Send + Sync + 'static {
    let flood = then.repeat(64 * 1024 / then.len() + 1);
    move |mut stream| {
        if read_request(&stream).is_some() && stream.write_all(first.as_bytes()).is_ok() {
            while stream.write_all(flood.as_bytes()).is_ok() {}
        }
    }
}
