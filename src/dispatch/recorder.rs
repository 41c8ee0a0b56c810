//! Journals and prints outcomes as they come.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{Results, Sending};
use crate::delivery::{Observer, Order};
use crate::domain::publication::Outcome;
use crate::output::progress::Progress;
use crate::output::{Stream, outcome};
use crate::store::file::Patience;

/// How often the progress line moves.
const TICK: Duration = Duration::from_millis(100);

/// Journals and prints outcomes as they come.
pub(super) struct Recorder<'a> {
    pub(super) sending: &'a Sending<'a>,
    pub(super) orders: &'a [Order],
    pub(super) outcomes: Vec<Option<Outcome>>,
    pub(super) progress: Progress,
    pub(super) journal_works: bool,
    pub(super) cut: Arc<AtomicBool>,
}

impl Recorder<'_> {
    /// A journal that failed before is tried again: its disk may have room now, and an outcome of a
    /// publication that did get there must not be missing.
    fn journal(&mut self, batch: &[(usize, Outcome)]) {
        let orders = self.orders;
        let records: Vec<_> = batch
            .iter()
            .map(|(order, outcome)| {
                let Order { publication, hook } = &orders[*order];
                (&**publication, hook.id, outcome)
            })
            .collect();
        let patience = Patience::of(self.sending.journal_patience()).unless(&self.cut);
        match self.sending.journal.record(&records, patience) {
            Ok(appended) => self.sending.warn_of(&appended),
            Err(error) if std::mem::take(&mut self.journal_works) => {
                self.progress.clear();
                let output = self.sending.context.output;
                output.warning(format!(
                    "{error:#}; what was delivered now may be sent again"
                ));
            }
            Err(_) => {}
        }
    }

    fn print(&self, order: usize, outcome: &Outcome) {
        let output = self.sending.context.output;
        let hook = &self.orders[order].hook;
        if !(output.quiet && outcome.delivered) {
            let line = outcome::line(output, hook, outcome);
            match self.sending.results {
                Results::Text => output.outcome(Stream::Stdout, &line),
                Results::Aside => output.outcome(Stream::Stderr, &line),
                Results::Json => {}
            }
        }
        if outcome.is_gone() && hook.enabled {
            output.note(format!(
                "hook {} is disabled now: its receiver wants no more; to enable it: hooks edit {} --enable",
                hook.id, hook.id
            ));
        }
    }
}

impl Observer for Recorder<'_> {
    fn finished(&mut self, batch: Vec<(usize, Outcome)>) {
        self.journal(&batch);
        self.progress.clear();
        for (order, outcome) in batch {
            self.print(order, &outcome);
            self.outcomes[order] = Some(outcome);
        }
    }

    fn retrying(&mut self, order: usize, outcome: &Outcome, wait: Duration) {
        self.progress.clear();
        self.sending.context.output.detail(format!(
            "hook {}: attempt {} failed: {}; trying again in {}",
            self.orders[order].hook.id,
            outcome.attempts,
            outcome::result(outcome),
            outcome::duration(wait)
        ));
    }

    fn tick(&self) -> Option<Duration> {
        self.progress.is_enabled().then_some(TICK)
    }

    fn waiting(&mut self, awaited: &BTreeSet<usize>, left: usize) {
        let Some(first) = awaited.first() else { return };
        let hook = &self.orders[*first].hook;
        let url = self.sending.context.output.url(&hook.url);
        let total = self.orders.len();
        let done = total - left;
        self.progress.draw(&format!(
            "{done} of {total} done, awaiting hook {}  {url}",
            hook.id
        ));
    }
}
