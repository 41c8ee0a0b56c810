//! What `publish`, `run`, `test` and `redeliver` share: deliver, journal each outcome, merge them into
//! the registry, say how it went.

use std::collections::{BTreeSet, HashMap};
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::Context;
use crate::cli;
use crate::delivery::{self, Channel, Ended, Limits, Observer, Order};
use crate::escape::escape;
use crate::exit::Exit;
use crate::hook::{Hook, LastDelivery, timestamp};
use crate::journal::{Appended, Journal};
use crate::output::json::PublicationView;
use crate::output::outcome;
use crate::output::progress::Progress;
use crate::publication::{Outcome, Publication};
use crate::registry::{Change, Contents, Registry};
use crate::signals;

/// The merge waits for the lock at least this long, however little of the deadline is left.
const MERGE_PATIENCE: Duration = Duration::from_secs(2);
/// Journalling waits for the lock at most this long, and then goes on without it.
const JOURNAL_PATIENCE: Duration = Duration::from_secs(5);
/// `last_context` is cut at this many bytes (DESIGN §3).
const LONGEST_CONTEXT: usize = 64 * 1024;
/// How often the progress line moves.
const TICK: Duration = Duration::from_millis(100);

/// Where the result lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Results {
    /// To standard output, as text.
    Text,
    /// To standard error: standard output is a command's.
    Aside,
    /// Nowhere: JSON follows at the end.
    Json,
}

/// A set of deliveries to make under one deadline.
pub(super) struct Sending<'a> {
    context: &'a Context,
    registry: &'a Registry,
    journal: Journal,
    limits: Limits,
    results: Results,
    journal_works: bool,
}

/// How it went.
pub(super) struct Sent {
    pub(super) orders: Vec<Order>,
    outcomes: Vec<Option<Outcome>>,
    ended: Ended,
}

impl<'a> Sending<'a> {
    /// The deadline counts from this moment: the input has been read.
    pub(super) fn new(
        context: &'a Context,
        registry: &'a Registry,
        limits: &cli::Limits,
        results: Results,
    ) -> Self {
        let limits = Limits {
            timeout: limits.timeout,
            retries: limits.retries,
            deadline: Instant::now() + limits.deadline,
            allowed: limits.deadline,
            jobs: limits.jobs.get(),
        };
        let journal = Journal::of(registry);
        Self {
            context,
            registry,
            journal,
            limits,
            results,
            journal_works: true,
        }
    }

    /// The journal.
    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The deadline, on the clock that other processes read.
    pub(super) fn deadline(&self) -> DateTime<Utc> {
        let left = self.left();
        Utc::now() + chrono::TimeDelta::from_std(left).unwrap_or(chrono::TimeDelta::MAX)
    }

    /// Journals a new publication, and delivers it to these hooks. A journal that cannot be written
    /// does not keep the event from its hooks: that is said, and it is delivered all the same.
    pub(super) fn publish(
        mut self,
        publication: Publication,
        hooks: Vec<Hook>,
        channel: Channel,
    ) -> Sent {
        let targets: Vec<(u64, &str)> = hooks.iter().map(|hook| (hook.id, &*hook.url)).collect();
        let patience = (self.left() / 2).min(JOURNAL_PATIENCE);
        let begun = self
            .journal
            .begin(&publication, &targets, self.deadline(), patience);
        self.journal_works = begun.is_ok();
        match begun {
            Ok(appended) => self.warn_of(&appended),
            Err(error) => self.context.output.warning(format!(
                "{error:#}; it is delivered all the same, but what fails now is not sent again"
            )),
        }
        let publication = Arc::new(publication);
        let order = |hook| Order {
            publication: Arc::clone(&publication),
            hook: Arc::new(hook),
        };
        self.deliver(hooks.into_iter().map(order).collect(), channel)
    }

    /// Makes these deliveries, which are journalled already.
    pub(super) fn deliver(self, orders: Vec<Order>, channel: Channel) -> Sent {
        let mut recorder = Recorder {
            sending: &self,
            orders: &orders,
            outcomes: vec![None; orders.len()],
            progress: Progress::new(!self.context.output.quiet),
            journal_works: self.journal_works,
        };
        let ended = delivery::deliver(&orders, &self.limits, channel, &mut recorder);
        recorder.progress.clear();
        let outcomes = recorder.outcomes;
        self.merge(&orders, &outcomes);
        Sent {
            orders,
            outcomes,
            ended,
        }
    }

    /// Merges how it went into the hooks that still exist with the same URL.
    fn merge(&self, orders: &[Order], outcomes: &[Option<Outcome>]) {
        let mut news: HashMap<u64, Vec<News>> = HashMap::new();
        for (order, outcome) in orders.iter().zip(outcomes) {
            if let Some(outcome) = outcome {
                news.entry(order.hook.id)
                    .or_default()
                    .push(News { order, outcome });
            }
        }
        if news.is_empty() {
            return;
        }
        let patience = self.left().max(MERGE_PATIENCE);
        let merged = self
            .registry
            .update_within(patience, |contents| Ok(merge(contents, &news)));
        if let Err(error) = merged {
            let journalled = if self.journal_works {
                "; the outcomes are in the journal"
            } else {
                ""
            };
            self.context
                .output
                .warning(format!("{error:#}{journalled}"));
        }
    }

    fn left(&self) -> Duration {
        self.limits
            .deadline
            .saturating_duration_since(Instant::now())
    }

