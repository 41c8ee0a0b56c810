//! Threads that make attempts. There are never more of them than were in flight at once.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::attempt::{self, Attempt};
use super::connection::Network;
use super::errors::Failed;
use crate::domain::outcome::Outcome;
use crate::domain::publication::Delivery;
use crate::platform;

/// Enough for TLS, four times over; the system's default of 2 MiB, or 8, for each of 256 threads is a
/// lot of address space where that is limited.
const STACK: usize = if cfg!(debug_assertions) { 1024 * 1024 } else { 256 * 1024 };

/// Files that the rest of the process has open: the registry, the journal, the standard streams.
const OTHER_FILES: u64 = 24;

/// The most attempts that may be in flight before the process runs out of files; each may need two at
/// once, for its connection and for a name look-up. The limit of open files is raised as far as it goes.
pub(super) fn most_in_flight() -> usize {
    let files = platform::raise_file_limit().saturating_sub(OTHER_FILES) / 2;
    usize::try_from(files).unwrap_or(usize::MAX).max(1)
}

/// What the fan-out waits for; a worker reports of a delivery by its number.
#[derive(Debug)]
pub(super) enum Event {
    /// A status has arrived; whatever the body does now, it counts.
    Head(usize, Outcome),
    /// The attempt is over.
    Attempt(usize, Attempt),
    /// A signal has come.
    Interrupted,
}

/// What the workers share.
struct Shared {
    deliveries: Arc<[Delivery]>,
    network: Arc<Network>,
    /// The numbers of deliveries to make an attempt at.
    jobs: Mutex<Receiver<usize>>,
    events: Sender<Event>,
}

/// The workers, started one by one as they are needed.
pub(super) struct Pool {
    shared: Arc<Shared>,
    jobs: Sender<usize>,
    workers: usize,
}

impl Pool {
    /// A pool for these deliveries, each attempt of which takes this long at most.
    pub(super) fn new(
        deliveries: Arc<[Delivery]>,
        timeout: Duration,
        events: Sender<Event>,
    ) -> Self {
        let (jobs, receiver) = mpsc::channel();
        let network = Arc::new(Network::new(timeout));
        let shared = Shared { deliveries, network, jobs: Mutex::new(receiver), events };
        Self { shared: Arc::new(shared), jobs, workers: 0 }
    }

    /// Has a worker make an attempt, a new one if all are busy: `in_flight` counts this one, too.
    pub(super) fn submit(&mut self, delivery: usize, in_flight: usize) -> io::Result<()> {
        if in_flight > self.workers {
            match self.hire() {
                Ok(()) => self.workers += 1,
                // A busy worker will come to it.
                Err(_) if self.workers > 0 => {}
                Err(error) => return Err(error),
            }
        }
        self.jobs.send(delivery).map_err(io::Error::other)
    }

    fn hire(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        thread::Builder::new()
            .name("delivery".to_owned())
            .stack_size(STACK)
            .spawn(move || work(&shared))
            .map(drop)
    }
}

fn work(shared: &Shared) {
    loop {
        let jobs = shared.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // No more jobs: the fan-out is over.
        let Ok(number) = jobs.recv() else { return };
        drop(jobs);
        // Once the fan-out is over nobody listens.
        let on_head = |outcome| drop(shared.events.send(Event::Head(number, outcome)));
        // A panic in a library must not take the other deliveries with it.
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            attempt::make(&shared.network, &shared.deliveries[number], &on_head)
        }));
        let attempt = attempt
            .unwrap_or_else(|_| Err(Failed::permanent("an internal error")))
            .unwrap_or_else(Attempt::from);
        if shared.events.send(Event::Attempt(number, attempt)).is_err() {
            return;
        }
    }
}
