//! What a recorded time is worth when a clock may have been wrong (docs/design.md §14). All rules about it
//! stand here.

use chrono::{DateTime, TimeDelta, Utc};

/// 2020, in Unix seconds: an earlier time was written by a clock that had not been set.
const EARLIEST: i64 = 1_577_836_800;

/// The most that the time between two records counts.
const DAY: TimeDelta = TimeDelta::days(1);

/// Whether a process that took something up at `begun`, until `deadline`, may still be at it. A time in
/// the future was written before the clock was set back, so only the length of the time counts.
pub(crate) fn holds(begun: DateTime<Utc>, deadline: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    begun - now <= deadline - begun && now < deadline
}

/// Whether what happened at `new` takes the place of what happened at `old`: it does unless it is older.
/// An old time in the future, or none, gives way.
pub(crate) fn replaces(
    new: Option<DateTime<Utc>>,
    old: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> bool {
    old <= new || old > Some(now)
}

/// How old records are, for a reader that goes back from the newest.
#[derive(Debug)]
pub(crate) struct Ages {
    now: DateTime<Utc>,
    /// The plausible time that was passed last.
    latest: DateTime<Utc>,
    /// The times between the records so far, each counted as a day at most.
    witnessed: TimeDelta,
    /// The last milestone, and the record after it.
    milestone: DateTime<Utc>,
    candidate: Option<(u64, DateTime<Utc>)>,
    milestones: Vec<(u64, DateTime<Utc>)>,
}

impl Ages {
    /// Before the newest record.
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            latest: now,
            witnessed: TimeDelta::zero(),
            milestone: now,
            candidate: None,
            milestones: Vec::new(),
        }
    }

    /// Passes the record of this time that begins at this place of the file.
    pub(crate) fn pass(&mut self, place: u64, time: DateTime<Utc>) {
        if !self.is_plausible(time) {
            return;
        }
        self.witnessed += (self.latest - time).clamp(TimeDelta::zero(), DAY);
        self.latest = time;
        if self.milestone - time > DAY
            && let Some(milestone) = self.candidate.take()
        {
            self.milestones.push(milestone);
            self.milestone = milestone.1;
        }
        self.candidate = Some((place, time));
    }

    /// The plausible time of the record that was passed last.
    pub(crate) fn latest(&self) -> DateTime<Utc> {
        self.latest
    }

    /// The age of the record that was passed last, which has this time. The future counts as now, and a
    /// clock that was not set says nothing: then the record after it tells.
    pub(crate) fn age(&self, time: DateTime<Utc>) -> TimeDelta {
        let time = if time.timestamp() < EARLIEST { self.latest } else { time };
        (self.now - time).max(TimeDelta::zero())
    }

    /// The age that the record which was passed last has for certain: no more than its time says, and no
    /// more than the records after it bear witness to. One moment of a wrong clock adds a day at most.
    pub(crate) fn certain_age(&self, time: DateTime<Utc>) -> TimeDelta {
        if self.is_plausible(time) { self.witnessed.min(self.now - time) } else { self.witnessed }
    }

    /// Places and times of records that bear witness to the age of all others, at most a day apart where
    /// the records are.
    pub(crate) fn milestones(&self) -> &[(u64, DateTime<Utc>)] {
        &self.milestones
    }

    fn is_plausible(&self, time: DateTime<Utc>) -> bool {
        time.timestamp() >= EARLIEST && time <= self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + hours * 3600, 0).unwrap()
    }

    fn year(year: i32) -> DateTime<Utc> {
        let text = format!("{year}-06-01T00:00:00Z");
        crate::domain::time::parse(&text).unwrap()
    }

    /// After these records, the newest first, at noon of day 0.
    fn passed(now: DateTime<Utc>, times: &[DateTime<Utc>]) -> Ages {
        let mut ages = Ages::new(now);
        for (number, time) in times.iter().enumerate() {
            ages.pass(1000 - number as u64, *time);
        }
        ages
    }

    #[test]
    fn a_claim_holds_until_its_deadline_whatever_the_clock_did_since() {
        assert!(holds(at(0), at(1), at(0)));
        assert!(!holds(at(0), at(1), at(1)));
        // Made by a clock that was a little ahead, and by one that was far ahead.
        assert!(holds(at(1), at(2), at(0)));
        assert!(!holds(at(5), at(6), at(0)));
        assert!(!holds(at(0), at(1), at(5)));
    }

    #[test]
    fn what_is_newer_replaces_and_what_is_in_the_future_gives_way() {
        let replaces = |new, old| replaces(Some(at(new)), Some(at(old)), at(10));
        assert!(replaces(5, 4) && replaces(5, 5) && replaces(5, 11));
        assert!(!replaces(4, 5));
        assert!(super::replaces(Some(year(1971)), None, at(10)));
        assert!(super::replaces(Some(year(1971)), Some(at(5)), year(1971)));
    }

    #[test]
    fn an_age_comes_from_the_time_or_where_that_is_nonsense_from_the_place() {
        let ages = passed(at(10), &[at(8), at(7)]);
        assert_eq!(ages.age(at(7)), TimeDelta::hours(3));
        assert_eq!(ages.age(year(2100)), TimeDelta::zero());
        assert_eq!(ages.age(year(1971)), TimeDelta::hours(3));
        // Nothing plausible stands after it.
        assert_eq!(passed(at(10), &[]).age(year(1971)), TimeDelta::zero());
    }

    #[test]
    fn records_of_each_day_bear_witness_to_an_age() {
        let days: Vec<_> = (0..9).map(|day| at(-24 * day)).collect();
        let ages = passed(at(0), &days);
        assert_eq!(ages.certain_age(days[8]), TimeDelta::days(8));
        assert_eq!(ages.certain_age(at(-1)), TimeDelta::hours(1));
        assert_eq!(ages.certain_age(year(1971)), TimeDelta::days(8));
        assert_eq!(ages.certain_age(year(2100)), TimeDelta::days(8));
    }

    #[test]
    fn one_moment_of_a_wrong_clock_adds_a_day_at_most() {
        let times = [at(-1), year(2031), at(-2), year(1971), at(-3)];
        let of = |now| passed(now, &times).certain_age(at(-3));
        assert_eq!(of(at(0)), TimeDelta::hours(3));
        // The compaction itself runs by a clock that is years ahead, or behind: a second wrong moment.
        assert!(of(year(2031)) <= TimeDelta::days(2) + TimeDelta::hours(3));
        assert_eq!(of(year(1971)), TimeDelta::zero());
        // Set back by years, but not out of reason.
        let times = [at(-1), year(2022), at(-2)];
        let ages = passed(at(0), &times);
        assert!(ages.certain_age(at(-2)) <= TimeDelta::days(2));
    }

    #[test]
    fn milestones_bear_the_same_witness_as_all_records() {
        let hours = |step: i64| (0..400 / step).map(move |n| at(-n * step));
        for step in [1, 5, 13, 20, 24] {
            let times: Vec<_> = hours(step).collect();
            let all = passed(at(0), &times);
            let oldest = *times.last().unwrap();
            let mut kept: Vec<_> = all.milestones().iter().map(|(_, time)| *time).collect();
            assert!(kept.len() <= 400 / 12 + 1, "{step}: {}", kept.len());
            kept.push(oldest);
            // Whoever finds these alone finds the same age, a while later too.
            let again = passed(at(0), &kept);
            assert_eq!(again.certain_age(oldest), all.certain_age(oldest), "{step}");
            let mut kept: Vec<_> = again.milestones().iter().map(|(_, time)| *time).collect();
            kept.push(oldest);
            // Never more than has passed: what is in doubt is kept for longer.
            let later = passed(at(10), &kept).certain_age(oldest);
            let before = all.certain_age(oldest);
            let possible = before..=before + TimeDelta::hours(10);
            assert!(possible.contains(&later), "{step}: {later}");
        }
    }
}
