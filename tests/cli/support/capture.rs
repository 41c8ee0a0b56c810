//! Collects a child's output while it runs, so that a full pipe never blocks it and a line can be awaited.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What one stream of a child has said so far.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    closed: bool,
}

impl Capture {
    /// Reads `stream` to its end on a thread of its own.
    pub(crate) fn of(mut stream: impl Read + Send + 'static) -> Self {
        let capture = Self::default();
        let writer = capture.clone();
        thread::spawn(move || {
            let mut chunk = [0; 16 * 1024];
            loop {
                let read = stream.read(&mut chunk).unwrap_or(0);
                let (state, changed) = &*writer.0;
                let mut state = state.lock().expect("no thread panics while it holds a capture");
                state.bytes.extend_from_slice(&chunk[..read]);
                state.closed |= read == 0;
                changed.notify_all();
                if read == 0 {
                    break;
                }
            }
        });
        capture
    }

    /// Waits until the stream is closed, or for `limit`; a grandchild that keeps it open is not waited for.
    pub(crate) fn finish(&self, limit: Duration) -> Vec<u8> {
        self.wait(limit, |state| state.closed.then(|| state.bytes.clone()))
            .unwrap_or_else(|so_far| so_far)
    }

    /// The first line that contains `needle`, as soon as it is complete.
    pub(crate) fn line(&self, needle: &str, limit: Duration) -> String {
        self.wait(limit, |state| {
            let text = String::from_utf8_lossy(&state.bytes);
            let line = text
                .split_inclusive('\n')
                .find(|line| line.ends_with('\n') && line.contains(needle))
                .map(|line| line.trim_end().to_owned());
            line.map(Ok).or_else(|| state.closed.then(|| Err(text.into_owned())))
        })
        .unwrap_or_else(|so_far| Err(String::from_utf8_lossy(&so_far).into_owned()))
        .unwrap_or_else(|said| panic!("no line with {needle:?} came; all that came was:\n{said}"))
    }

    fn wait<T>(&self, limit: Duration, ready: impl Fn(&State) -> Option<T>) -> Result<T, Vec<u8>> {
        let (state, changed) = &*self.0;
        let until = Instant::now() + limit;
        let mut state = state.lock().expect("no thread panics while it holds a capture");
        loop {
            if let Some(value) = ready(&state) {
                return Ok(value);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(state.bytes.clone());
            }
            state = changed
                .wait_timeout(state, left)
                .expect("no thread panics while it holds a capture")
                .0;
        }
    }
}
