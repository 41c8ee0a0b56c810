//! Writing the journal while deliveries are made: what fails is said once, and stops nothing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::report::Report;
use crate::domain::hook::{Hook, HookId};
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::store::file::LockWait;
use crate::store::journal::{Appended, Claim, Journal};

/// The longest wait for the lock, after which the journal is written without it.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The wait for the lock where hardly any time is left.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);

/// The journal of one set of deliveries.
pub(super) struct Journaling {
    journal: Journal,
    output: Output,
    deadline: Instant,
    interrupt: Interrupt,
    /// What was written last could be written.
    works: bool,
    /// The lock could not be had: it is not waited for again and again.
    locked_out: bool,
}

impl Journaling {
    pub(super) fn new(
        journal: Journal,
        output: Output,
        deadline: Instant,
        interrupt: Interrupt,
    ) -> Self {
        Self {
            journal,
            output,
            deadline,
            interrupt,
            works: true,
            locked_out: false,
        }
    }

    /// Whether the journal has what was given to it.
    pub(super) fn works(&self) -> bool {
        self.works
    }

    /// Writes a new publication for these hooks.
    pub(super) fn begin(
        &mut self,
        publication: &Publication,
        hooks: &[Hook],
        deadline: DateTime<Utc>,
    ) {
        let begun = self
            .journal
            .begin(publication, hooks, deadline, self.lock_wait());
        self.works = begun.is_ok();
        match begun {
            Ok(appended) => self.warn_of(&appended),
            Err(error) => self.output.warning(format!(
                "{error:#}; it is delivered all the same, but what fails now may not be sent again"
            )),
        }
    }

    /// Writes outcomes, by the deliveries' numbers. A journal that failed before is tried again: its
    /// disk may have room now, and an outcome of a publication that did get there must not be missing.
    pub(super) fn record(&mut self, deliveries: &[Delivery], batch: &[(usize, Outcome)]) {
        let outcomes: Vec<_> = batch
            .iter()
            .map(|(number, outcome)| (&deliveries[*number], outcome))
            .collect();
        match self.journal.record(&outcomes, self.lock_wait()) {
            Ok(appended) => self.warn_of(&appended),
            Err(error) if std::mem::take(&mut self.works) => self.output.warning(format!(
                "{error:#}; what was delivered now may be sent again"
            )),
            Err(_) => {}
        }
    }

    /// Gives back what has no outcome, so that another process need not wait for the deadline to take
    /// it up.
    pub(super) fn release(&self, report: &Report, claim: Option<Claim>) {
        let claims: Vec<Claim> = match claim {
            Some(claim) => vec![claim],
            None if report.interrupted().is_some() => left(report),
            None => return,
        };
        if self.works && !claims.is_empty() {
            let wait = LockWait::at_most(SHORTEST_WAIT).unless(self.interrupt.flag());
            // Without it, the deadline says the same a little later.
            let _ = self.journal.release(&claims, wait);
        }
    }

    /// How long an append waits for the lock.
    fn lock_wait(&self) -> LockWait<'_> {
        if self.locked_out {
            return LockWait::at_most(Duration::ZERO);
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        let at_most = (left / 2).clamp(SHORTEST_WAIT, LONGEST_WAIT);
        LockWait::at_most(at_most).unless(self.interrupt.flag())
    }

    /// Says once that the lock could not be had.
    fn warn_of(&mut self, appended: &Appended) {
        if let Some(why) = &appended.unlocked
            && !std::mem::replace(&mut self.locked_out, true)
        {
            self.output.warning(format!("{why}; journalled without it"));
        }
        if let Some(why) = &appended.not_compacted {
            self.output.warning(why);
        }
    }
}

/// The deliveries without an outcome, by publication.
fn left(report: &Report) -> Vec<Claim> {
    let mut left: BTreeMap<&str, Vec<HookId>> = BTreeMap::new();
    for (delivery, outcome) in report.deliveries() {
        if outcome.is_none() {
            let id = delivery.publication.id.as_str();
            left.entry(id).or_default().push(delivery.hook.id);
        }
    }
    left.into_iter()
        .map(|(id, hooks)| Claim::Publication(id.to_owned(), hooks))
        .collect()
}
