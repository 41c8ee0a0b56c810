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
use chrono::Utc;

use crate::delivery::{FanOut, Update};
use crate::domain::hook::Hook;
use crate::domain::limits::Limits;
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::interrupt::Interrupt;
use crate::output::progress::Progress;
use crate::output::{Output, Stream, outcome};
use crate::security::escape::escape;
use crate::signals;
use crate::store::file::Patience;
use crate::store::journal::{Claim, Journal, State};
use crate::store::registry::Registry;
use journaling::Journaling;

pub(crate) use matching::Audience;
pub(crate) use redelivery::{Selected, Selection, preview};
pub(crate) use report::Report;

/// The merge waits for the lock at least this long, however little of the deadline is left.
const MERGE_WAIT: Duration = Duration::from_secs(2);

/// How often the progress line moves.
const TICK: Duration = Duration::from_millis(100);

/// Where the result lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Results {
    /// To standard output, as text.
    Text,
    /// To standard error: standard output is a command's.
    Aside,
    /// Nowhere: JSON follows at the end.
    Json,
}

impl Results {
    /// As `--json` wants it.
    pub(crate) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// How deliveries are made, and how that is told.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// How much is said.
    pub(crate) output: Output,
    /// How long to try.
    pub(crate) limits: Limits,
    /// Where the result lines go.
    pub(crate) results: Results,
    /// How the program is called for this registry, for hints: `hooks`, or with `--file PATH`.
    pub(crate) program: String,
}

/// A delivery that this run does not make, what has become of it, and how its last try ended.
pub(crate) type Unsent = (Delivery, State, Option<Outcome>);

/// Deliveries to make under one deadline.
pub(crate) struct Dispatch<'a> {
    setup: Setup,
    output: Output,
    registry: &'a Registry,
    deadline: Instant,
    interrupt: Interrupt,
    journaling: Journaling,
    /// Publications that are sent again: their result lines name what was deployed.
    again: bool,
}

impl<'a> Dispatch<'a> {
    /// The deadline counts from this moment: the input has been read.
    pub(crate) fn new(setup: Setup, registry: &'a Registry, interrupt: Interrupt) -> Self {
        let deadline = Instant::now() + setup.limits.deadline;
        let (journal, output) = (Journal::of(registry), setup.output);
        Self {
            setup,
            output,
            registry,
            deadline,
            journaling: Journaling::new(journal, output, deadline, interrupt.clone()),
            interrupt,
            again: false,
        }
    }

    /// Publishes to an audience, now or with `defer` later.
    pub(crate) fn send(
        self,
        publication: Publication,
        audience: Audience,
        defer: bool,
    ) -> Result<Report> {
        let Audience { hooks, held, .. } = audience;
        if hooks.is_empty() && held.is_empty() {
            return Ok(Report::nobody(publication, self.deadline));
        }
        if defer {
            return self.defer(publication, hooks, held);
        }
        Ok(self.publish(publication, hooks, held))
    }

    /// Journals a new publication, and delivers it to these hooks; for others it is held. A journal that
    /// cannot be written does not keep the event from its hooks: that is said, and it is delivered all
    /// the same.
    fn publish(mut self, publication: Publication, hooks: Vec<Hook>, held: Vec<Hook>) -> Report {
        self.journaling.begin(&publication, &hooks, &held);
        let publication = Arc::new(publication);
        let report = self.deliver(deliveries(&publication, hooks));
        report.waiting(deliveries_in(&publication, held, State::Held))
    }

    /// Sends what is left of a publication that was begun before.
    pub(crate) fn resume(mut self, selected: Selected) -> Report {
        self.again = true;
        self.deliver(selected.deliveries).waiting(selected.rest)
    }

    fn deliver(&mut self, deliveries: Vec<Delivery>) -> Report {
        let report = self.make(deliveries, None);
        self.say_next_step(&report);
        self.journaling.compact(false, true);
        report
    }

    /// Journals a sample for each of these hooks, and delivers them.
    pub(crate) fn test(mut self, samples: Vec<(Publication, Hook)>) -> Report {
        let mut deliveries = Vec::new();
        for (publication, hook) in samples {
            let hooks = std::slice::from_ref(&hook);
            self.journaling.begin(&publication, hooks, &[]);
            deliveries.push(Delivery { publication: Arc::new(publication), hook: Arc::new(hook) });
        }
        let report = self.make(deliveries, None);
        self.journaling.compact(false, true);
        report
    }

    /// Journals a new publication, to be sent by the next `redeliver --failed`. Once this returns, the
    /// event is on the disk.
    fn defer(
        mut self,
        publication: Publication,
        hooks: Vec<Hook>,
        held: Vec<Hook>,
    ) -> Result<Report> {
        self.journaling.defer(&publication, &hooks, &held)?;
        for hook in &hooks {
            self.print_line(&outcome::deferred(self.output, hook), false);
        }
        self.journaling.compact(false, true);
        let publication = Arc::new(publication);
        let mut waiting = deliveries_in(&publication, hooks, State::Deferred);
        waiting.extend(deliveries_in(&publication, held, State::Held));
        Ok(Report::new(Vec::new(), None, self.deadline).waiting(waiting))
    }

