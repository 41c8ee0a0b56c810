//! Fan-out: every delivery at once, each attempt bounded, everything bounded by the deadline
//! (docs/design.md §4).
//!
//! Workers make one attempt each and report over a channel; the thread that calls [`FanOut::next`]
//! alone decides what comes next. Workers are never joined: a connect or a name look-up cannot be cut,
//! and must not hold the end.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use chrono::Utc;

use super::attempt::{self, Attempt};
use super::errors::Failed;
use super::pool::{self, Event, Pool};
use crate::domain::limits::Limits;
use crate::domain::outcome::Outcome;
use crate::domain::publication::Delivery;
use crate::domain::retry;
use crate::interrupt::Interrupt;

/// How long outcomes are gathered before they are recorded: each record costs a lock and a write.
const GATHERING: Duration = Duration::from_millis(5);

/// What has happened since the last call of [`FanOut::next`]. Deliveries go by their number.
#[derive(Debug)]
pub(crate) enum Update {
    /// These deliveries have ended.
    Finished(Vec<(usize, Outcome)>),
    /// An attempt failed like this, and there will be another after this wait.
    Retrying(usize, Outcome, Duration),
    /// Nothing, for as long as [`FanOut::tick`] says.
    Waiting,
}

/// What is known of one delivery on its way.
#[derive(Debug, Default)]
struct Progress {
    /// The next delivery to the same hook: a receiver gets older events before newer ones.
    next: Option<usize>,
    attempts: u32,
    started: Option<Instant>,
    /// An attempt is in flight, and no status has arrived.
    unanswered: bool,
    /// What counts if nothing more comes: a status that has arrived, else what the attempt before came to.
    known: Option<Outcome>,
    done: bool,
}

/// Deliveries that are being made.
pub(crate) struct FanOut {
    limits: Limits,
    deadline: Instant,
    interrupt: Interrupt,
    events: Receiver<Event>,
    pool: Pool,
    progress: Vec<Progress>,
    ready: VecDeque<usize>,
    delayed: BinaryHeap<Reverse<(Instant, usize)>>,
    in_flight: usize,
    most_in_flight: usize,
    finished: Vec<(usize, Outcome)>,
    retrying: VecDeque<Update>,
    /// Has [`Self::next`] return [`Update::Waiting`] whenever nothing has happened for this long.
    pub(crate) tick: Option<Duration>,
    /// How many deliveries have no outcome yet.
    pub(crate) left: usize,
    /// The signal that ended it before every delivery had its outcome, if one did.
    pub(crate) interrupted: Option<i32>,
}

impl FanOut {
    /// Begins to make these deliveries, the first ones first. They end when each has its outcome, at
    /// the deadline, or at an interrupt.
    pub(crate) fn new(
        deliveries: Arc<[Delivery]>,
        limits: Limits,
        deadline: Instant,
        interrupt: &Interrupt,
    ) -> Self {
        let (sender, events) = mpsc::channel();
        let woken = sender.clone();
        // Once the fan-out is over there is nothing left to interrupt.
        interrupt.on_raise(move || drop(woken.send(Event::Interrupted)));
        let (ready, progress) = queues(&deliveries);
        Self {
            limits,
            deadline,
            interrupt: interrupt.clone(),
            events,
            ready,
            delayed: BinaryHeap::new(),
            in_flight: 0,
            most_in_flight: limits.jobs.get().min(pool::most_in_flight()),
            left: progress.len(),
            progress,
            pool: Pool::new(deliveries, limits.timeout, sender),
            finished: Vec::new(),
            retrying: VecDeque::new(),
            tick: None,
            interrupted: None,
        }
    }

    /// The first delivery that is in flight or waits for its next attempt.
    pub(crate) fn awaited(&self) -> Option<usize> {
        self.progress.iter().position(|progress| progress.attempts > 0 && !progress.done)
    }

    /// Waits for the next thing to happen; `None` once everything is over. A delivery that has no
    /// outcome by then was cut by an interrupt, or its turn did not come before the deadline.
    pub(crate) fn next(&mut self) -> Option<Update> {
        loop {
            if let Some(update) = self.ready_update() {
                return Some(update);
            }
            if self.is_over() {
                return None;
            }
            let now = Instant::now();
            self.interrupted = self.interrupt.signal();
            if self.interrupted.is_some() {
                self.keep_what_is_known();
            } else if now >= self.deadline {
                self.give_up();
            } else {
                self.start_what_is_due(now);
            }
            if self.is_over() || !self.finished.is_empty() {
                continue;
            }
            match self.next_event() {
                Some(event) => self.take_all(event),
                None if self.tick.is_some() => return Some(Update::Waiting),
                None => {}
            }
        }
    }

    fn is_over(&self) -> bool {
        self.left == 0 || self.interrupted.is_some()
    }

    fn ready_update(&mut self) -> Option<Update> {
        if let Some(update) = self.retrying.pop_front() {
            return Some(update);
        }
        let finished = std::mem::take(&mut self.finished);
        (!finished.is_empty()).then_some(Update::Finished(finished))
    }

    /// Waits for the next event, but not past what is due next.
    fn next_event(&mut self) -> Option<Event> {
        let mut until = self.deadline;
        if let Some(Reverse((due, _))) = self.delayed.peek() {
            until = until.min(*due);
        }
        let wait = until.saturating_duration_since(Instant::now());
        self.events.recv_timeout(self.tick.unwrap_or(wait).min(wait)).ok()
    }

