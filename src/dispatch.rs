//! What `publish`, `run`, `test` and `redeliver` share: deliver, journal each outcome, merge them into
//! the registry, say how it went.

pub(crate) mod matching;
mod merge;
mod recorder;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::cli::SettledLimits;
use crate::commands::Context;
use crate::delivery::{self, Channel, Ended, Limits, Order};
use crate::domain::hook::Hook;
use crate::domain::publication::{Outcome, Publication};
use crate::exit::Exit;
use crate::output::json::{self, PublicationView};
use crate::output::progress::Progress;
use crate::signals;
use crate::store::file::Patience;
use crate::store::journal::{Appended, Journal};
use crate::store::registry::Registry;
use recorder::Recorder;

/// The merge waits for the lock at least this long, however little of the deadline is left.
const MERGE_PATIENCE: Duration = Duration::from_secs(2);
/// Journalling waits for the lock at most this long, and then goes on without it.
const JOURNAL_PATIENCE: Duration = Duration::from_secs(5);
/// … or hardly at all, where waiting is no use or nobody has the time.
const SHORT_PATIENCE: Duration = Duration::from_millis(200);

/// Writing the last outcomes may take this long past the deadline.
const LAST_WORDS: Duration = Duration::from_millis(300);

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

/// A set of deliveries to make under one deadline.
pub(crate) struct Sending<'a> {
    context: &'a Context,
    registry: &'a Registry,
    journal: Journal,
    limits: Limits,
    results: Results,
    journal_works: bool,
    /// The lock could not be had: it is not waited for again and again.
    locked_out: AtomicBool,
}

/// How it went.
pub(crate) struct Sent {
    pub(crate) orders: Vec<Order>,
    outcomes: Vec<Option<Outcome>>,
    ended: Ended,
    deadline: Instant,
}

impl<'a> Sending<'a> {
    /// The deadline counts from this moment: the input has been read.
    pub(crate) fn new(
        context: &'a Context,
        registry: &'a Registry,
        limits: SettledLimits,
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
            locked_out: AtomicBool::new(false),
        }
    }

    /// The journal.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The deadline, on the clock that other processes read, and the moment after it in which the last
    /// outcomes are written.
    pub(crate) fn deadline(&self) -> DateTime<Utc> {
        let left = self.left() + LAST_WORDS;
        Utc::now() + chrono::TimeDelta::from_std(left).unwrap_or(chrono::TimeDelta::MAX)
    }

    /// Journals a new publication, and delivers it to these hooks. A journal that cannot be written
    /// does not keep the event from its hooks: that is said, and it is delivered all the same.
    pub(crate) fn publish(
        mut self,
        publication: Publication,
        hooks: Vec<Hook>,
        channel: Channel,
    ) -> Sent {
        let targets: Vec<(u64, &str)> = hooks.iter().map(|hook| (hook.id, &*hook.url)).collect();
        let cut = channel.cut();
        let patience = Patience::of(self.journal_patience()).unless(&cut);
        let begun = self
            .journal
            .begin(&publication, &targets, self.deadline(), patience);
        self.journal_works = begun.is_ok();
        match begun {
            Ok(appended) => self.warn_of(&appended),
            Err(error) => self.context.output.warning(format!(
                "{error:#}; it is delivered all the same, but what fails now may not be sent again"
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
    pub(crate) fn deliver(self, orders: Vec<Order>, channel: Channel) -> Sent {
        let cut = channel.cut();
        let mut recorder = Recorder {
            sending: &self,
            orders: &orders,
            outcomes: vec![None; orders.len()],
            progress: Progress::new(!self.context.output.quiet),
            journal_works: self.journal_works,
            cut: Arc::clone(&cut),
        };
        let ended = delivery::deliver(&orders, &self.limits, channel, &mut recorder);
        recorder.progress.clear();
        let (outcomes, journal_works) = (recorder.outcomes, recorder.journal_works);
        if matches!(ended, Ended::Interrupted(_)) && journal_works {
            self.leave(&orders, &outcomes, &cut);
        }
        self.merge(&orders, &outcomes, journal_works, &cut);
        Sent {
            orders,
            outcomes,
            ended,
            deadline: self.limits.deadline,
        }
    }

    /// Another process need not wait for the deadline to take up what an interrupted one leaves.
    fn leave(&self, orders: &[Order], outcomes: &[Option<Outcome>], cut: &AtomicBool) {
        let mut left: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (order, outcome) in orders.iter().zip(outcomes) {
            if outcome.is_none() {
                left.entry(&order.publication.id)
                    .or_default()
                    .push(order.hook.id);
            }
        }
        // Without it, the deadline says the same a little later.
        let _ = self
            .journal
            .leave(&left, Patience::of(SHORT_PATIENCE).unless(cut));
    }

    fn merge(
        &self,
        orders: &[Order],
        outcomes: &[Option<Outcome>],
        journal_works: bool,
        cut: &AtomicBool,
    ) {
        let news = merge::news(orders, outcomes);
        if news.is_empty() {
            return;
        }
        let patience = Patience::of(self.left().max(MERGE_PATIENCE)).unless(cut);
        let merged = self
            .registry
            .update_within(patience, |contents| Ok(merge::merge(contents, &news)));
        if let Err(error) = merged {
            let journalled = if journal_works {
                "; the outcomes are in the journal"
            } else {
                ""
            };
            self.context
                .output
                .warning(format!("{error:#}{journalled}"));
        }
    }

    /// How long an append to the journal waits for the lock.
    fn journal_patience(&self) -> Duration {
        if self.locked_out.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        (self.left() / 2).clamp(SHORT_PATIENCE, JOURNAL_PATIENCE)
    }

    /// How much of the deadline is left.
    pub(crate) fn left(&self) -> Duration {
        self.limits
            .deadline
            .saturating_duration_since(Instant::now())
    }

    /// Says once that the lock could not be had, and remembers it: the deliveries do not wait for it
    /// again.
    fn warn_of(&self, appended: &Appended) {
        let output = self.context.output;
        if let Some(why) = &appended.unlocked
            && !self.locked_out.swap(true, Ordering::Relaxed)
        {
            output.warning(format!("{why}; journalled without it"));
        }
        if let Some(why) = &appended.not_compacted {
            output.warning(why);
        }
    }
}

impl Sent {
    /// Prints JSON at the end. Whoever has closed standard output does not want it.
    pub(crate) fn print_json(&self, context: &Context, view: &impl serde::Serialize) {
        context
            .output
            .deliveries(&json::pretty(view), self.deadline);
    }

    /// The publications, each with those of its deliveries that have an outcome.
    pub(crate) fn views(&self) -> Vec<PublicationView<'_>> {
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
    pub(crate) fn view<'s>(&'s self, publication: &'s Publication) -> PublicationView<'s> {
        let pairs = self.orders.iter().zip(&self.outcomes);
        let mine = pairs.filter(move |(order, _)| order.publication.id == publication.id);
        let ended = mine.filter_map(|(order, o)| Some((&*order.hook, o.as_ref()?)));
        PublicationView::new(publication, ended)
    }

    /// The exit code: interrupted, undelivered, or done.
    pub(crate) fn exit(&self) -> Exit {
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
pub(crate) fn interruptible() -> Channel {
    let channel = Channel::new();
    let interrupt = channel.interrupter();
    signals::on_interrupt(move |caught| interrupt(caught.signal));
    channel
}
