//! What the journal's lines come to for one publication: its deliveries and their states
//! (docs/design.md §5).

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::record::{Claim, PublicationRecord, Target};
use crate::domain::clock::{self, Ages};
use crate::domain::deployment::Deployment;
use crate::domain::hook::HookId;
use crate::domain::outcome::Outcome;
use crate::domain::publication::Publication;
use crate::domain::retry;

/// A publication with its deliveries.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The publication's `msg_…` id.
    pub(crate) id: String,
    /// The event's name.
    pub(crate) event: String,
    /// When it was published.
    pub(crate) time: DateTime<Utc>,
    /// How long ago that was, for `--since`.
    pub(crate) age: TimeDelta,
    /// How long ago that was at least, whatever a clock has shown.
    pub(super) certain_age: TimeDelta,
    /// Whether it is a sample.
    pub(crate) test: bool,
    /// The deployment's text as a JSON string, unread.
    content: Box<RawValue>,
    /// One for each hook that it went to.
    pub(crate) deliveries: Vec<RecordedDelivery>,
    /// Where its line is, and where those are that say which process is at its deliveries, as far as they
    /// still decide anything.
    pub(super) lines: Vec<Place>,
    by_hook: HashMap<HookId, usize>,
}

/// Where a line is in the file, its end included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// One publication to one hook.
#[derive(Debug, Clone)]
pub(crate) struct RecordedDelivery {
    /// The hook's id.
    pub(crate) hook: HookId,
    /// The hook's URL at that time.
    pub(crate) url: String,
    /// The tries that have ended, the last one last. A compaction leaves the first, the first that delivered,
    /// and the last.
    pub(crate) tries: Vec<Try>,
    /// When the last try ended or, before it has, when it was published.
    pub(crate) last_try: DateTime<Utc>,
    /// How long ago that was, for `--since`.
    pub(crate) age: TimeDelta,
    /// When it was first delivered, whatever a later try came to.
    pub(crate) delivered_at: Option<DateTime<Utc>>,
    /// The line of the last outcome, also of one that counts as no try: it ends what stands before it.
    pub(super) last_end: Option<Place>,
    /// A process is at it.
    pub(super) lease: Option<Lease>,
    /// Held or deferred: nobody has been at it yet.
    waiting: Option<State>,
}

/// A try that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    /// How.
    pub(crate) outcome: Outcome,
    /// The line that tells it.
    pub(super) place: Place,
    /// How many tries there were by then.
    pub(super) number: u32,
    /// Whether the line tells the number.
    pub(super) is_told: bool,
}

/// A process is at a delivery for some time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    /// When it began, by the clock of that moment.
    pub(super) time: DateTime<Utc>,
    pub(super) deadline: DateTime<Utc>,
}

/// What is known of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The receiver accepted it.
    Delivered,
    /// It failed.
    Failed,
    /// A process is at it.
    Pending,
    /// The process that was at it did not come to an end.
    Unfinished,
    /// Its hook was disabled when it was published.
    Held,
    /// It was published to be sent later.
    Deferred,
}

impl State {
    /// The word for it, in text and in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Unfinished => "unfinished",
            Self::Held => "held",
            Self::Deferred => "deferred",
        }
    }

    /// Whether it is still to be sent, and nobody is at it.
    pub(crate) fn is_owed(self) -> bool {
        matches!(self, Self::Failed | Self::Unfinished | Self::Deferred)
    }
}

impl Lease {
    /// Of a process that takes up deliveries. One that leaves them is at them no longer.
    pub(super) fn of(claim: &Claim) -> Self {
        Self { time: claim.time, deadline: claim.deadline.unwrap_or(claim.time) }
    }

    /// Whether the process may still be at it.
    pub(super) fn holds_at(self, now: DateTime<Utc>) -> bool {
        clock::holds(self.time, self.deadline, now)
    }
}

impl RecordedDelivery {
    /// One that a process has just taken up, unless it waits.
    fn new(target: Target, lease: Lease, waiting: Option<State>) -> Self {
        Self {
            hook: target.hook,
            url: target.url.into_owned(),
            tries: Vec::new(),
            last_try: lease.time,
            age: TimeDelta::zero(),
            delivered_at: None,
            last_end: None,
            lease: Some(lease).filter(|_| waiting.is_none()),
            waiting,
        }
    }

