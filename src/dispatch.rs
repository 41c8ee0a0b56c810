//! What `publish`, `run`, `test` and `redeliver` share: journal, deliver, journal each outcome, merge
//! them into the registry, say how it went.

mod journaling;
mod matching;
mod merge;
mod redelivery;
mod report;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::delivery::{FanOut, Update};
use crate::domain::hook::Hook;
use crate::domain::limits::Limits;
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::interrupt::Interrupt;
use crate::output::progress::Progress;
use crate::output::{self, Output, Stream, outcome};
use crate::security::escape::escape;
use crate::signals;
use crate::store::journal::{Claim, Journal, State};
use crate::store::registry::Registry;

pub(crate) use matching::Audience;
pub(crate) use redelivery::{Selected, Selection, choose};
pub(crate) use report::{DeliveryState, Report};

/// How often the progress line moves.
const TICK: Duration = Duration::from_millis(100);

/// How deliveries are made, and how that is told.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// How much is said.
    pub(crate) output: Output,
    /// How long to try.
    pub(crate) limits: Limits,
    /// Where the result lines go; nowhere if JSON follows at the end.
    pub(crate) results: Option<Stream>,
    /// How the program is called for this registry, for hints: `hooks`, or with `--file PATH`.
    pub(crate) program: String,
}

/// Deliveries to make under one deadline.
pub(crate) struct Dispatch<'a> {
    setup: Setup,
    output: Output,
    registry: &'a Registry,
    journal: Journal,
    interrupt: Interrupt,
    deadline: Instant,
    /// When the deliveries were begun, and until when other processes leave them alone, by the clock that
    /// they all read.
    begun: DateTime<Utc>,
    claimed_until: DateTime<Utc>,
    /// What was journalled last could be written.
    journal_works: bool,
    /// How long the lock is waited for at most: once it could not be had, it is not waited for again.
    longest_wait: Duration,
    /// The publication is in the journal already: it was begun under the lock.
    is_begun: bool,
    /// Publications that are sent again: their result lines name what was deployed.
    again: bool,
}

impl<'a> Dispatch<'a> {
    /// The deadline counts from this moment: the input has been read.
    pub(crate) fn new(setup: Setup, registry: &'a Registry, interrupt: Interrupt) -> Self {
        Self {
            output: setup.output,
            registry,
            journal: Journal::of(registry),
            interrupt,
            deadline: Instant::now() + setup.limits.deadline,
            begun: Utc::now(),
            claimed_until: DateTime::<Utc>::MAX_UTC,
            journal_works: true,
            longest_wait: journaling::LONGEST_WAIT,
            is_begun: false,
            again: false,
            setup,
        }
    }

    /// Journals a new publication and delivers it, or with `defer` leaves it to the next `redeliver --failed`:
    /// then the event is on the disk once this returns.
    pub(crate) fn send(
        mut self,
        publication: Publication,
        audience: Audience,
        defer: bool,
    ) -> Result<Report> {
        if audience.is_empty() {
            return Ok(Report { unheard: Some(publication), ..self.report(Vec::new()) });
        }
        let Audience { hooks, held, .. } = audience;
        self.begin(&publication, &hooks, &held, defer)?;
        let publication = Arc::new(publication);
        let in_state = |hooks: Vec<Hook>, state| {
            let deliveries = hooks.into_iter().map(|hook| delivery(&publication, hook));
            deliveries.map(move |delivery| DeliveryState { delivery, state, outcome: None })
        };
        let mut report = if defer {
            for hook in &hooks {
                self.print_line(&outcome::deferred(self.output, hook), false);
            }
            let rest = in_state(hooks, State::Deferred).collect();
            Report { rest, ..self.report(Vec::new()) }
        } else {
            let deliveries = hooks.into_iter().map(|hook| delivery(&publication, hook));
            self.make(deliveries.collect(), &[])
        };
        report.rest.extend(in_state(held, State::Held));
        self.compact(false, true);
        Ok(report)
    }

    /// Journals a sample for each of these hooks, and delivers them.
    pub(crate) fn test(mut self, samples: Vec<(Publication, Hook)>) -> Result<Report> {
        let mut deliveries = Vec::new();
        for (publication, hook) in samples {
            self.begin(&publication, std::slice::from_ref(&hook), &[], false)?;
            deliveries.push(delivery(&Arc::new(publication), hook));
        }
        let report = self.make(deliveries, &[]);
        self.compact(false, true);
        Ok(report)
    }

    /// Sends what is left of a publication that was begun before.
    pub(crate) fn resume(mut self, selected: Selected) -> Report {
        self.again = true;
        let report = self.make(selected.deliveries, &[]);
        self.compact(false, true);
        Report { rest: selected.rest, ..report }
    }

    /// Sends again what was selected.
    pub(crate) fn redeliver(mut self, selected: Selected) -> Report {
        self.again = true;
        if self.journal.is_overgrown(false) {
            // A receiver that hangs must not leave the compaction without time for ever.
            let reserve = self.setup.limits.deadline / 4;
            self.setup.limits = self.setup.limits.less(reserve);
            self.deadline -= reserve;
        }
        let report = self.make(selected.deliveries, &selected.claims);
        self.compact(!selected.damaged.is_empty(), false);
        report
    }

