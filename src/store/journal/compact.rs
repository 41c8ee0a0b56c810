//! Keeps the journal from growing without end, and never drops what was not delivered.

mod plan;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

use anyhow::{Context as _, Result};
use chrono::Utc;

use super::history::Place;
use super::record::Record;
use crate::store::file::{Lines, Lock, SaveError, SharedFile};
use crate::store::registry::Registry;
use plan::Plan;

/// Past this length, in bytes, the journal is compacted.
const LIMIT: u64 = 8 * 1024 * 1024;

/// What takes longer is not done while somebody waits, unless the journal has grown to it by itself.
const QUICK: u64 = 64 * 1024 * 1024;

/// Whether the journal is due for a compaction. One that was still long after the last compaction is
/// due when it has doubled. One that somebody has filled in another way takes long the first time, and
/// is left to a process that nobody waits for.
pub(super) fn is_due(journal: &File, somebody_waits: bool) -> io::Result<bool> {
    let length = journal.metadata()?.len();
    if length <= LIMIT {
        return Ok(false);
    }
    let mut first = Vec::new();
    BufReader::new(journal.take(256)).read_until(b'\n', &mut first)?;
    let before = match serde_json::from_slice(&first) {
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
    let mut lines = Lines::open(&journal).with_context(could_not)?;
    // Where a process is writing a line at this moment, too, its first half gets an end.
    let length = lines.end_last_line().with_context(could_not)?;
    let old = &lines.file;
    let planned = Plan::of(old, length, LIMIT / 2, Utc::now(), is_over);
    let Some(plan) = planned.with_context(could_not)? else {
        return Ok(None);
    };
    let mut end = length;
    let replaced = journal.replace(lock, |new| {
        plan.write(old, new, is_over)?;
        set_aside(&registry.damaged_file(), old, &plan.damaged)?;
        let mut late = read_from(old, length)?;
        late.truncate(late.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1));
        end += late.len() as u64;
        new.write_all(&late)
    });
    let durable = match replaced {
        // Whoever has the lock now may compact it, too.
        Err(SaveError::LockLost) => return Ok(None),
        Err(SaveError::NotSaved(_)) if is_over() => return Ok(None),
        Err(SaveError::NotSaved(error)) => return Err(error).with_context(could_not),
        Err(SaveError::NotDurable(error)) => Err(error),
        Ok(()) => Ok(()),
    };
    carry_over(&read_from(old, end).with_context(could_not)?, &journal).with_context(could_not)?;
    durable.with_context(|| {
        format!("compacted, but not durable: could not sync the directory of {path}")
    })?;
    Ok(Some(plan.damaged.len()))
}

/// What stands in a file from this place on.
fn read_from(mut file: &File, start: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
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
        old.take(place.end - place.start).read_to_end(&mut line)?;
        lines.append(&line)?;
    }
    lines.sync()
}

/// Appends to the new journal what was appended to the old one after it had been copied.
fn carry_over(late: &[u8], journal: &SharedFile) -> io::Result<()> {
    if late.is_empty() {
        return Ok(());
    }
    let mut new = Lines::open(journal)?;
    new.append(late)?;
    new.sync()
}
