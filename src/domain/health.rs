//! How the deliveries to a hook have gone of late (docs/design.md §2).

use std::time::Duration;

use chrono::{DateTime, Utc};

/// How many deliveries are shown one by one.
pub(crate) const SHOWN: usize = 20;

/// A delivery whose last try has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// When the last try ended.
    pub(crate) time: DateTime<Utc>,
    /// Whether that try delivered it.
    pub(crate) delivered: bool,
    /// How long that try took.
    pub(crate) duration: Duration,
    /// When the first try that failed ended, of those after which nothing was delivered.
    pub(crate) since: DateTime<Utc>,
    /// How many of its tries have failed, if it does.
    pub(crate) failures: u32,
}

/// A word for how a hook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The last delivery arrived.
    Ok,
    /// It did not.
    Failing,
    /// The hook gets no deliveries.
    Disabled,
    /// No delivery has ended of late.
    Idle,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Ok, Self::Failing, Self::Disabled, Self::Idle];

    /// The word for it, in text, JSON and metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Disabled => "disabled",
            Self::Idle => "idle",
        }
    }
}

/// The deliveries to one hook, as they are found, in any order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Those that have ended.
    pub(crate) ended: Vec<Ended>,
    /// When those were published that are still to be sent.
    pub(crate) owed: Vec<DateTime<Utc>>,
}

/// How a hook is.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    /// In a word.
    pub(crate) state: State,
    /// How many deliveries have ended.
    pub(crate) deliveries: usize,
    /// How many of them arrived.
    pub(crate) delivered: usize,
    /// The median of their time; `None` without deliveries, as is the next.
    pub(crate) median: Option<Duration>,
    /// The 95th percentile of their time.
    pub(crate) p95: Option<Duration>,
    /// When the first try ended of those that have failed since the last delivery that arrived.
    pub(crate) failing_since: Option<DateTime<Utc>>,
    /// How many tries have failed since the last delivery that arrived.
    pub(crate) consecutive_failures: usize,
    /// How many deliveries are still to be sent.
    pub(crate) owed: usize,
    /// When the oldest of them was published.
    pub(crate) oldest_owed: Option<DateTime<Utc>>,
    /// The last deliveries, at most [`SHOWN`], the newest last.
    pub(crate) last: Vec<Ended>,
}

impl Tally {
    /// What it comes to for a hook that is enabled or not.
    pub(crate) fn health(mut self, enabled: bool) -> Health {
        self.ended.sort_by_key(|ended| ended.time);
        let newest_first = self.ended.iter().rev();
        let failing: Vec<&Ended> = newest_first.take_while(|ended| !ended.delivered).collect();
        let mut times: Vec<Duration> = self.ended.iter().map(|ended| ended.duration).collect();
        times.sort_unstable();
        let state = match (enabled, self.ended.last()) {
            (false, _) => State::Disabled,
            (true, None) => State::Idle,
            (true, Some(last)) if last.delivered => State::Ok,
            (true, Some(_)) => State::Failing,
        };
        let shown = self.ended.len().saturating_sub(SHOWN);
        Health {
            state,
            deliveries: self.ended.len(),
            delivered: self.ended.iter().filter(|ended| ended.delivered).count(),
            median: percentile(&times, 50),
            p95: percentile(&times, 95),
            failing_since: failing.iter().map(|ended| ended.since).min(),
            consecutive_failures: failing.iter().map(|ended| ended.failures as usize).sum(),
            owed: self.owed.len(),
            oldest_owed: self.owed.into_iter().min(),
            last: self.ended.split_off(shown),
        }
    }
}

impl Health {
    /// Whether somebody should look: something is owed, or the deliveries fail.
    pub(crate) fn needs_a_look(&self) -> bool {
        self.owed > 0 || self.state == State::Failing
    }

    /// The share of the deliveries that arrived, from 0 to 1.
    pub(crate) fn share_delivered(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a double counts far enough")]
        let share = self.delivered as f64 / self.deliveries as f64;
        (self.deliveries > 0).then_some(share)
    }
}

/// The value that so many percent of the sorted values do not exceed (nearest rank).
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn ended(minutes_ago: i64, delivered: bool, failures: u32) -> Ended {
        Ended {
            time: at(minutes_ago),
            delivered,
            duration: Duration::from_millis(minutes_ago.unsigned_abs()),
            since: at(minutes_ago),
            failures,
        }
    }

    fn at(minutes_ago: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH - TimeDelta::minutes(minutes_ago)
    }

    fn health(all: &[Ended]) -> Health {
        Tally { ended: all.to_vec(), owed: Vec::new() }.health(true)
    }

    #[test]
    fn without_deliveries_it_is_idle() {
        let idle = health(&[]);
        assert_eq!((idle.state, idle.deliveries, idle.median), (State::Idle, 0, None));
        assert_eq!(idle.share_delivered(), None);
        assert!(!idle.needs_a_look());
    }

    #[test]
    fn what_failed_since_the_last_arrival_counts_whatever_the_order() {
        let found = [ended(2, false, 1), ended(9, false, 7), ended(1, false, 3), ended(5, true, 0)];
        let failing = health(&found);
        assert_eq!(failing.state, State::Failing);
        assert_eq!(failing.consecutive_failures, 4);
        assert_eq!(failing.failing_since, Some(at(2)));
        assert_eq!((failing.deliveries, failing.delivered), (4, 1));
        let times: Vec<_> = failing.last.iter().map(|ended| ended.time).collect();
        assert_eq!(times, [9, 5, 2, 1].map(at));
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let of = |count: i64| {
            let all: Vec<Ended> = (1..=count).map(|n| ended(n, true, 0)).collect();
            let health = health(&all);
            [health.median, health.p95].map(|time| time.unwrap().as_millis())
        };
        assert_eq!(of(1), [1, 1]);
        assert_eq!(of(4), [2, 4]);
        assert_eq!(of(100), [50, 95]);
        assert_eq!(of(101), [51, 96]);
    }

    #[test]
    fn what_is_owed_is_counted_apart() {
        let owed = [3, 8, 5].map(at).to_vec();
        let health = Tally { ended: Vec::new(), owed }.health(false);
        assert_eq!((health.state, health.owed), (State::Disabled, 3));
        assert_eq!(health.oldest_owed, Some(at(8)));
        assert!(health.needs_a_look());
    }

    #[test]
    fn the_last_ones_are_shown() {
        let all: Vec<Ended> = (0..50).map(|n| ended(n, true, 0)).collect();
        let shown = health(&all).last;
        assert_eq!(shown.len(), SHOWN);
        assert_eq!(shown.last().unwrap().time, at(0));
    }
}
