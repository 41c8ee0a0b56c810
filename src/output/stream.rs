//! Writing to a reader that may have stopped reading: a pipe that is full must not hold a publish.
//!
//! git, for one, reads no further from a hook once its client is gone, and keeps the pipe open.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// For what the next delivery would wait for.
pub(super) const SHORT: Duration = Duration::from_millis(100);
/// For what is said once.
pub(super) const LONG: Duration = Duration::from_secs(2);

/// A pipe that is said to be writable takes this much at once (`PIPE_BUF`).
const PIECE: usize = 4096;

static STDOUT_IS_STUCK: AtomicBool = AtomicBool::new(false);
static STDERR_IS_STUCK: AtomicBool = AtomicBool::new(false);

/// Where something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Writes the text and a line end. If the reader takes nothing for as long as `patience`, or is
    /// gone, the rest is dropped, and whatever comes later is not waited for.
    pub(super) fn write_line(self, text: &str, patience: Duration) {
        let line = format!("{text}\n");
        match self {
            Self::Stdout => self.write(&mut anstream::stdout().lock(), &line, patience),
            Self::Stderr => self.write(&mut anstream::stderr().lock(), &line, patience),
        }
    }

    fn write(self, writer: &mut dyn Write, mut text: &str, patience: Duration) {
        while !text.is_empty() {
            let (piece, rest) = text.split_at(text.floor_char_boundary(PIECE));
            let stuck = self.stuck();
            let patience = if stuck.load(Ordering::Relaxed) {
                Duration::ZERO
            } else {
                patience
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

    /// Waits until something can be written. What is closed, or no pipe at all, takes it or fails at
    /// once.
    #[cfg(unix)]
    fn is_writable(self, patience: Duration) -> bool {
        use rustix::event::{PollFd, PollFlags, poll};
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let mut descriptors = match self {
            Self::Stdout => [PollFd::new(&stdout, PollFlags::OUT)],
            Self::Stderr => [PollFd::new(&stderr, PollFlags::OUT)],
        };
        let timeout = patience.try_into().ok();
        !matches!(poll(&mut descriptors, timeout.as_ref()), Ok(0))
    }

    #[cfg(not(unix))]
    fn is_writable(self, _: Duration) -> bool {
        true
    }
}
