//! Writing the journal while deliveries are made: what fails is said once, and stops nothing but
//! a publication that is only to be kept.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Dispatch, Report};
use crate::domain::hook::Hook;
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::output::plural;
use crate::store::file::Patience;
use crate::store::journal::{Claim, Locking, State, Unlocked};

/// The longest wait for the lock, after which the journal is written without it.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The wait for the lock where hardly any time is left.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);

/// What is written at the end may take this long past the deadline.
const LAST_LINES: Duration = Duration::from_millis(300);

impl Dispatch<'_> {
    /// Begins a claim. Until the moment that it gives, on the clock that other processes read, the deliveries
    /// are this process's: the deadline, and then the time in which the last outcomes are written.
    pub(super) fn claim_until(&mut self) -> DateTime<Utc> {
        let left = self.left() + LAST_LINES;
        self.begun = Utc::now();
        let until =
            self.begun.checked_add_signed(TimeDelta::from_std(left).unwrap_or(TimeDelta::MAX));
        self.claimed_until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.claimed_until
    }

    /// How much of the deadline is left.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Writes a new publication, unless it is there. A journal that cannot be written keeps the event from its
    /// hooks only where it is to `defer` it.
    pub(super) fn begin(
        &mut self,
        publication: &Publication,
        hooks: &[Hook],
        held: &[Hook],
        defer: bool,
    ) -> Result<()> {
        if self.is_begun {
            return Ok(());
        }
        let deadline = (!defer).then(|| self.claim_until());
        let wait = Locking::Wait(self.lock_wait());
        let begun = self.journal.begin(publication, hooks, held, deadline, wait);
        self.journal_works = begun.is_ok();
        match begun {
            Ok(unlocked) => self.warn_of(unlocked),
            Err(error) if defer => return Err(error),
            Err(error) => self.output.warning(format!(
                "{error:#}; it is delivered all the same, but what fails now may not be sent again"
            )),
        }
        Ok(())
    }

    /// Writes outcomes, by the deliveries' numbers, and gives what has become of the deliveries. A journal
    /// that failed before is tried again: its disk may have room now, and an outcome of a publication
    /// that did get there must not be missing.
    pub(super) fn record(
        &mut self,
        deliveries: &[Delivery],
        batch: Vec<(usize, Outcome)>,
    ) -> Vec<(usize, Outcome)> {
        let mut others = self.others(deliveries, &batch);
        let own = batch.iter().filter(|(n, _)| !others.contains_key(n));
        let own: Vec<_> = own.map(|(n, o)| (&deliveries[*n], o)).collect();
        if !own.is_empty() {
            match self.journal.record(&own, self.lock_wait()) {
                Ok(unlocked) => self.warn_of(unlocked),
                Err(error) if std::mem::take(&mut self.journal_works) => self
                    .output
                    .warning(format!("{error:#}; what was delivered now may be sent again")),
                Err(_) => {}
            }
        }
        let outcome = |(number, outcome)| match others.remove(&number) {
            Some(other) => Some((number, other?)),
            None => Some((number, outcome)),
        };
        batch.into_iter().filter_map(outcome).collect()
    }

    /// What another process says of deliveries that have failed here; nothing where it is still at one.
    /// It may have taken them up if this process was stopped past its deadline, and then its word counts.
    fn others(
        &self,
        deliveries: &[Delivery],
        batch: &[(usize, Outcome)],
    ) -> HashMap<usize, Option<Outcome>> {
        let now = Utc::now();
        if now <= self.claimed_until && Instant::now() <= self.deadline + LAST_LINES {
            return HashMap::new();
        }
        let failed = batch.iter().filter(|(_, outcome)| !outcome.delivered);
        let failed = failed.map(|(number, _)| (*number, &deliveries[*number]));
        let ids = failed.clone().map(|(_, d)| d.publication.id.as_str());
        let found = self.journal.find(ids.collect()).unwrap_or_default();
        let other = |(number, delivery): (usize, &Delivery)| {
            let recorded = found.get(&delivery.publication.id)?;
            let known = recorded.delivery(delivery.hook.id)?;
            if known.state(now) == State::Pending {
                return Some((number, None));
            }
            let outcome = known.outcome().filter(|other| other.time > self.begun)?;
            Some((number, Some(outcome.clone())))
        };
        failed.filter_map(other).collect()
    }

    /// Gives back what has no outcome, or what was claimed as a whole, so that another process need not wait
    /// for the deadline to take it up.
    pub(super) fn release(&self, report: &Report, claims: &[Claim]) {
        let left = match claims {
            [claim] if claim.id.is_none() => claims.to_vec(),
            _ => claims_of(report.untried()),
        };
        // Past the deadline they may be another process's.
        if self.journal_works && !left.is_empty() && Utc::now() < self.claimed_until {
            // Without it, the deadline says the same a little later.
            let _ = self.journal.release(&left, self.wait_at_most(SHORTEST_WAIT));
        }
    }

    /// How long an append waits for the lock.
    fn lock_wait(&self) -> Patience<'_> {
        self.wait_at_most((self.left() / 2).max(SHORTEST_WAIT).min(self.longest_wait))
    }

    /// So long, unless interrupted.
    pub(super) fn wait_at_most(&self, most: Duration) -> Patience<'_> {
        Patience::of(most).unless(self.interrupt.flag())
    }

    /// Compacts the journal if it is overgrown, or damaged, in what is left of the deadline. A process that
    /// `somebody_waits` for does what is quickly done.
    pub(super) fn compact(&self, is_damaged: bool, somebody_waits: bool) {
        if self.interrupt.signal().is_some() {
            return;
        }
        let until = self.deadline.max(Instant::now() + LAST_LINES);
        let is_over = || Instant::now() >= until || self.interrupt.signal().is_some();
        let is_wanted = || is_damaged || self.journal.is_overgrown(somebody_waits);
        match self.journal.compact(is_wanted, self.wait_at_most(SHORTEST_WAIT), &is_over) {
            Ok(None | Some(0)) => {}
            Ok(Some(damaged)) => {
                let journal = self.journal.path().display();
                self.output.warning(format!(
                    "moved {damaged} damaged line{} of the journal {journal} to {journal}.damaged",
                    plural(damaged)
                ));
            }
            Err(error) => self.output.warning(format!("{error:#}")),
        }
    }

    /// Says once that the lock could not be had.
    fn warn_of(&mut self, unlocked: Unlocked) {
        if let Some(why) = unlocked
            && !std::mem::take(&mut self.longest_wait).is_zero()
        {
            self.output.warning(format!("{why}; journalled without it"));
        }
    }
}

/// Deliveries as they are claimed one by one, by publication. Those of one stand together.
pub(super) fn claims_of<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Vec<Claim> {
    let deliveries: Vec<&Delivery> = deliveries.into_iter().collect();
    let claim = |of_one: &[&Delivery]| {
        let hooks = of_one.iter().map(|delivery| delivery.hook.id).collect();
        Claim::new(Some(of_one[0].publication.id.clone()), hooks)
    };
    deliveries.chunk_by(|a, b| a.publication.id == b.publication.id).map(claim).collect()
}
