//! What `publish`, `run`, `test` and `redeliver` share: journal, deliver, journal each outcome, merge
//! them into the registry, say how it went.

mod journaling;
mod matching;
mod merge;
mod redelivery;
mod report;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::delivery::{FanOut, Update};
use crate::domain::hook::Hook;
use crate::domain::limits::Limits;
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::interrupt::Interrupt;
use crate::output::progress::Progress;
use crate::output::{Output, Stream, outcome};
use crate::signals;
use crate::store::file::LockWait;
use crate::store::journal::{Claim, Journal};
use crate::store::registry::Registry;
use journaling::Journaling;

pub(crate) use matching::matching;
pub(crate) use redelivery::Selection;
pub(crate) use report::Report;

/// The merge waits for the lock at least this long, however little of the deadline is left.
const MERGE_WAIT: Duration = Duration::from_secs(2);

/// Writing the last outcomes may take this long past the deadline.
const LAST_OUTCOMES: Duration = Duration::from_millis(300);

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

/// Deliveries to make under one deadline.
pub(crate) struct Dispatch<'a> {
    output: Output,
    registry: &'a Registry,
    limits: Limits,
    deadline: Instant,
    results: Results,
    interrupt: Interrupt,
    journaling: Journaling,
}

impl<'a> Dispatch<'a> {
    /// The deadline counts from this moment: the input has been read.
    pub(crate) fn new(
        output: Output,
        registry: &'a Registry,
        limits: Limits,
        results: Results,
        interrupt: Interrupt,
    ) -> Self {
        let deadline = Instant::now() + limits.deadline;
        let journal = Journal::of(registry);
        Self {
            output,
            registry,
            limits,
            deadline,
            results,
            journaling: Journaling::new(journal, output, deadline, interrupt.clone()),
            interrupt,
        }
    }

    /// The deadline, on the clock that other processes read, and the moment after it in which the last
    /// outcomes are written.
    fn deadline(&self) -> DateTime<Utc> {
        let left = self.left() + LAST_OUTCOMES;
        Utc::now() + TimeDelta::from_std(left).unwrap_or(TimeDelta::MAX)
    }

    /// How much of the deadline is left.
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Journals a new publication, and delivers it to these hooks. A journal that cannot be written
    /// does not keep the event from its hooks: that is said, and it is delivered all the same.
    pub(crate) fn publish(mut self, publication: Publication, hooks: Vec<Hook>) -> Report {
        let deadline = self.deadline();
        self.journaling.begin(&publication, &hooks, deadline);
        let publication = Arc::new(publication);
        let delivery = |hook| Delivery {
            publication: Arc::clone(&publication),
            hook: Arc::new(hook),
        };
        self.deliver(hooks.into_iter().map(delivery).collect(), None)
    }

    /// Makes deliveries that are in the journal already. `claim` is what was claimed for them as a
    /// whole; it is given back at the end.
    pub(crate) fn deliver(mut self, deliveries: Vec<Delivery>, claim: Option<Claim>) -> Report {
        let deliveries: Arc<[Delivery]> = deliveries.into();
        let mut outcomes = vec![None; deliveries.len()];
        let mut progress = Progress::new(!self.output.quiet);
        let shared = Arc::clone(&deliveries);
        let mut fan_out = FanOut::new(shared, self.limits, self.deadline, &self.interrupt);
        if progress.is_enabled() {
            fan_out.tick(TICK);
        }
        while let Some(update) = fan_out.next() {
            if !matches!(update, Update::Waiting) {
                progress.clear();
            }
            match update {
                Update::Finished(batch) => {
                    self.journaling.record(&deliveries, &batch);
                    for (number, outcome) in batch {
                        self.print(&deliveries[number].hook, &outcome);
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
        let interrupted = fan_out.interrupted();
        let pairs = deliveries.iter().cloned().zip(outcomes).collect();
        let report = Report::new(pairs, interrupted, self.deadline);
        self.journaling.release(&report, claim);
        self.merge(&report);
        report
    }

    fn print(&self, hook: &Hook, outcome: &Outcome) {
        let output = self.output;
        if !(output.quiet && outcome.delivered) {
            let line = outcome::line(output, hook, outcome);
            match self.results {
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

    fn say_retry(&self, hook: &Hook, outcome: &Outcome, wait: Duration) {
        self.output.detail(format!(
            "hook {}: attempt {} failed: {}; trying again in {}",
            hook.id,
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
            "{} of {total} done, awaiting hook {}  {}",
            total - fan_out.left(),
            hook.id,
            self.output.url(&hook.url)
        ));
    }

    fn merge(&self, report: &Report) {
        let outcomes = merge::outcomes_by_hook(report);
        if outcomes.is_empty() {
            return;
        }
        let wait = LockWait::at_most(self.left().max(MERGE_WAIT)).unless(self.interrupt.flag());
        let merged = self
            .registry
            .update_within(wait, |file| Ok(merge::merge(file, &outcomes)));
        if let Err(error) = merged {
            let journaled = if self.journaling.works() {
                "; the outcomes are in the journal"
            } else {
                ""
            };
            self.output.warning(format!("{error:#}{journaled}"));
        }
    }
}

/// An interrupt that SIGINT and SIGTERM raise from now on.
pub(crate) fn interruptible() -> Interrupt {
    let interrupt = Interrupt::default();
    let raised = interrupt.clone();
    signals::on_interrupt(move |caught| raised.raise(caught.signal));
    interrupt
}
