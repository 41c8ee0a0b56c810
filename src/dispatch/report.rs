//! How deliveries went: the exit code, and the answer of `--json`.

use std::time::Instant;

use chrono::{DateTime, Utc};

use super::Unsent;
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::exit::Exit;
use crate::output::Output;
use crate::output::json::{self, PublicationView};
use crate::store::journal::State;

/// How deliveries went.
#[derive(Debug)]
pub(crate) struct Report {
    deliveries: Vec<(Delivery, Option<Outcome>)>,
    /// What is held or deferred, and what other runs have done.
    waiting: Vec<Unsent>,
    /// A publication without a hook.
    unheard: Option<Publication>,
    interrupted: Option<i32>,
    deadline: Instant,
}

impl Report {
    /// Each delivery with its outcome, if it has one; the signal that cut them short, if one did.
    pub(super) fn new(
        deliveries: Vec<(Delivery, Option<Outcome>)>,
        interrupted: Option<i32>,
        deadline: Instant,
    ) -> Self {
        Self { deliveries, waiting: Vec::new(), unheard: None, interrupted, deadline }
    }

    /// A publication that nobody waits for.
    pub(super) fn nobody(publication: Publication, deadline: Instant) -> Self {
        let report = Self::new(Vec::new(), None, deadline);
        Self { unheard: Some(publication), ..report }
    }

    /// With what this run does not send.
    pub(super) fn waiting(mut self, waiting: Vec<Unsent>) -> Self {
        self.waiting = waiting;
        self
    }

    /// How many deliveries were to be made and were not.
    pub(super) fn left(&self) -> usize {
        let undelivered =
            |outcome: &Option<Outcome>| !outcome.as_ref().is_some_and(|o| o.delivered);
        self.deliveries.iter().filter(|(_, o)| undelivered(o)).count()
    }

    /// How many deliveries have no outcome: their turn did not come, or another process is at them.
    pub(super) fn untried(&self) -> usize {
        self.deliveries.iter().filter(|(_, o)| o.is_none()).count()
    }

    /// Whether every receiver that did not take it has asked to be left alone for a while.
    pub(super) fn all_must_wait(&self, now: DateTime<Utc>) -> bool {
        let mut outcomes = self.deliveries.iter().map(|(_, outcome)| outcome.as_ref());
        outcomes.all(|outcome| {
            outcome.is_some_and(|o| o.delivered || o.not_before.is_some_and(|until| now < until))
        })
    }

    /// Each delivery with its outcome, if it has one.
    pub(super) fn deliveries(&self) -> &[(Delivery, Option<Outcome>)] {
        &self.deliveries
    }

    /// The signal that cut the deliveries short, if one did.
    pub(super) fn interrupted(&self) -> Option<i32> {
        self.interrupted
    }

    /// The exit code: interrupted, undelivered, or done. What another run is still at is not done.
    pub(crate) fn exit(&self) -> Exit {
        if let Some(signal) = self.interrupted {
            return Exit::Interrupted(u8::try_from(signal).unwrap_or_default());
        }
        let pending = |(_, state, _): &Unsent| *state == State::Pending;
        if self.left() == 0 && !self.waiting.iter().any(pending) {
            Exit::Done
        } else {
            Exit::Undelivered
        }
    }

    /// Prints the one publication as JSON.
    pub(crate) fn print_publication(&self, output: Output) {
        let unheard = self.unheard.as_ref();
        let unheard = unheard.map(|p| PublicationView::new(p, std::iter::empty()));
        if let Some(view) = self.views().first().or(unheard.as_ref()) {
            output.deliveries(&json::pretty(view), self.reader_deadline());
        }
    }

    /// Prints the publications as a JSON array.
    pub(crate) fn print_publications(&self, output: Output) {
        output.deliveries(&json::pretty(&self.views()), self.reader_deadline());
    }

    /// Until when a reader that has stopped is waited for: where nothing was sent, for no time.
    fn reader_deadline(&self) -> Instant {
        if self.deliveries.is_empty() { Instant::now() } else { self.deadline }
    }

    /// The publications in the order they were delivered, each with its deliveries.
    fn views(&self) -> Vec<PublicationView<'_>> {
        let made = self.deliveries.iter().map(|(delivery, outcome)| {
            let state = match outcome {
                Some(outcome) if outcome.delivered => State::Delivered,
                Some(_) => State::Failed,
                None => State::Unfinished,
            };
            (delivery, state, outcome.as_ref())
        });
        let waiting = self.waiting.iter();
        let waiting = waiting.map(|(delivery, state, o)| (delivery, *state, o.as_ref()));
        let all: Vec<_> = made.chain(waiting).collect();
        // The deliveries of one publication stand together.
        all.chunk_by(|a, b| a.0.publication.id == b.0.publication.id).map(view).collect()
    }
}

fn view<'a>(deliveries: &[(&'a Delivery, State, Option<&'a Outcome>)]) -> PublicationView<'a> {
    let publication: &'a Publication = &deliveries[0].0.publication;
    let deliveries = deliveries.iter();
    let deliveries = deliveries.map(|(delivery, state, o)| (&*delivery.hook, *state, *o));
    PublicationView::new(publication, deliveries)
}
