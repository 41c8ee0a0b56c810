//! Other people's programs that run in the background: receivers and proxies.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::capture::Capture;
use super::process::TIMEOUT;

/// A server in the background, ended with its test.
pub(crate) struct Program {
    child: Child,
    stdout: Capture,
    stderr: Capture,
}

impl Program {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("can't start {command:?}: {error}"));
        Self {
            stdout: Capture::of(child.stdout.take().expect("standard output is piped")),
            stderr: Capture::of(child.stderr.take().expect("standard error is piped")),
            child,
        }
    }

    /// Waits for a line on standard output.
    #[track_caller]
    pub(crate) fn stdout_line(&self, needle: &str) -> String {
        self.stdout.line(needle, TIMEOUT)
    }

    /// Waits for a line on standard error.
    #[track_caller]
    pub(crate) fn stderr_line(&self, needle: &str) -> String {
        self.stderr.line(needle, TIMEOUT)
    }

    /// Ends it, and gives all that it printed.
    pub(crate) fn end(mut self) -> String {
        self.stop();
        let limit = Duration::from_secs(5);
        let streams = [&self.stdout, &self.stderr].map(|stream| stream.finish(limit));
        String::from_utf8_lossy(&streams.concat()).into_owned()
    }

    fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port for a program that cannot be told to pick one itself: none of those that the system gives to whoever
/// asks for any, and no port twice.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const PORTS: u32 = 20_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Two runs of the tests on one machine begin at different ones.
    let start = std::process::id().wrapping_mul(97);
    loop {
        let given = start.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + given % PORTS).expect("below 65,536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Whether this command succeeds: for a library of another language, which `needs` cannot find. What it
/// prints is given back.
pub(crate) fn needs_success(library: &str, command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output();
    if let Ok(output) = output
        && output.status.success()
    {
        return Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    // There is no program of this name, so `needs` says that it is missing.
    assert!(!super::needs(library), "{library} is there but does not work");
    None
}