    fn warn_of(&self, appended: &Appended) {
        if let Some(why) = &appended.unlocked {
            self.context
                .output
                .warning(format!("{why}; journalled without it"));
        }
        if let Some(why) = &appended.not_compacted {
            self.context.output.warning(why);
        }
    }
}

/// One outcome for a hook's `last_*`.
struct News<'a> {
    order: &'a Order,
    outcome: &'a Outcome,
}

fn merge(contents: &mut Contents, news: &HashMap<u64, Vec<News>>) -> Change<()> {
    let mut changed = false;
    for hook in &mut contents.hooks {
        for News { order, outcome } in news.get(&hook.id).into_iter().flatten() {
            if hook.url == order.hook.url {
                hook.last.merge(&last_delivery(&order.publication, outcome));
                disable_if_gone(hook, outcome);
                changed = true;
            }
        }
    }
    if changed {
        Change::Save(())
    } else {
        Change::Keep(())
    }
}

fn last_delivery(publication: &Publication, outcome: &Outcome) -> LastDelivery {
    let content = &publication.content;
    LastDelivery {
        datetime: Some(timestamp(outcome.time)),
        status: Some(outcome.status.clone()),
        code: outcome.code,
        reason: Some(outcome.reason.clone()),
        context: Some(content[..content.floor_char_boundary(LONGEST_CONTEXT)].to_owned()),
    }
}

/// 410: the receiver wants no more of it (Standard Webhooks, "Responding to a webhook").
fn disable_if_gone(hook: &mut Hook, outcome: &Outcome) {
    if outcome.is_gone() && hook.enabled {
        hook.enabled = false;
        let time = timestamp(outcome.time);
        hook.disabled_reason = Some(format!("410 Gone at {time}: {}", outcome.reason));
    }
}

/// Journals and prints outcomes as they come.
struct Recorder<'a> {
    sending: &'a Sending<'a>,
    orders: &'a [Order],
    outcomes: Vec<Option<Outcome>>,
    progress: Progress,
    journal_works: bool,
}

impl Recorder<'_> {
    fn journal(&mut self, batch: &[(usize, Outcome)]) {
        if !self.journal_works {
            return;
        }
        let record = |(order, outcome): &'_ (usize, Outcome)| {
            let Order { publication, hook } = &self.orders[*order];
            (Arc::clone(publication), hook.id, outcome.clone())
        };
        let records: Vec<_> = batch.iter().map(record).collect();
        let records: Vec<_> = records
            .iter()
            .map(|(p, hook, o)| (&**p, *hook, o))
            .collect();
        let patience = self.sending.left().clamp(MERGE_PATIENCE, JOURNAL_PATIENCE);
        if let Err(error) = self.sending.journal.record(&records, patience) {
            self.journal_works = false;
            self.progress.clear();
            self.sending.context.output.warning(format!(
                "{error:#}; what was delivered now may be sent again"
            ));
        }
    }

    fn print(&self, order: usize, outcome: &Outcome) {
        let output = self.sending.context.output;
        let hook = &self.orders[order].hook;
        if !(output.quiet && outcome.delivered) {
            let line = outcome::line(output, hook, outcome);
            // A push client that has gone changes nothing.
            let _ = match self.sending.results {
                Results::Text => output.result(line),
                Results::Aside => writeln!(anstream::stderr().lock(), "{line}"),
                Results::Json => Ok(()),
            };
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

    fn retrying(&mut self, order: usize, attempt: u32, reason: &str, wait: Duration) {
        self.progress.clear();
        self.sending.context.output.detail(format!(
            "hook {}: attempt {attempt} failed: {}; trying again in {}",
            self.orders[order].hook.id,
            escape(reason),
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

impl Sent {
    /// Prints the publications as JSON: one, or an array for `redeliver`.
    pub(super) fn views(&self) -> Vec<PublicationView<'_>> {
        let mut publications: Vec<&Arc<Publication>> = Vec::new();
        for order in &self.orders {
            if !publications
                .iter()
                .any(|known| known.id == order.publication.id)
            {
                publications.push(&order.publication);
            }
        }
        publications
            .iter()
            .map(|publication| self.view(publication))
            .collect()
    }

    /// A publication with those of its deliveries that have an outcome.
    pub(super) fn view<'s>(&'s self, publication: &'s Publication) -> PublicationView<'s> {
        let pairs = self.orders.iter().zip(&self.outcomes);
        let mine = pairs.filter(move |(order, _)| order.publication.id == publication.id);
        let ended = mine.filter_map(|(order, o)| Some((&*order.hook, o.as_ref()?)));
        PublicationView::new(publication, ended)
    }

    /// The exit code: interrupted, undelivered, or done.
    pub(super) fn exit(&self) -> Exit {
        if let Ended::Interrupted(signal) = self.ended {
            return Exit::Interrupted(u8::try_from(signal).unwrap_or_default());
        }
        let delivered = |o: &Option<Outcome>| o.as_ref().is_some_and(|o| o.delivered);
        if self.outcomes.iter().all(delivered) {
            Exit::Done
        } else {
            Exit::Undelivered
        }
    }
}

/// A channel that SIGINT and SIGTERM interrupt.
pub(super) fn interruptible() -> Channel {
    let channel = Channel::new();
    let interrupt = channel.interrupter();
    signals::on_interrupt(move |caught| interrupt(caught.signal));
    channel
}

/// Prints JSON at the end of a publish: whoever has closed standard output does not want it.
pub(super) fn print_json(context: &Context, view: &impl serde::Serialize) {
    let _ = context.output.result(crate::output::json::pretty(view));
}
