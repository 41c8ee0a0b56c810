//! Keeps the journal from growing without end, and never drops what was not delivered.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use super::history::{History, Recorded, State};
use super::record::{CompactedRecord, Record};
use crate::store::file::{self, Lines, Ownership, SaveError};
use crate::store::registry::Registry;

/// Past this length, in bytes, the journal is compacted.
const LIMIT: u64 = 8 * 1024 * 1024;

/// How long an undelivered event is kept for certain.
const KEEP_UNDELIVERED: TimeDelta = TimeDelta::days(7);

/// Whether the journal is due for a compaction. One that was still long after the last compaction is
/// due when it has doubled.
pub(super) fn overgrown(journal: &mut Lines) -> std::io::Result<bool> {
    let length = journal.length();
    if length <= LIMIT {
        return Ok(false);
    }
    let first = journal.first_line(256)?;
    let before = match serde_json::from_slice(&first) {
        Ok(Record::Compacted(record)) => record.length,
        _ => 0,
    };
    Ok(length > before.saturating_mul(2))
}

/// Writes what is to be kept of these bytes in the journal's place. The caller holds the lock.
pub(super) fn compact(file: &Path, registry: &Registry, bytes: &[u8]) -> Result<(), SaveError> {
    let now = Utc::now();
    let kept = kept_lines(bytes, now);
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
    let length = kept
        .iter()
        .map(|number| lines[number - 1].len() as u64 + 1)
        .sum();
    let head = Record::Compacted(CompactedRecord { time: now, length }).line();
    let mut text = head.into_bytes();
    for number in &kept {
        text.extend_from_slice(lines[number - 1]);
        text.push(b'\n');
    }
    let ownership = Ownership::of(file).map_err(SaveError::NotSaved)?;
    file::replace(file, &registry.temporary_file(), &ownership, &text)
}

/// The numbers of the lines to keep, in order: damaged ones, every publication with an undelivered
/// delivery younger than 7 days or with one in progress, and the newest others up to half the limit.
fn kept_lines(bytes: &[u8], now: DateTime<Utc>) -> Vec<usize> {
    let history = History::parse(bytes);
    let mut kept = history.damaged.clone();
    let (needed, others): (Vec<_>, Vec<_>) = history
        .publications
        .iter()
        .partition(|recorded| is_needed(recorded, now));
    kept.extend(needed.iter().flat_map(|recorded| &recorded.lines));
    let lengths: Vec<u64> = bytes
        .split(|b| *b == b'\n')
        .map(|line| line.len() as u64 + 1)
        .collect();
    let length = |recorded: &Recorded| -> u64 {
        recorded
            .lines
            .iter()
            .map(|number| lengths[number - 1])
            .sum()
    };
    let mut total: u64 = needed.iter().map(|recorded| length(recorded)).sum();
    for recorded in others.iter().rev() {
        total += length(recorded);
        if total > LIMIT / 2 {
            break;
        }
        kept.extend(&recorded.lines);
    }
    kept.sort_unstable();
    kept
}

fn is_needed(recorded: &Recorded, now: DateTime<Utc>) -> bool {
    let young = now - recorded.publication.time < KEEP_UNDELIVERED;
    recorded.deliveries.iter().any(|delivery| {
        let undelivered = delivery.is_undelivered(now) && !recorded.publication.test;
        delivery.state(now) == State::Pending || (undelivered && young)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::publication::{Outcome, Publication};

    fn line(content: &str, age: TimeDelta, delivered: Option<bool>) -> String {
        let time = Utc::now() - age;
        let publication = Publication {
            time,
            ..Publication::new("E", content)
        };
        let begun = Record::publication(&publication, &[(1, "http://h/")], time).line();
        let outcome = |delivered| Outcome {
            time,
            delivered,
            status: String::new(),
            code: None,
            reason: String::new(),
            attempts: 1,
            duration: std::time::Duration::ZERO,
        };
        let ended = delivered.map(|d| Record::outcome(&publication.id, 1, &outcome(d)).line());
        begun + &ended.unwrap_or_default()
    }

    #[test]
    fn undelivered_events_stay_whatever_their_size_and_the_newest_others_fill_up() {
        let day = TimeDelta::days(1);
        let mega = "x".repeat(1024 * 1024);
        let mut journal = String::new();
        for _ in 0..10 {
            journal += &line(&mega, day, Some(false));
        }
        journal += "garbage\n";
        journal += &line("old failed", day * 8, Some(false));
        journal += &line("killed", day, None);
        journal += &line("delivered", day, Some(true));
        let kept = kept_lines(journal.as_bytes(), Utc::now());
        let lines: Vec<&str> = journal.split('\n').collect();
        let holds = |text: &str| {
            kept.iter()
                .filter(|n| lines[**n - 1].contains(text))
                .count()
        };
        assert_eq!(holds("xxxx"), 10);
        assert_eq!(holds("garbage"), 1);
        assert_eq!(holds("killed"), 1);
        // The undelivered alone are over half the limit, so nothing else is kept.
        assert_eq!(holds("\"delivered\","), 0);
        assert_eq!(holds("old failed"), 0);
    }

    #[test]
    fn of_the_delivered_the_newest_half_stays() {
        let mega = "x".repeat(1024 * 1024);
        let delivered = |n: i64| line(&format!("{n}-{mega}"), TimeDelta::days(9 - n), Some(true));
        let journal: String = (0..9).map(delivered).collect();
        let kept = kept_lines(journal.as_bytes(), Utc::now());
        // A publication and its outcome are two lines.
        assert_eq!(kept, [13, 14, 15, 16, 17, 18]);
    }
}
