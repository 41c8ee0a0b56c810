//! How deliveries went: the exit code, and the answer of `--json`.

use std::time::Instant;

use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::exit::Exit;
use crate::output::Output;
use crate::output::json::{self, PublicationView};

/// How deliveries went.
#[derive(Debug)]
pub(crate) struct Report {
    deliveries: Vec<(Delivery, Option<Outcome>)>,
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
        Self {
            deliveries,
            interrupted,
            deadline,
        }
    }

    /// Each delivery with its outcome, if it has one.
    pub(super) fn deliveries(&self) -> &[(Delivery, Option<Outcome>)] {
        &self.deliveries
    }

    /// The signal that cut the deliveries short, if one did.
    pub(super) fn interrupted(&self) -> Option<i32> {
        self.interrupted
    }

    /// The exit code: interrupted, undelivered, or done.
    pub(crate) fn exit(&self) -> Exit {
        if let Some(signal) = self.interrupted {
            return Exit::Interrupted(u8::try_from(signal).unwrap_or_default());
        }
        let delivered = |outcome: &Option<Outcome>| outcome.as_ref().is_some_and(|o| o.delivered);
        if self.deliveries.iter().all(|(_, o)| delivered(o)) {
            Exit::Done
        } else {
            Exit::Undelivered
        }
    }

    /// Prints the one publication as JSON, with those of its deliveries that have an outcome.
    pub(crate) fn print_publication(&self, output: Output) {
        if let Some(view) = self.views().first() {
            output.deliveries(&json::pretty(view), self.deadline);
        }
    }

    /// Prints the publications as a JSON array.
    pub(crate) fn print_publications(&self, output: Output) {
        output.deliveries(&json::pretty(&self.views()), self.deadline);
    }

    /// The publications in the order they were delivered, each with those of its deliveries that have
    /// an outcome.
    fn views(&self) -> Vec<PublicationView<'_>> {
        // The deliveries of one publication stand together.
        let same = |a: &(Delivery, _), b: &(Delivery, _)| a.0.publication.id == b.0.publication.id;
        let publications = self.deliveries.chunk_by(same);
        publications.map(view).collect()
    }
}

fn view(deliveries: &[(Delivery, Option<Outcome>)]) -> PublicationView<'_> {
    let publication: &Publication = &deliveries[0].0.publication;
    let ended = deliveries
        .iter()
        .filter_map(|(delivery, outcome)| Some((&*delivery.hook, outcome.as_ref()?)));
    PublicationView::new(publication, ended)
}
