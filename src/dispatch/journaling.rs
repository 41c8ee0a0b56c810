//! Writing the journal while deliveries are made: what fails is said once, and stops nothing.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::Audience;
use super::report::Report;
use crate::domain::hook::{Hook, HookId};
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::interrupt::Interrupt;
use crate::output::{Output, plural};
use crate::store::file::{Lock, Patience};
use crate::store::journal::{Claim, Journal, Locking, State, Unlocked};

/// The longest wait for the lock, after which the journal is written without it.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The wait for the lock where hardly any time is left.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);

/// What is written at the end may take this long past the deadline.
const LAST_LINES: Duration = Duration::from_millis(300);

/// The journal of one set of deliveries.
pub(super) struct Journaling {
    journal: Journal,
    output: Output,
    deadline: Instant,
    /// When the deliveries were begun, and until when other processes leave them alone, by the clock that
    /// they all read.
    begun: DateTime<Utc>,
    claimed_until: DateTime<Utc>,
    interrupt: Interrupt,
    /// The publication is there already: it was begun under the lock.
    is_begun: bool,
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
            begun: Utc::now(),
            claimed_until: DateTime::<Utc>::MAX_UTC,
            interrupt,
            is_begun: false,
            works: true,
            locked_out: false,
        }
    }

    /// Whether the journal has what was given to it.
    pub(super) fn works(&self) -> bool {
        self.works
    }

    /// The deadline on the clock that other processes read, and the moment after it in which the last
    /// outcomes are written: until then the deliveries are this process's.
    pub(super) fn claim(&mut self) -> DateTime<Utc> {
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

    /// Writes a new publication for these hooks.
    pub(super) fn begin(&mut self, publication: &Publication, hooks: &[Hook], held: &[Hook]) {
        if self.is_begun {
            return;
        }
        let deadline = self.claim();
        let wait = Locking::Wait(self.lock_wait());
        let begun = self.journal.begin(publication, hooks, held, Some(deadline), wait);
        self.works = begun.is_ok();
        match begun {
            Ok(unlocked) => self.warn_of(unlocked),
            Err(error) => self.output.warning(format!(
                "{error:#}; it is delivered all the same, but what fails now may not be sent again"
            )),
        }
    }

    /// Writes a new publication that is to be sent later.
    pub(super) fn defer(
        &mut self,
        publication: &Publication,
        hooks: &[Hook],
        held: &[Hook],
    ) -> Result<()> {
        if self.is_begun {
            return Ok(());
        }
        let wait = Locking::Wait(self.lock_wait());
        let unlocked = self.journal.begin(publication, hooks, held, None, wait)?;
        self.warn_of(unlocked);
        Ok(())
    }

    /// Writes a new publication under the lock, for [`Self::begin`] or with `defer` for [`Self::defer`].
    pub(super) fn begin_locked(
        &mut self,
        publication: &Publication,
        audience: &Audience,
        defer: bool,
        lock: &Lock,
    ) -> Result<()> {
        let Audience { hooks, held, .. } = audience;
        let deadline = (!defer).then(|| self.claim());
        self.journal.begin(publication, hooks, held, deadline, Locking::Held(lock))?;
        self.is_begun = true;
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
                Err(error) if std::mem::take(&mut self.works) => self
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

    /// Gives back what has no outcome, so that another process need not wait for the deadline to take
    /// it up.
    pub(super) fn release(&self, report: &Report, claim: Option<Claim>) {
        let claims: Vec<Claim> = match claim {
            Some(claim) => vec![claim],
            None if report.untried() > 0 => left(report),
            None => return,
        };
        // Past the deadline they may be another process's.
        if self.works && !claims.is_empty() && Utc::now() < self.claimed_until {
            let wait = Patience::of(SHORTEST_WAIT).unless(self.interrupt.flag());
            // Without it, the deadline says the same a little later.
            let _ = self.journal.release(&claims, wait);
        }
    }

    /// How long an append waits for the lock.
    fn lock_wait(&self) -> Patience<'_> {
        if self.locked_out {
            return Patience::of(Duration::ZERO);
        }
        let at_most = (self.left() / 2).clamp(SHORTEST_WAIT, LONGEST_WAIT);
        Patience::of(at_most).unless(self.interrupt.flag())
    }

    /// Whether the journal is so long that a process that nobody waits for had better compact it.
    pub(super) fn is_overgrown(&self) -> bool {
        self.journal.is_overgrown(false)
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
        let wait = Patience::of(SHORTEST_WAIT).unless(self.interrupt.flag());
        match self.journal.compact(is_wanted, wait, &is_over) {
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
            && !std::mem::replace(&mut self.locked_out, true)
        {
            self.output.warning(format!("{why}; journalled without it"));
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
    left.into_iter().map(|(id, hooks)| Claim::new(Some(id.to_owned()), hooks)).collect()
}
