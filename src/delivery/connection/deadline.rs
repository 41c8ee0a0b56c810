//! When an attempt ends, whatever it is doing.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::delivery::attempt::Failed;

/// The end of an attempt. Its clones end together.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    timeout: Duration,
    end: Arc<Mutex<Instant>>,
}

impl Deadline {
    /// It ends this long from now.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self { timeout, end: Arc::new(Mutex::new(Instant::now() + timeout)) }
    }

    /// It ends this long from now, unless it ends before.
    pub(crate) fn shorten(&self, left: Duration) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        *end = (*end).min(Instant::now() + left);
    }

    /// How long there is left; an error that says so if that is nothing.
    pub(super) fn left(&self) -> Result<Duration, Failed> {
        let end = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
        match end.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => {
                let timeout = humantime::format_duration(self.timeout);
                Err(Failed::transient(format!("timed out after {timeout}")))
            }
        }
    }
}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        Self::other(failed)
    }
}
