//! Fan-out: every delivery at once, each attempt bounded, everything bounded by the deadline
//! (docs/design.md §4).
//!
//! Workers make one attempt each and report over a channel; this thread alone decides what comes next.
//! Workers are never joined: a connect or a name look-up cannot be cut, and must not hold the end.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use chrono::Utc;

use crate::domain::hook::Hook;
use crate::domain::publication::{Outcome, Publication};

use super::attempt::{Attempt, Head};
use super::pool::{self, Job, Pool};
use super::retry;

/// One delivery to make.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// What is delivered.
    pub(crate) publication: Arc<Publication>,
    /// To whom.
    pub(crate) hook: Arc<Hook>,
}

/// How long to try, and how many at once.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// The longest that one attempt may take.
    pub(crate) timeout: Duration,
    /// How often to try again.
    pub(crate) retries: u32,
    /// When everything ends.
    pub(crate) deadline: Instant,
    /// How long there was until then, for messages.
    pub(crate) allowed: Duration,
    /// The most attempts in flight.
    pub(crate) jobs: usize,
}

/// How a fan-out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Every delivery has its outcome.
    Complete,
    /// This signal cut it; deliveries without an outcome are left as they are.
    Interrupted(i32),
}

/// Who is told how it goes. Calls come from the thread that called [`deliver`].
pub(crate) trait Observer {
    /// Deliveries that ended since the last call: the order's number, and how.
    fn finished(&mut self, batch: Vec<(usize, Outcome)>);
    /// An attempt failed like this, and there will be another after this wait.
    fn retrying(&mut self, order: usize, outcome: &Outcome, wait: Duration);
    /// How often [`Observer::waiting`] is to be called; `None`: never.
    fn tick(&self) -> Option<Duration>;
    /// The numbers of the orders in flight or waiting for their next attempt, and how many have no
    /// outcome yet.
    fn waiting(&mut self, awaited: &BTreeSet<usize>, left: usize);
}

/// The way by which a signal reaches a fan-out, from any thread and before it has begun.
#[derive(Debug)]
pub(crate) struct Channel {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
    cut: Arc<AtomicBool>,
}

impl Channel {
    /// A new channel.
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel();
        Self {
            sender,
            receiver,
            cut: Arc::default(),
        }
    }

    /// Set once a signal has come, for waits that the channel cannot end.
    pub(crate) fn cut(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cut)
    }

    /// What a signal handler calls with the signal's number.
    pub(crate) fn interrupter(&self) -> impl Fn(i32) + Send + use<> {
        let (sender, cut) = (self.sender.clone(), Arc::clone(&self.cut));
        move |signal| {
            cut.store(true, Ordering::SeqCst);
            // Once the fan-out is over there is nothing left to interrupt.
            let _ = sender.send(Event::Interrupt(signal));
        }
    }
}

/// What the fan-out waits for.
#[derive(Debug)]
pub(super) enum Event {
    Interrupt(i32),
    /// A status has arrived; whatever the body does now, it counts.
    Head(usize, Head),
    Attempt(usize, Attempt),
}

/// Makes all deliveries, oldest order first, and returns when each has its outcome, at the deadline,
/// or at a signal.
pub(crate) fn deliver(
    orders: &[Order],
    limits: &Limits,
    channel: Channel,
    observer: &mut dyn Observer,
) -> Ended {
    FanOut::new(orders, limits, channel, observer).run()
}

/// What is known of one order on its way.
#[derive(Debug, Default)]
struct Progress {
    attempts: u32,
    started: Option<Instant>,
    head: Option<Head>,
    last: Option<Attempt>,
    done: bool,
}

/// The first order to each hook, and the one that comes after each order.
fn queues(orders: &[Order]) -> (VecDeque<usize>, Vec<Option<usize>>) {
    let mut ready = VecDeque::new();
    let mut after = vec![None; orders.len()];
    let mut latest: HashMap<u64, usize> = HashMap::new();
    for (number, order) in orders.iter().enumerate() {
        match latest.insert(order.hook.id, number) {
            Some(before) => after[before] = Some(number),
            None => ready.push_back(number),
        }
    }
    (ready, after)
}

struct FanOut<'a> {
    limits: &'a Limits,
    observer: &'a mut dyn Observer,
    receiver: Receiver<Event>,
    pool: Pool,
    progress: Vec<Progress>,
    ready: VecDeque<usize>,
    /// The next order to the same hook: a receiver gets older events before newer ones.
    after: Vec<Option<usize>>,
    delayed: BinaryHeap<Reverse<(Instant, usize)>>,
    awaited: BTreeSet<usize>,
    in_flight: usize,
    most_in_flight: usize,
    left: usize,
    finished: Vec<(usize, Outcome)>,
}

impl<'a> FanOut<'a> {
    fn new(
        orders: &[Order],
        limits: &'a Limits,
        channel: Channel,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let Channel {
            sender, receiver, ..
        } = channel;
        let (ready, after) = queues(orders);
        Self {
            limits,
            observer,
            receiver,
            pool: Pool::new(orders.to_vec(), limits.timeout, sender),
            progress: orders.iter().map(|_| Progress::default()).collect(),
            ready,
            after,
            delayed: BinaryHeap::new(),
            awaited: BTreeSet::new(),
            in_flight: 0,
            most_in_flight: limits.jobs.min(pool::most_in_flight()),
            left: orders.len(),
            finished: Vec::new(),
        }
    }

