//! Keeps the journal from growing without end, and never drops what was not delivered.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};

use super::history::{Place, Recorded, State};
use super::reader::Reader;
use super::record::{self, CompactedRecord, Record};
use crate::store::file::{Companion, FileError, Lines, Lock, SaveError};
use crate::store::registry::failed;

/// Past this length, in bytes, the journal is compacted.
const LIMIT: u64 = 8 * 1024 * 1024;

/// How long an undelivered event is kept for certain.
const KEEP_UNDELIVERED: TimeDelta = TimeDelta::days(7);

/// Whether the journal is due for a compaction. One that was still long after the last compaction is
/// due when it has doubled.
pub(super) fn is_due(journal: &mut Lines) -> io::Result<bool> {
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

/// Writes what is to be kept in the journal's place. The lock keeps other compactions away; what is
/// appended without it meanwhile is carried over.
pub(super) fn compact(journal: &Companion, lock: &Lock) -> Result<()> {
    let could_not = || format!("could not compact the journal {}", journal.path().display());
    let opened = journal.open().map_err(|error| failed(could_not(), error))?;
    let Some(mut old) = opened else {
        return Ok(());
    };
    let length = old.seek(SeekFrom::End(0)).with_context(could_not)?;
    let text = kept_text(&mut old, Utc::now()).with_context(could_not)?;
    let replaced = journal.replace(lock, &text);
    match replaced {
        Err(SaveError::NotSaved(error)) => return Err(failed(could_not(), error)),
        Err(SaveError::LockLost) => return replaced.with_context(could_not),
        Ok(()) | Err(SaveError::NotDurable(_)) => {}
    }
    carry_over(&mut old, length, journal).with_context(could_not)?;
    replaced.with_context(|| {
        format!(
            "compacted, but not durable: could not sync the directory of {}",
            journal.path().display()
        )
    })
}

/// Appends to the new journal what was appended to the old one behind this length.
fn carry_over(old: &mut File, length: u64, journal: &Companion) -> Result<(), FileError> {
    let mut late = Vec::new();
    old.seek(SeekFrom::Start(length))?;
    old.read_to_end(&mut late)?;
    if late.is_empty() {
        return Ok(());
    }
    let mut new = Lines::open(journal)?;
    new.append(&String::from_utf8_lossy(&late))?;
    Ok(new.sync()?)
}

/// The lines to keep, below a head that tells their length.
fn kept_text(old: &mut File, now: DateTime<Utc>) -> io::Result<Vec<u8>> {
    let kept = kept_lines(Reader::new(Some(old.try_clone()?), now)?, now)?;
    let length = kept.iter().map(|place| place.length + 1).sum();
    let head = CompactedRecord { time: now, length };
    let mut text = record::line("compacted", &head).into_bytes();
    for Place { start, length } in kept {
        old.seek(SeekFrom::Start(start))?;
        old.take(length).read_to_end(&mut text)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Where the lines to keep are, in order: damaged ones, every publication with an undelivered delivery
/// younger than 7 days or with one in progress, and the newest others up to half the limit.
fn kept_lines(mut journal: Reader, now: DateTime<Utc>) -> io::Result<Vec<Place>> {
    let length = |lines: &[Place]| -> u64 { lines.iter().map(|line| line.length + 1).sum() };
    let (mut kept, mut others) = (Vec::new(), Vec::new());
    while let Some(recorded) = journal.next()? {
        if is_needed(&recorded, now) {
            kept.extend(recorded.lines);
        } else {
            others.push(recorded.lines);
        }
    }
    kept.extend(journal.damaged());
    let mut total = length(&kept);
    for lines in others {
        total += length(&lines);
        if total > LIMIT / 2 {
            break;
        }
        kept.extend(lines);
    }
    kept.sort_unstable();
    Ok(kept)
}

fn is_needed(recorded: &Recorded, now: DateTime<Utc>) -> bool {
    let young = recorded.age < KEEP_UNDELIVERED;
    recorded.deliveries.iter().any(|delivery| {
        let undelivered = delivery.is_undelivered(now) && !recorded.test;
        delivery.state(now) == State::Pending || (undelivered && young)
    })
}

#[cfg(test)]
mod tests;
