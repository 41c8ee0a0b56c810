//! Writing to a reader that may have stopped reading: a pipe that is full must not hold a publish.
//!
//! git, for one, reads no further from a hook once its client is gone, and keeps the pipe open.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::domain::text::start_of;
use crate::platform;

/// For what the next delivery would wait for.
pub(super) const SHORT: Duration = Duration::from_millis(100);
/// For what is said once.
pub(super) const LONG: Duration = Duration::from_millis(500);

/// A pipe that is said to be writable takes this much at once (`PIPE_BUF`).
const PIECE: usize = 4096;

static STDOUT_IS_STUCK: AtomicBool = AtomicBool::new(false);
static STDERR_IS_STUCK: AtomicBool = AtomicBool::new(false);

/// Where something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Writes the text and a line end. If the reader has not taken all of it within `patience`, or is
    /// gone, the rest is dropped, and whatever comes later is not waited for.
    pub(super) fn write_line(self, text: &str, patience: Duration) {
        let (line, until) = (format!("{text}\n"), Instant::now() + patience);
        match self {
            Self::Stdout => self.write(&mut anstream::stdout().lock(), &line, until),
            Self::Stderr => self.write(&mut anstream::stderr().lock(), &line, until),
        }
    }

    /// Writes the text as it is, colour or not: what moves a cursor is no colour.
    pub(super) fn write_raw(self, text: &str) {
        let until = Instant::now() + SHORT;
        match self {
            Self::Stdout => self.write(&mut std::io::stdout().lock(), text, until),
            Self::Stderr => self.write(&mut std::io::stderr().lock(), text, until),
        }
    }

    fn write(self, writer: &mut dyn Write, mut text: &str, until: Instant) {
        while !text.is_empty() {
            let (piece, rest) = text.split_at(start_of(text, PIECE).len());
            let stuck = self.stuck();
            let left = until.saturating_duration_since(Instant::now());
            let patience = if stuck.load(Ordering::Relaxed) {
                Duration::ZERO
            } else {
                left
            };
            if !self.is_writable(patience) {
                stuck.store(true, Ordering::Relaxed);
                return;
            }
            if writer
                .write_all(piece.as_bytes())
                .and_then(|()| writer.flush())
                .is_err()
            {
                return;
            }
            text = rest;
        }
    }

    fn stuck(self) -> &'static AtomicBool {
        match self {
            Self::Stdout => &STDOUT_IS_STUCK,
            Self::Stderr => &STDERR_IS_STUCK,
        }
    }

    fn is_writable(self, limit: Duration) -> bool {
        match self {
            Self::Stdout => platform::stdout_is_writable(limit),
            Self::Stderr => platform::stderr_is_writable(limit),
        }
    }
}
