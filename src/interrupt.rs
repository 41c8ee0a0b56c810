//! The request to come to an end, from a signal to whoever is waiting.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Set once a signal asks the process to end. Clones share one state; it is never taken back.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<State>);

#[derive(Default)]
struct State {
    raised: AtomicBool,
    /// The number of the signal that came last.
    signal: AtomicI32,
    wake: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Interrupt {
    /// Asks for the end, because of this signal. Callable from any thread.
    pub(crate) fn raise(&self, signal: i32) {
        self.0.signal.store(signal, Ordering::SeqCst);
        self.0.raised.store(true, Ordering::SeqCst);
        if let Some(wake) = &*self.0.wake.lock().unwrap_or_else(PoisonError::into_inner) {
            wake();
        }
    }

    /// The signal that asked for the end, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        let raised = self.flag().load(Ordering::SeqCst);
        raised.then(|| self.0.signal.load(Ordering::SeqCst))
    }

    /// Set once the end was asked for, for waits that look at it now and then.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0.raised
    }

    /// Calls `wake` at each [`Self::raise`] from now on, in place of an earlier one: for a wait that
    /// would not look at the signal by itself.
    pub(crate) fn on_raise(&self, wake: impl Fn() + Send + 'static) {
        let mut place = self.0.wake.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Box::new(wake));
    }
}
