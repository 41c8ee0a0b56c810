//! Threads that make attempts. There are never more of them than were in flight at once.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::attempt::{self, Attempt};
use super::fan_out::{Event, Order};
use super::tls::Agents;
use crate::platform;

/// Enough for TLS, four times over; the system's default of 2 MiB, or 8, for each of 256 threads is a
/// lot of address space where that is limited.
const STACK: usize = if cfg!(debug_assertions) {
    1024 * 1024
} else {
    256 * 1024
};

/// Files that the rest of the process has open: the registry, the journal, the standard streams.
const OTHER_FILES: u64 = 24;

/// The most attempts that may be in flight before the process runs out of files; each may need two at
/// once, for its connection and for a name look-up. The limit of open files is raised as far as it goes.
pub(super) fn most_in_flight() -> usize {
    let files = platform::raise_file_limit().saturating_sub(OTHER_FILES) / 2;
    usize::try_from(files).unwrap_or(usize::MAX).max(1)
}

/// One attempt to make.
#[derive(Debug)]
pub(super) struct Job {
    /// The order's number.
    pub(crate) order: usize,
}

/// What the workers share.
#[derive(Debug)]
struct Shared {
    orders: Vec<Order>,
    agents: Agents,
    jobs: Mutex<Receiver<Job>>,
}

pub(super) struct Pool {
    shared: Arc<Shared>,
    jobs: Sender<Job>,
    events: Sender<Event>,
    workers: usize,
}

impl Pool {
    pub(super) fn new(orders: Vec<Order>, timeout: Duration, events: Sender<Event>) -> Self {
        let (jobs, receiver) = mpsc::channel();
        let agents = Agents::new(timeout);
        let shared = Arc::new(Shared {
            orders,
            agents,
            jobs: Mutex::new(receiver),
        });
        Self {
            shared,
            jobs,
            events,
            workers: 0,
        }
    }

    /// Hands a job to a worker, a new one if all are busy: `in_flight` counts this job, too.
    pub(super) fn submit(&mut self, job: Job, in_flight: usize) -> io::Result<()> {
        if in_flight > self.workers {
            match self.hire() {
                Ok(()) => self.workers += 1,
                // A busy worker will come to it.
                Err(_) if self.workers > 0 => {}
                Err(error) => return Err(error),
            }
        }
        self.jobs.send(job).map_err(io::Error::other)
    }

    fn hire(&self) -> io::Result<()> {
        let (shared, events) = (Arc::clone(&self.shared), self.events.clone());
        thread::Builder::new()
            .name("delivery".to_owned())
            .stack_size(STACK)
            .spawn(move || work(&shared, &events))
            .map(drop)
    }
}

fn work(shared: &Shared, events: &Sender<Event>) {
    loop {
        let job = shared
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        // No more jobs: the fan-out is over.
        let Ok(Job { order }) = job else { return };
        let on_head = |head| {
            let _ = events.send(Event::Head(order, head));
        };
        let Order { publication, hook } = &shared.orders[order];
        // A panic in a library must not take the other deliveries with it.
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            attempt::make(&shared.agents, hook, publication, &on_head)
        }))
        .unwrap_or_else(|panic| after_panic(&*panic));
        if events.send(Event::Attempt(order, attempt)).is_err() {
            return;
        }
    }
}

fn after_panic(panic: &(dyn Any + Send)) -> Attempt {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let message = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    if is_for_want_of_a_thread(message) {
        return Attempt::failed("could not start a thread for the name look-up".to_owned());
    }
    Attempt::refused("an internal error".to_owned())
}

/// Whether a panic's message says that a thread could not be started, which is nobody's bug: the HTTP
/// library panics where the system gives it none.
pub(crate) fn is_for_want_of_a_thread(message: &str) -> bool {
    message.contains("failed to spawn thread")
}