    fn run(mut self) -> Ended {
        // A signal that came before starts nothing at all.
        let waiting = self.receiver.try_recv().ok();
        if let Some(signal) = waiting.and_then(|event| self.handle(event)) {
            return Ended::Interrupted(signal);
        }
        loop {
            let now = Instant::now();
            if now >= self.limits.deadline {
                self.give_up();
            }
            self.start_what_is_due(now);
            self.report_finished();
            if self.left == 0 {
                return Ended::Complete;
            }
            let Some(event) = self.next_event() else {
                continue;
            };
            if let Some(signal) = self.handle(event) {
                self.keep_what_is_known();
                return Ended::Interrupted(signal);
            }
        }
    }

    /// Waits for the next event, but not past what is due next.
    fn next_event(&mut self) -> Option<Event> {
        let mut until = self.limits.deadline;
        if let Some(Reverse((due, _))) = self.delayed.peek() {
            until = until.min(*due);
        }
        let wait = until.saturating_duration_since(Instant::now());
        let tick = self.observer.tick();
        match self.receiver.recv_timeout(tick.unwrap_or(wait).min(wait)) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                if tick.is_some() {
                    self.observer.waiting(&self.awaited, self.left);
                }
                None
            }
        }
    }

    /// Takes this event and all that have come by now, so that outcomes are recorded together.
    /// Gives the signal that ends the fan-out.
    fn handle(&mut self, event: Event) -> Option<i32> {
        let mut next = Some(event);
        while let Some(event) = next {
            if let Some(signal) = self.take(event) {
                return Some(signal);
            }
            next = self.receiver.try_recv().ok();
        }
        None
    }

    fn take(&mut self, event: Event) -> Option<i32> {
        match event {
            Event::Interrupt(signal) => return Some(signal),
            Event::Head(order, head) => self.progress[order].head = Some(head),
            Event::Attempt(order, attempt) => self.attempted(order, attempt),
        }
        None
    }

    fn start_what_is_due(&mut self, now: Instant) {
        while let Some(Reverse((due, order))) = self.delayed.peek().copied()
            && due <= now
        {
            self.delayed.pop();
            self.ready.push_back(order);
        }
        while self.in_flight < self.most_in_flight
            && let Some(order) = self.ready.pop_front()
        {
            self.start(order, now);
        }
    }

    fn start(&mut self, order: usize, now: Instant) {
        let progress = &mut self.progress[order];
        progress.attempts += 1;
        progress.started.get_or_insert(now);
        self.awaited.insert(order);
        self.in_flight += 1;
        if let Err(error) = self.pool.submit(Job { order }, self.in_flight) {
            self.attempted(
                order,
                Attempt::failed(format!("could not start a thread: {error}")),
            );
        }
    }

    fn attempted(&mut self, order: usize, attempt: Attempt) {
        self.in_flight -= 1;
        if self.progress[order].done {
            return;
        }
        let made = self.progress[order].attempts;
        let now = Instant::now();
        let left = self.limits.deadline.saturating_duration_since(now);
        match retry::wait(&attempt, made, self.limits.retries, left) {
            Some(wait) => {
                let outcome = self.outcome(order, &attempt);
                self.observer.retrying(order, &outcome, wait);
                self.delayed.push(Reverse((now + wait, order)));
                self.progress[order].last = Some(attempt);
                // What counts at the deadline is what that attempt came to, its body included.
                self.progress[order].head = None;
            }
            None => self.finish(order, &attempt),
        }
    }

    fn finish(&mut self, order: usize, attempt: &Attempt) {
        let outcome = self.outcome(order, attempt);
        self.progress[order].done = true;
        self.awaited.remove(&order);
        self.ready.extend(self.after[order]);
        self.left -= 1;
        self.finished.push((order, outcome));
    }

    fn outcome(&self, order: usize, attempt: &Attempt) -> Outcome {
        let progress = &self.progress[order];
        Outcome {
            time: Utc::now(),
            delivered: attempt.is_delivered(),
            status: attempt.status(),
            code: attempt.code(),
            reason: attempt.reason(),
            attempts: progress.attempts,
            duration: progress
                .started
                .map(|started| started.elapsed())
                .unwrap_or_default(),
        }
    }

    /// The deadline has come: everything ends with what is known.
    fn give_up(&mut self) {
        let allowed = humantime::format_duration(self.limits.allowed);
        for order in 0..self.progress.len() {
            let progress = &mut self.progress[order];
            if progress.done {
                continue;
            }
            let attempt = match (progress.head.take(), progress.last.take()) {
                (Some(head), _) => Attempt::cut_short(head),
                (None, Some(last)) => last,
                (None, None) if progress.attempts > 0 => {
                    Attempt::failed(format!("no answer within the deadline of {allowed}"))
                }
                (None, None) => Attempt::failed(format!(
                    "its turn did not come within the deadline of {allowed}"
                )),
            };
            self.finish(order, &attempt);
        }
        self.ready.clear();
        self.delayed.clear();
    }

    /// A signal has come: what has answered is an outcome, the rest is left.
    fn keep_what_is_known(&mut self) {
        // Answers may stand behind the signal in the channel.
        while let Ok(event) = self.receiver.try_recv() {
            self.take(event);
        }
        for order in 0..self.progress.len() {
            if self.progress[order].done {
                continue;
            }
            if let Some(head) = self.progress[order].head.take() {
                self.finish(order, &Attempt::cut_short(head));
            }
        }
        self.report_finished();
    }

    fn report_finished(&mut self) {
        if !self.finished.is_empty() {
            self.observer.finished(std::mem::take(&mut self.finished));
        }
    }
}