    /// Takes this event and those that come soon after it, so that outcomes are recorded together. Meanwhile
    /// workers that are free get the next delivery.
    fn take_all(&mut self, event: Event) {
        let until = self.deadline.min(Instant::now() + GATHERING);
        self.take(event);
        loop {
            let now = Instant::now();
            // Later nothing is begun here: what has come is recorded before more is sent, and at the deadline
            // or after an interrupt nothing more is sent at all.
            let is_open = now < until && self.interrupt.signal().is_none();
            if is_open {
                self.start_what_is_due(now);
            }
            let wait = if is_open && self.in_flight > 0 { until - now } else { Duration::ZERO };
            let Ok(event) = self.events.recv_timeout(wait) else { return };
            self.take(event);
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            // The flag is looked at before anything else is done.
            Event::Interrupted => {}
            Event::Head(number, outcome) => {
                let progress = &mut self.progress[number];
                progress.unanswered = false;
                progress.known = Some(outcome);
            }
            Event::Attempt(number, attempt) => self.attempted(number, attempt),
        }
    }

    fn start_what_is_due(&mut self, now: Instant) {
        while let Some(Reverse((due, number))) = self.delayed.peek().copied()
            && due <= now
        {
            self.delayed.pop();
            self.ready.push_back(number);
        }
        while self.in_flight < self.most_in_flight
            && let Some(number) = self.ready.pop_front()
        {
            self.start(number, now);
        }
    }

    fn start(&mut self, number: usize, now: Instant) {
        let progress = &mut self.progress[number];
        progress.attempts += 1;
        progress.started.get_or_insert(now);
        progress.unanswered = true;
        self.in_flight += 1;
        if let Err(error) = self.pool.submit(number, self.in_flight) {
            let failed = Failed::transient(format!("could not start a thread: {error}"));
            self.attempted(number, failed.into());
        }
    }

    fn attempted(&mut self, number: usize, attempt: Attempt) {
        self.in_flight -= 1;
        let progress = &mut self.progress[number];
        if progress.done {
            return;
        }
        progress.unanswered = false;
        let attempts = progress.attempts;
        let Some(wait) = self.wait_after(&attempt, attempts) else {
            self.finish(number, attempt.outcome);
            return;
        };
        let outcome = self.completed(number, attempt.outcome);
        self.progress[number].known = Some(outcome.clone());
        self.retrying.push_back(Update::Retrying(number, outcome, wait));
        self.delayed.push(Reverse((Instant::now() + wait, number)));
    }

    /// How long to wait before the next attempt; `None`: there is none. A wait that would pass the
    /// deadline ends the attempts at once.
    fn wait_after(&self, attempt: &Attempt, attempts: u32) -> Option<Duration> {
        if attempts > self.limits.retries || !attempt.may_pass {
            return None;
        }
        let random = getrandom::u32().unwrap_or(u32::MAX / 2);
        let wait = attempt.retry_after.unwrap_or_else(|| retry::back_off(attempts, random));
        let left = self.deadline.saturating_duration_since(Instant::now());
        (wait < left).then_some(wait)
    }

    fn finish(&mut self, number: usize, outcome: Outcome) {
        let outcome = self.completed(number, outcome);
        self.finished.push((number, outcome));
        self.close(number);
    }

    fn close(&mut self, number: usize) {
        self.progress[number].done = true;
        self.ready.extend(self.progress[number].next);
        self.left -= 1;
    }

    /// The outcome of an attempt as that of its delivery, if it ended now.
    fn completed(&self, number: usize, outcome: Outcome) -> Outcome {
        let progress = &self.progress[number];
        let duration = progress.started.map(|started| started.elapsed()).unwrap_or_default();
        Outcome { time: Utc::now(), attempts: progress.attempts, duration, ..outcome }
    }

    /// The deadline has come: everything ends with what is known. What was not begun has no outcome.
    fn give_up(&mut self) {
        // What was read before it began is a matter of milliseconds.
        let tenths = self.limits.deadline.subsec_millis().div_ceil(100);
        let allowed = Duration::from_secs(self.limits.deadline.as_secs())
            + Duration::from_millis(100) * tenths;
        let allowed = humantime::format_duration(allowed);
        for number in 0..self.progress.len() {
            let progress = &mut self.progress[number];
            if progress.done {
                continue;
            }
            if progress.attempts == 0 {
                self.close(number);
                continue;
            }
            let outcome = progress.known.take().unwrap_or_else(|| {
                attempt::unanswered(format!("no answer within the deadline of {allowed}"))
            });
            self.finish(number, outcome);
        }
    }

    /// A signal has come: what has answered, or waits for another attempt, ends with that. The rest is left.
    fn keep_what_is_known(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.take(event);
        }
        for number in 0..self.progress.len() {
            let progress = &mut self.progress[number];
            if !progress.done
                && !progress.unanswered
                && let Some(outcome) = progress.known.take()
            {
                self.finish(number, outcome);
            }
        }
    }
}

/// The first delivery to each hook, and for each delivery which is the next to its hook.
fn queues(deliveries: &[Delivery]) -> (VecDeque<usize>, Vec<Progress>) {
    let mut ready = VecDeque::new();
    let mut progress: Vec<_> = deliveries.iter().map(|_| Progress::default()).collect();
    let mut latest = HashMap::new();
    for (number, delivery) in deliveries.iter().enumerate() {
        match latest.insert(delivery.hook.id, number) {
            Some(before) => progress[before].next = Some(number),
            None => ready.push_back(number),
        }
    }
    (ready, progress)
}