    /// How the last try ended, if one did.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.tries.last().map(|last| &last.outcome)
    }

    /// How many tries have failed, one that delivered it in the end included.
    pub(crate) fn failures(&self) -> u32 {
        self.tries.last().map_or(0, |last| last.number)
    }

    /// Its state at this moment.
    pub(crate) fn state(&self, now: DateTime<Utc>) -> State {
        match (self.lease, self.outcome()) {
            (Some(lease), _) if lease.holds_at(now) => State::Pending,
            (Some(_), _) => State::Unfinished,
            (None, Some(outcome)) if outcome.delivered => State::Delivered,
            (None, Some(_)) => State::Failed,
            (None, None) => self.waiting.unwrap_or(State::Unfinished),
        }
    }

    /// Whether it was not delivered, and nobody is at it.
    pub(crate) fn is_undelivered(&self, now: DateTime<Utc>) -> bool {
        self.delivered_at.is_none() && self.state(now).is_owed()
    }

    /// When the next try is due. A last try in the future says nothing, so it is due at once.
    pub(crate) fn due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        if self.last_try > now {
            return now;
        }
        let due = retry::due(self.failures(), self.last_try);
        let not_before = self.outcome().and_then(|outcome| outcome.not_before);
        not_before.map_or(due, |not_before| due.max(not_before))
    }

    /// A try has ended, as this line says; `told` counts those by now, where the line tells.
    pub(super) fn end(&mut self, outcome: Outcome, told: Option<u32>, place: Place) {
        (self.lease, self.last_end) = (None, Some(place));
        // Its turn did not come: that was no try.
        if outcome.attempts == 0 {
            return;
        }
        // None would be before the first time that there is, and comes before every other.
        let length = TimeDelta::from_std(outcome.duration).ok();
        let began = length.and_then(|length| outcome.time.checked_sub_signed(length));
        if !outcome.delivered && self.delivered_at.is_some_and(|at| began < Some(at)) {
            // A process that was stopped went on after another one had delivered it.
            return;
        }
        self.last_try = outcome.time;
        if outcome.delivered {
            self.delivered_at.get_or_insert(outcome.time);
        }
        let number = told.unwrap_or(self.failures().saturating_add(1));
        self.tries.push(Try { outcome, place, number, is_told: told.is_some() });
    }
}

impl Recorded {
    /// From its line, with all deliveries just begun. The ages are those up to that line.
    pub(super) fn new(record: PublicationRecord, ages: &Ages) -> Self {
        let PublicationRecord { id, time, event, test, deadline, deferred, targets, content } =
            record;
        let lease = Lease { time, deadline };
        let begun = |target: Target| {
            let waiting = match (target.held, deferred) {
                (true, _) => Some(State::Held),
                (false, true) => Some(State::Deferred),
                (false, false) => None,
            };
            RecordedDelivery::new(target, lease, waiting)
        };
        let deliveries: Vec<_> = targets.into_iter().map(begun).collect();
        // Of two to one hook, which only a hand writes, the first counts.
        let numbered = deliveries.iter().enumerate().rev();
        Self {
            id,
            event,
            time,
            age: ages.age(time),
            certain_age: ages.certain_age(time),
            test,
            content,
            by_hook: numbered.map(|(number, d)| (d.hook, number)).collect(),
            deliveries,
            lines: Vec::new(),
        }
    }

    /// What was published.
    pub(crate) fn deployment(&self) -> Deployment {
        let text = serde_json::from_str(self.content.get());
        // A journal that was changed by hand may hold something else.
        Deployment::recorded(text.unwrap_or_else(|_| self.content.get().to_owned()))
    }

    /// The publication, to be sent again.
    pub(crate) fn publication(&self) -> Publication {
        Publication {
            id: self.id.clone(),
            event: self.event.clone(),
            time: self.time,
            deployment: Arc::new(self.deployment()),
            test: self.test,
        }
    }

    /// The delivery to this hook.
    pub(crate) fn delivery(&self, hook: HookId) -> Option<&RecordedDelivery> {
        self.by_hook.get(&hook).map(|place| &self.deliveries[*place])
    }

    /// A process takes deliveries up, to hooks that the publication was not for as well, or leaves them.
    pub(super) fn claim(&mut self, claim: &Claim) {
        for target in &claim.added {
            if self.delivery(target.hook).is_none() {
                self.by_hook.insert(target.hook, self.deliveries.len());
                self.deliveries.push(RecordedDelivery::new(target.clone(), Lease::of(claim), None));
            }
        }
        for hook in &claim.hooks {
            let Some(delivery) = self.delivery_mut(*hook) else {
                continue;
            };
            match &mut delivery.lease {
                lease if claim.deadline.is_some() => *lease = Some(Lease::of(claim)),
                Some(lease) => lease.deadline = lease.deadline.min(lease.time),
                None => {}
            }
        }
    }

    /// The delivery to this hook, to be changed.
    pub(super) fn delivery_mut(&mut self, hook: HookId) -> Option<&mut RecordedDelivery> {
        let place = self.by_hook.get(&hook)?;
        Some(&mut self.deliveries[*place])
    }
}