    /// Makes deliveries that are in the journal already, claimed like this if they are sent again.
    fn make(&mut self, deliveries: Vec<Delivery>, claims: &[Claim]) -> Report {
        let deliveries: Arc<[Delivery]> = deliveries.into();
        let mut outcomes = vec![None; deliveries.len()];
        let mut progress = Progress::new(!self.output.quiet);
        let shared = Arc::clone(&deliveries);
        let mut fan_out = FanOut::new(shared, self.setup.limits, self.deadline, &self.interrupt);
        if progress.is_enabled {
            fan_out.tick = Some(TICK);
        }
        while let Some(update) = fan_out.next() {
            if !matches!(update, Update::Waiting) {
                progress.clear();
            }
            match update {
                Update::Finished(batch) => {
                    for (number, outcome) in self.record(&deliveries, batch) {
                        self.print(&deliveries[number], &outcome);
                        outcomes[number] = Some(outcome);
                    }
                }
                Update::Retrying(number, outcome, wait) => {
                    self.say_retry(&deliveries[number].hook, &outcome, wait);
                }
                Update::Waiting => self.draw(&mut progress, &fan_out, &deliveries),
            }
        }
        progress.clear();
        let made = deliveries.iter().cloned().zip(outcomes);
        let made = made.map(|(delivery, outcome)| DeliveryState::made(delivery, outcome)).collect();
        let report = Report { interrupted: fan_out.interrupted, ..self.report(made) };
        self.release(&report, claims);
        self.merge(&report);
        self.say_next_step(&report);
        report
    }

    fn report(&self, made: Vec<DeliveryState>) -> Report {
        let deadline = self.deadline;
        Report { made, rest: Vec::new(), unheard: None, interrupted: None, deadline }
    }

    fn print(&self, delivery: &Delivery, outcome: &Outcome) {
        let Delivery { publication, hook } = delivery;
        let mut line = outcome::line(self.output, hook, outcome);
        if self.again {
            let deployed = outcome::deployed(&publication.deployment);
            line = format!("{line}  {}  {deployed}", escape(&publication.event));
        }
        self.print_line(line.trim_end(), !outcome.delivered);
    }

    fn print_line(&self, line: &str, failed: bool) {
        if self.output.quiet && !failed {
            return;
        }
        if let Some(stream) = self.setup.results {
            stream.write_line(line, output::SHORT_WAIT);
        }
    }

    /// Names what sends again what was not delivered, once. Samples are not sent again by themselves.
    fn say_next_step(&self, report: &Report) {
        let is_real = |delivery: &&Delivery| !delivery.publication.test;
        let left = report.undelivered().filter(is_real).count();
        let untried = report.untried().filter(is_real).count();
        if left == 0 || !self.journal_works {
            return;
        }
        let again = format!("{} redeliver --failed", self.setup.program);
        if untried > 0 && report.interrupted.is_none() {
            let are = if untried == 1 { "delivery is" } else { "deliveries are" };
            let said = format!("{untried} {are} left for the next run: {again}");
            // Nothing else has been said of these.
            if self.output.quiet {
                self.output.warning(said);
            } else {
                self.output.note(said);
            }
        } else if self.again || report.all_must_wait(Utc::now()) {
            // The first failure is due again at once, a further one later.
            self.output.note(format!(
                "{left} not delivered, and due again later; a cron line sends what is due: \
                 */5 * * * * {} -q redeliver --failed",
                self.setup.program
            ));
        } else {
            self.output.note(format!("{left} not delivered; to send again: {again}"));
        }
    }

    fn say_retry(&self, hook: &Hook, outcome: &Outcome, wait: Duration) {
        self.output.detail(format!(
            "{}: attempt {} failed: {}; trying again in {}",
            hook.label(),
            outcome.attempts,
            outcome::result(outcome),
            outcome::duration(wait)
        ));
    }

    fn draw(&self, progress: &mut Progress, fan_out: &FanOut, deliveries: &[Delivery]) {
        let Some(first) = fan_out.awaited() else {
            return;
        };
        let hook = &deliveries[first].hook;
        let total = deliveries.len();
        progress.draw(&format!(
            "{} of {total} done, awaiting {}  {}",
            total - fan_out.left,
            hook.label(),
            self.output.url(&hook.url)
        ));
    }
}

fn delivery(publication: &Arc<Publication>, hook: Hook) -> Delivery {
    Delivery { publication: Arc::clone(publication), hook: Arc::new(hook) }
}

/// An interrupt that SIGINT and SIGTERM raise from now on.
pub(crate) fn interruptible() -> Interrupt {
    let interrupt = Interrupt::default();
    let raised = interrupt.clone();
    signals::on_interrupt(move |caught| raised.raise(caught.signal));
    interrupt
}
