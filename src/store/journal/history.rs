//! What the journal's lines come to: each publication with its deliveries, and their state.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::record::Record;
use crate::domain::publication::{Outcome, Publication};

/// After the n-th try that failed the next is due this many minutes later; the last goes on. Standard
/// Webhooks' schedule, in the steps that a cron line can keep.
const SCHEDULE: [i64; 6] = [0, 5, 30, 2 * 60, 5 * 60, 10 * 60];

/// The journal, read.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// In the order they were published.
    pub(crate) publications: Vec<Recorded>,
    /// The numbers of the lines that could not be read, counted from 1.
    pub(crate) damaged: Vec<usize>,
    by_id: HashMap<String, usize>,
}

/// A publication with its deliveries.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The publication.
    pub(crate) publication: Publication,
    /// One for each hook that it went to.
    pub(crate) deliveries: Vec<Delivery>,
    /// The numbers of its lines, counted from 1.
    pub(super) lines: Vec<usize>,
}

/// One publication to one hook.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The hook's id.
    pub(crate) hook: u64,
    /// The hook's URL at that time.
    pub(crate) url: String,
    /// How it last ended, if it did.
    pub(crate) outcome: Option<Outcome>,
    /// When the last try began or, once it has, ended.
    pub(crate) last_try: DateTime<Utc>,
    /// Whether it was ever delivered, whatever a later try came to.
    pub(crate) ever_delivered: bool,
    tries: usize,
    /// The try before the last, for one that turns out to be none.
    previous_try: DateTime<Utc>,
    /// A process is at it until then.
    until: Option<DateTime<Utc>>,
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
}

impl State {
    /// The word for it, in text and in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Unfinished => "unfinished",
        }
    }
}

impl Delivery {
    /// One that a process has just taken up.
    fn begun(hook: u64, url: String, time: DateTime<Utc>, deadline: DateTime<Utc>) -> Self {
        let mut delivery = Self {
            hook,
            url,
            outcome: None,
            last_try: time,
            ever_delivered: false,
            tries: 0,
            previous_try: time,
            until: None,
        };
        delivery.begin(time, deadline);
        delivery
    }

    /// Its state at this moment.
    pub(crate) fn state(&self, now: DateTime<Utc>) -> State {
        match (self.until, &self.outcome) {
            (Some(until), _) if now < until => State::Pending,
            (Some(_), _) | (None, None) => State::Unfinished,
            (None, Some(outcome)) if outcome.delivered => State::Delivered,
            (None, Some(_)) => State::Failed,
        }
    }

    /// Whether it was not delivered, and nobody is at it.
    pub(crate) fn is_undelivered(&self, now: DateTime<Utc>) -> bool {
        !self.ever_delivered && matches!(self.state(now), State::Failed | State::Unfinished)
    }

    /// When the next try is due, by the schedule.
    pub(crate) fn due(&self) -> DateTime<Utc> {
        let step = self.tries.saturating_sub(1).min(SCHEDULE.len() - 1);
        // A journal edited by hand may be at the end of the calendar.
        let wait = TimeDelta::minutes(SCHEDULE[step]);
        self.last_try
            .checked_add_signed(wait)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn begin(&mut self, time: DateTime<Utc>, deadline: DateTime<Utc>) {
        self.tries += 1;
        self.previous_try = self.last_try;
        self.last_try = time;
        self.until = Some(deadline);
    }

    /// Nobody is at it any more, if somebody was.
    fn leave(&mut self, time: DateTime<Utc>) {
        self.until = self.until.map(|until| until.min(time));
    }

    fn end(&mut self, outcome: Outcome) {
        self.until = None;
        if outcome.attempts == 0 {
            // Its turn did not come: that was no try.
            self.tries = self.tries.saturating_sub(1);
            self.last_try = self.previous_try;
        } else {
            self.last_try = outcome.time;
        }
        self.ever_delivered |= outcome.delivered;
        self.outcome = Some(outcome);
    }
}

impl History {
    /// Reads the lines. One that is damaged, or that a newer version wrote, is skipped.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut history = Self::default();
        for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(record) => history.add(record, index + 1),
                Err(_) => history.damaged.push(index + 1),
            }
        }
        history
    }

    /// The publication with this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Recorded> {
        self.by_id.get(id).map(|place| &self.publications[*place])
    }

    /// The latest publication to this hook that is no test, and the delivery.
    pub(crate) fn latest_of(&self, hook: u64) -> Option<(&Recorded, &Delivery)> {
        let mut real = self
            .publications
            .iter()
            .rev()
            .filter(|recorded| !recorded.publication.test);
        real.find_map(|recorded| Some((recorded, recorded.delivery(hook)?)))
    }

    fn add(&mut self, record: Record, line: usize) {
        match record {
            Record::Publication(record) => {
                // A line may stand twice: an append without the lock is done again if it may be lost.
                if self.find_mut(&record.id, line).is_some() {
                    return;
                }
                let publication = record.to_publication();
                let deliveries = record.targets.into_iter().map(|target| {
                    let url = target.url.into_owned();
                    Delivery::begun(target.hook, url, record.time, record.deadline)
                });
                let deliveries = deliveries.collect();
                self.by_id
                    .insert(publication.id.clone(), self.publications.len());
                self.publications.push(Recorded {
                    publication,
                    deliveries,
                    lines: vec![line],
                });
            }
            Record::Redelivery(record) => {
                let begin = |d: &mut Delivery| d.begin(record.time, record.deadline);
                self.each(&record.id, &record.hooks, line, begin);
            }
            Record::Outcome(record) => {
                if let Some(recorded) = self.find_mut(&record.id, line)
                    && let Some(delivery) = recorded.delivery_mut(record.hook)
                {
                    delivery.end(record.to_outcome());
                }
            }
            Record::Interrupted(record) => {
                self.each(&record.id, &record.hooks, line, |delivery| {
                    delivery.leave(record.time);
                });
            }
            Record::Compacted(_) => {}
        }
    }

    /// Does this to the deliveries of a publication to these hooks.
    fn each(&mut self, id: &str, hooks: &[u64], line: usize, act: impl Fn(&mut Delivery)) {
        let Some(recorded) = self.find_mut(id, line) else {
            return;
        };
        for hook in hooks {
            if let Some(delivery) = recorded.delivery_mut(*hook) {
                act(delivery);
            }
        }
    }

    /// The publication that a line belongs to.
    fn find_mut(&mut self, id: &str, line: usize) -> Option<&mut Recorded> {
        let recorded = &mut self.publications[*self.by_id.get(id)?];
        recorded.lines.push(line);
        Some(recorded)
    }
}

impl Recorded {
    /// The delivery to this hook.
    pub(crate) fn delivery(&self, hook: u64) -> Option<&Delivery> {
        self.deliveries
            .iter()
            .find(|delivery| delivery.hook == hook)
    }

    fn delivery_mut(&mut self, hook: u64) -> Option<&mut Delivery> {
        self.deliveries
            .iter_mut()
            .find(|delivery| delivery.hook == hook)
    }
}

#[cfg(test)]
mod tests;
