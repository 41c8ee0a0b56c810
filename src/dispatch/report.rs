//! How deliveries went: the exit code, and the answer of `--json`.

use std::time::Instant;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::domain::json::put;
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::exit::Exit;
use crate::output::Output;
use crate::output::json::{pretty, put_result};
use crate::store::journal::State;

/// A delivery, what has become of it, and how its last try ended.
#[derive(Debug)]
pub(crate) struct DeliveryState {
    pub(super) delivery: Delivery,
    pub(super) state: State,
    pub(super) outcome: Option<Outcome>,
}

/// How deliveries went.
#[derive(Debug)]
pub(crate) struct Report {
    /// What was to be delivered. Without an outcome is what another process is at, or whose turn did not come.
    pub(super) made: Vec<DeliveryState>,
    /// What is held or deferred, and what other runs have done.
    pub(super) rest: Vec<DeliveryState>,
    /// A publication without a hook.
    pub(super) unheard: Option<Publication>,
    /// The signal that cut the deliveries short, if one did.
    pub(super) interrupted: Option<i32>,
    /// Until when a reader that has stopped is waited for.
    pub(super) deadline: Instant,
}

impl DeliveryState {
    /// One that was to be made in this run.
    pub(super) fn made(delivery: Delivery, outcome: Option<Outcome>) -> Self {
        let state = match &outcome {
            Some(outcome) if outcome.delivered => State::Delivered,
            Some(_) => State::Failed,
            None => State::Unfinished,
        };
        Self { delivery, state, outcome }
    }
}

impl Report {
    /// The deliveries that were to be made and were not.
    pub(super) fn undelivered(&self) -> impl Iterator<Item = &Delivery> {
        let undelivered = self.made.iter().filter(|made| made.state != State::Delivered);
        undelivered.map(|made| &made.delivery)
    }

    /// The deliveries without an outcome.
    pub(super) fn untried(&self) -> impl Iterator<Item = &Delivery> {
        let untried = self.made.iter().filter(|made| made.outcome.is_none());
        untried.map(|made| &made.delivery)
    }

    /// Whether every receiver that did not take it has asked to be left alone for a while.
    pub(super) fn all_must_wait(&self, now: DateTime<Utc>) -> bool {
        let mut outcomes = self.made.iter().map(|made| made.outcome.as_ref());
        outcomes.all(|outcome| {
            outcome.is_some_and(|o| o.delivered || o.not_before.is_some_and(|until| now < until))
        })
    }

    /// The exit code: interrupted, undelivered, or done. What another run is still at is not done.
    pub(crate) fn exit(&self) -> Exit {
        if let Some(signal) = self.interrupted {
            return Exit::interrupted(signal);
        }
        if self.undelivered().next().is_none()
            && self.rest.iter().all(|rest| rest.state != State::Pending)
        {
            Exit::Done
        } else {
            Exit::Undelivered
        }
    }

    /// Prints the one publication as JSON.
    pub(crate) fn print_publication(&self, output: Output) {
        if let Some(publication) = self.publications().first() {
            output.deliveries(&pretty(publication), self.reader_deadline());
        }
    }

    /// Prints the publications as a JSON array.
    pub(crate) fn print_publications(&self, output: Output) {
        output.deliveries(&pretty(&self.publications()), self.reader_deadline());
    }

    /// Where nothing was sent, a reader that has stopped is waited for no time.
    fn reader_deadline(&self) -> Instant {
        if self.made.is_empty() { Instant::now() } else { self.deadline }
    }

    /// The publications in the order they were delivered, each with its deliveries, which stand together.
    fn publications(&self) -> Vec<PublicationJson<'_>> {
        if let Some(Publication { id, event, .. }) = &self.unheard {
            return vec![PublicationJson { id, event, deliveries: Vec::new() }];
        }
        let all: Vec<&DeliveryState> = self.made.iter().chain(&self.rest).collect();
        all.chunk_by(|a, b| a.delivery.publication.id == b.delivery.publication.id)
            .map(|of_one| {
                let Publication { id, event, .. } = &*of_one[0].delivery.publication;
                PublicationJson { id, event, deliveries: of_one.to_vec() }
            })
            .collect()
    }
}

/// A publication as JSON.
#[derive(Serialize)]
struct PublicationJson<'a> {
    id: &'a str,
    event: &'a str,
    deliveries: Vec<&'a DeliveryState>,
}

/// What was not tried has no result's keys.
impl Serialize for DeliveryState {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { delivery, state, outcome } = self;
        let mut map = to.serialize_map(None)?;
        put(&mut map, "hook", Some(delivery.hook.id))?;
        put(&mut map, "url", Some(&delivery.hook.url))?;
        put(&mut map, "delivered", Some(*state == State::Delivered))?;
        put(&mut map, "state", Some(state.word()))?;
        put_result(&mut map, outcome.as_ref())?;
        map.end()
    }
}
