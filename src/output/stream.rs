//! Writing to a reader that may have stopped reading: a pipe that is full must not hold a publish.
//!
//! git, for one, reads no further from a hook once its client is gone, and keeps the pipe open.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::domain::text::start_of;
use crate::interrupt::Interrupt;
use crate::platform;

/// For what the next delivery would wait for.
pub(crate) const SHORT_WAIT: Duration = Duration::from_millis(100);
/// For what is said once.
pub(super) const LONG_WAIT: Duration = Duration::from_millis(500);

/// A reader that has taken nothing for this long has stopped reading.
pub(super) const STOPPED: Duration = Duration::from_secs(2);

/// How often somebody who waits for a reader looks up.
const TICK: Duration = Duration::from_millis(100);

/// A pipe that is said to be writable takes this much at once (`PIPE_BUF`).
const PIECE: usize = 4096;

static STDOUT_IS_STUCK: AtomicBool = AtomicBool::new(false);
static STDERR_IS_STUCK: AtomicBool = AtomicBool::new(false);

/// Where something is written. Colours that nobody wants are taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Writes the text and a line end. If the reader has not taken all of it within `limit`, or is
    /// gone, the rest is dropped, and whatever comes later is not waited for.
    pub(crate) fn write_line(self, text: &str, limit: Duration) {
        let until = Instant::now() + limit;
        let is_writable = || self.is_writable(until.saturating_duration_since(Instant::now()));
        // Nobody is there to be told.
        let _ = self.write(&format!("{text}\n"), is_writable);
    }

    /// Writes the text. A reader that has taken nothing for as long as `limit` is given up: the rest is
    /// dropped, and the answer is false. One that reads slowly gets all of it.
    pub(super) fn write_while_read(self, text: &str, limit: Duration) -> io::Result<bool> {
        self.write(text, || self.is_writable(limit))
    }

    /// Writes what a person follows, such as the requests that come. The reader may pause as long as it
    /// likes, up to the interrupt: then the rest is left out, and the answer is false.
    pub(crate) fn write_until(self, text: &str, interrupt: &Interrupt) -> io::Result<bool> {
        let is_writable = || {
            while !self.can_take(TICK) {
                if interrupt.signal().is_some() {
                    return false;
                }
            }
            true
        };
        self.write(text, is_writable)
    }

    /// Writes the text in pieces, each when `is_writable`; false if that ended before the text did.
    fn write(self, mut text: &str, is_writable: impl Fn() -> bool) -> io::Result<bool> {
        let mut writer: Box<dyn Write> = match self {
            // The search for colours takes longer than the writing.
            Self::Stdout if !text.contains('\x1b') => Box::new(io::stdout().lock()),
            Self::Stdout => Box::new(anstream::stdout().lock()),
            Self::Stderr => Box::new(anstream::stderr().lock()),
        };
        while !text.is_empty() {
            let (piece, rest) = text.split_at(start_of(text, PIECE).len());
            if !is_writable() {
                return Ok(false);
            }
            writer.write_all(piece.as_bytes())?;
            writer.flush()?;
            text = rest;
        }
        Ok(true)
    }

    /// Whether something can be written within `limit`. A reader that was given up once is not waited
    /// for again.
    pub(super) fn is_writable(self, limit: Duration) -> bool {
        let stuck = match self {
            Self::Stdout => &STDOUT_IS_STUCK,
            Self::Stderr => &STDERR_IS_STUCK,
        };
        let given_up = stuck.load(Ordering::Relaxed);
        let is_writable = self.can_take(if given_up { Duration::ZERO } else { limit });
        if !is_writable {
            stuck.store(true, Ordering::Relaxed);
        }
        is_writable
    }

    fn can_take(self, limit: Duration) -> bool {
        match self {
            Self::Stdout => platform::is_writable(&io::stdout(), limit),
            Self::Stderr => platform::is_writable(&io::stderr(), limit),
        }
    }
}