    /// Sends again what was selected.
    pub(crate) fn redeliver(mut self, selected: Selected) -> Report {
        self.again = true;
        let is_damaged = !selected.damaged.is_empty();
        if self.journaling.is_overgrown() {
            // A receiver that hangs must not leave the compaction without time for ever.
            let reserve = self.setup.limits.deadline / 4;
            self.setup.limits = self.setup.limits.less(reserve);
            self.deadline -= reserve;
        }
        let report = self.make(selected.deliveries, selected.claim);
        self.say_next_step(&report);
        self.journaling.compact(is_damaged, false);
        report
    }

    /// Makes deliveries that are in the journal already. `claim` is what was claimed for them as a
    /// whole; it is given back at the end.
    fn make(&mut self, deliveries: Vec<Delivery>, claim: Option<Claim>) -> Report {
        let deliveries: Arc<[Delivery]> = deliveries.into();
        let mut outcomes = vec![None; deliveries.len()];
        let mut progress = Progress::new(!self.output.quiet);
        let shared = Arc::clone(&deliveries);
        let mut fan_out = FanOut::new(shared, self.setup.limits, self.deadline, &self.interrupt);
        if progress.is_enabled() {
            fan_out.tick = Some(TICK);
        }
        while let Some(update) = fan_out.next() {
            if !matches!(update, Update::Waiting) {
                progress.clear();
            }
            match update {
                Update::Finished(batch) => {
                    let batch = self.journaling.record(&deliveries, batch);
                    for (number, outcome) in batch {
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
        let interrupted = fan_out.interrupted;
        let pairs = deliveries.iter().cloned().zip(outcomes).collect();
        let report = Report::new(pairs, interrupted, self.deadline);
        self.journaling.release(&report, claim);
        self.merge(&report);
        report
    }

    fn print(&self, delivery: &Delivery, outcome: &Outcome) {
        let Delivery { publication, hook } = delivery;
        let output = self.output;
        let mut line = outcome::line(output, hook, outcome);
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
        match self.setup.results {
            Results::Text => self.output.outcome(Stream::Stdout, line),
            Results::Aside => self.output.outcome(Stream::Stderr, line),
            Results::Json => {}
        }
    }

    /// Names what sends again what was not delivered, once.
    fn say_next_step(&self, report: &Report) {
        let program = &self.setup.program;
        let left = report.left();
        if left == 0 || !self.journaling.works() {
            return;
        }
        let untried = report.untried();
        if untried > 0 && report.interrupted().is_none() {
            let are = if untried == 1 { "delivery is" } else { "deliveries are" };
            let said =
                format!("{untried} {are} left for the next run: {program} redeliver --failed");
            // Nothing else has been said of these.
            if self.output.quiet {
                self.output.warning(said);
            } else {
                self.output.note(said);
            }
            return;
        }
        // The first failure is due again at once, a further one later.
        if self.again || report.all_must_wait(Utc::now()) {
            self.output.note(format!(
                "{left} not delivered, and due again later; a cron line sends what is due: \
                 */5 * * * * {program} -q redeliver --failed"
            ));
            return;
        }
        let note = format!("{left} not delivered; to send again: {program} redeliver --failed");
        self.output.note(note);
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

    fn merge(&self, report: &Report) {
        let outcomes = merge::outcomes_by_hook(report);
        if outcomes.is_empty() {
            return;
        }
        let wait =
            Patience::of(self.journaling.left().max(MERGE_WAIT)).unless(self.interrupt.flag());
        let merged =
            self.registry.update_within(wait, |file| Ok(merge::merge(file, &outcomes, Utc::now())));
        match merged {
            Ok(disabled) => {
                for id in disabled {
                    self.output.note(format!(
                        "hook {id} is disabled now: its receiver wants no more; to enable it: hooks edit {id} --enable"
                    ));
                }
            }
            Err(error) if self.journaling.works() => {
                let journaled = "the outcomes are in the journal";
                self.output.warning(format!("{error:#}; {journaled}"));
            }
            Err(error) => self.output.warning(format!("{error:#}")),
        }
    }
}

/// One delivery of the publication to each of these hooks.
fn deliveries(publication: &Arc<Publication>, hooks: Vec<Hook>) -> Vec<Delivery> {
    let delivery = |hook| Delivery { publication: Arc::clone(publication), hook: Arc::new(hook) };
    hooks.into_iter().map(delivery).collect()
}

fn deliveries_in(publication: &Arc<Publication>, hooks: Vec<Hook>, state: State) -> Vec<Unsent> {
    let deliveries = deliveries(publication, hooks).into_iter();
    deliveries.map(|delivery| (delivery, state, None)).collect()
}

/// An interrupt that SIGINT and SIGTERM raise from now on.
pub(crate) fn interruptible() -> Interrupt {
    let interrupt = Interrupt::default();
    let raised = interrupt.clone();
    signals::on_interrupt(move |caught| raised.raise(caught.signal));
    interrupt
}
