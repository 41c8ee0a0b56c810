//! How much the bodies of waiting requests may take.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Memory that connections share.
pub(super) struct Memory {
    /// Bytes that nobody has reserved.
    free: Mutex<usize>,
    given_back: Condvar,
}

/// A part of it, given back when dropped.
pub(super) struct Reserved {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Memory {
    /// So many bytes.
    pub(super) fn new(bytes: usize) -> Arc<Memory> {
        Arc::new(Memory { free: Mutex::new(bytes), given_back: Condvar::new() })
    }

    /// Waits until there are so many bytes; None if that takes longer than `until`.
    pub(super) fn reserve(self: Arc<Self>, bytes: usize, until: Instant) -> Option<Reserved> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.saturating_duration_since(Instant::now());
        let (mut free, waited) = self
            .given_back
            .wait_timeout_while(free, left, |free| *free < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return None;
        }
        *free -= bytes;
        drop(free);
        Some(Reserved { memory: self, bytes })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let free = self.memory.free.lock();
        *free.unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.memory.given_back.notify_all();
    }
}
