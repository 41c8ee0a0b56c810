//! Keeps the journal from growing without end, and never drops what was not delivered.

mod plan;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use anyhow::{Context as _, Result};
use chrono::Utc;

use super::history::Place;
use super::record::Record;
use crate::platform::Access;
use crate::store::file::{Lines, Lock, SaveError, SharedFile};
use crate::store::registry::Registry;
use plan::Plan;

/// Past this length, in bytes, the journal is compacted.
const LIMIT: u64 = 8 * 1024 * 1024;

/// What takes longer is not done while somebody waits, unless the journal has grown to it by itself.
const QUICK: u64 = 64 * 1024 * 1024;

/// How much is read or copied at once.
const STEP: u64 = 1024 * 1024;

/// Whether the journal is due for a compaction. One that was still long after the last compaction is
/// due when it has doubled. One that somebody has filled in another way takes long the first time, and
/// is left to a process that nobody waits for.
pub(super) fn is_due(mut journal: &File, somebody_waits: bool) -> io::Result<bool> {
    let length = journal.seek(SeekFrom::End(0))?;
    if length <= LIMIT {
        return Ok(false);
    }
    let mut start = Vec::new();
    journal.seek(SeekFrom::Start(0))?;
    journal.take(256).read_to_end(&mut start)?;
    let first = start.split(|byte| *byte == b'\n').next();
    let before = match serde_json::from_slice(first.unwrap_or_default()) {
        Ok(Record::Compacted(record)) => record.length,
        _ => 0,
    };
    let is_quick = length <= QUICK || length / 4 <= before;
    Ok(length / 2 > before && (is_quick || !somebody_waits))
}

/// Writes what is to be kept in the journal's place, and appends damaged lines to `damaged`. Gives how many
/// these were; `None`: there was no time for it, and the journal is as it was.
///
/// The lock keeps other compactions away; what is appended without it meanwhile is carried over.
pub(super) fn compact(
    registry: &Registry,
    lock: &Lock,
    is_over: &dyn Fn() -> bool,
) -> Result<Option<usize>> {
    let journal = registry.journal_file();
    let path = journal.path().display();
    let could_not = || format!("could not compact the journal {path}");
    // A last line without its end gets one, also if a process is writing it at this moment.
    let ended = Lines::open(&journal).and_then(|mut lines| lines.append(b""));
    ended.with_context(could_not)?;
    let Some(mut old) = journal.open(Access::Read).with_context(could_not)? else {
        return Ok(None);
    };
    let length = end_of_lines(&mut old, 0).with_context(could_not)?;
    let planned = Plan::of(&old, length, LIMIT / 2, Utc::now(), is_over);
    let Some(plan) = planned.with_context(could_not)? else {
        return Ok(None);
    };
    let mut end = length;
    let replaced = journal.replace(lock, |new| {
        plan.write(&old, new, is_over)?;
        set_aside(&registry.damaged_file(), &old, &plan.damaged)?;
        end = end_of_lines(&mut old, length)?;
        old.seek(SeekFrom::Start(length))?;
        io::copy(&mut (&old).take(end - length), new).map(drop)
    });
    match replaced {
        // Whoever has the lock now may compact it, too.
        Err(SaveError::LockLost) => return Ok(None),
        Err(SaveError::NotSaved(_)) if is_over() => return Ok(None),
        Err(SaveError::NotSaved(error)) => return Err(error).with_context(could_not),
        Err(SaveError::NotDurable(_)) | Ok(()) => {}
    }
    carry_over(&mut old, end, &journal).with_context(could_not)?;
    match replaced {
        Err(SaveError::NotDurable(error)) => Err(error).with_context(|| {
            format!("compacted, but not durable: could not sync the directory of {path}")
        }),
        _ => Ok(Some(plan.damaged.len())),
    }
}

/// Where the last whole line ends that stands behind this place.
fn end_of_lines(file: &mut File, start: u64) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut buffer = Vec::new();
    while end > start {
        let from = end.saturating_sub(STEP).max(start);
        file.seek(SeekFrom::Start(from))?;
        buffer.clear();
        file.take(end - from).read_to_end(&mut buffer)?;
        if let Some(found) = memchr::memrchr(b'\n', &buffer) {
            return Ok(from + found as u64 + 1);
        }
        end = from;
    }
    Ok(start)
}

/// Appends the damaged lines to a file of their own, and waits until they are on the disk.
fn set_aside(file: &SharedFile, mut old: &File, damaged: &[Place]) -> io::Result<()> {
    if damaged.is_empty() {
        return Ok(());
    }
    let mut lines = Lines::open(file)?;
    for place in damaged {
        let mut line = Vec::new();
        old.seek(SeekFrom::Start(place.start))?;
        old.take(place.length + 1).read_to_end(&mut line)?;
        lines.append(&line)?;
    }
    lines.sync()
}

/// Appends to the new journal what was appended to the old one behind this place.
fn carry_over(old: &mut File, end: u64, journal: &SharedFile) -> io::Result<()> {
    let mut late = Vec::new();
    old.seek(SeekFrom::Start(end))?;
    old.read_to_end(&mut late)?;
    if late.is_empty() {
        return Ok(());
    }
    let mut new = Lines::open(journal)?;
    new.append(&late)?;
    new.sync()
}
