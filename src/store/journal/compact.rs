//! Keeps the journal from growing without end, and never drops what was not delivered.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write};

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};

use super::history::{Place, Recorded, RecordedDelivery, State};
use super::reader::Reader;
use super::record::{self, CompactedRecord, Record};
use super::reverse::ReverseLines;
use crate::platform::retry;
use crate::store::file::{Lines, Lock, SaveError, SharedFile};
use crate::store::registry::Registry;

/// Past this length, in bytes, the journal is compacted.
const LIMIT: u64 = 8 * 1024 * 1024;

/// What takes longer is not done while somebody waits, unless the journal has grown to it by itself.
const QUICK: u64 = 64 * 1024 * 1024;

/// How long an undelivered event is kept for certain.
const KEEP_UNDELIVERED: TimeDelta = TimeDelta::days(7);

/// Whether the journal is due for a compaction. One that was still long after the last compaction is
/// due when it has doubled. One that somebody has filled in another way takes long the first time, and
/// is left to a process that nobody waits for.
pub(super) fn is_due(journal: &File, somebody_waits: bool) -> io::Result<bool> {
    let length = retry(|| journal.metadata())?.len();
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

/// Writes what is to be kept in the journal's place, and sets damaged lines aside. Gives how many
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

/// What the new journal is made of, in its order.
struct Plan {
    now: DateTime<Utc>,
    pieces: Vec<Piece>,
    /// The lines to be set aside.
    damaged: Vec<Place>,
}

/// A line of the new journal.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where it is in the old one; a milestone is none of its lines, and stands before this place.
    place: Place,
    change: Change,
}

/// What a compaction makes of a line.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// It stays.
    None,
    /// An outcome that is told which try it is.
    Numbered(u32),
    /// Here stood a record of this time.
    Milestone(DateTime<Utc>),
}

fn is_needed(recorded: &Recorded, now: DateTime<Utc>) -> bool {
    let is_young = recorded.certain_age < KEEP_UNDELIVERED && !recorded.test;
    recorded.deliveries.iter().any(|delivery| {
        let is_pending = delivery.state(now) == State::Pending;
        is_pending || (is_young && delivery.delivered_at.is_none())
    })
}

fn pieces_of(recorded: &Recorded) -> Vec<Piece> {
    let ends = recorded.deliveries.iter().filter_map(|delivery| delivery.last_end);
    let lines = recorded.lines.iter().copied().chain(ends).map(Piece::line);
    // An outcome that is to be numbered takes the place of its line.
    let pieces = lines.chain(recorded.deliveries.iter().flat_map(outcomes));
    let by_place: BTreeMap<u64, Piece> = pieces.map(|piece| (piece.place.start, piece)).collect();
    by_place.into_values().collect()
}

/// The outcomes that are kept. Where one before it goes, an outcome is told which try it is.
fn outcomes(delivery: &RecordedDelivery) -> impl Iterator<Item = Piece> {
    let last = delivery.tries.len().saturating_sub(1);
    let delivered = delivery.tries.iter().position(|one| one.outcome.delivered);
    let is_kept = move |number: &usize| [Some(0), delivered, Some(last)].contains(&Some(*number));
    let tries = delivery.tries.iter().enumerate();
    let kept = tries.filter(move |(number, _)| is_kept(number));
    let mut before = 0_u32;
    kept.map(move |(_, one)| {
        let follows = one.number == before.saturating_add(1);
        before = one.number;
        if one.is_told || follows {
            return Piece::line(one.place);
        }
        Piece { place: one.place, change: Change::Numbered(one.number) }
    })
}

impl Piece {
    fn line(place: Place) -> Self {
        Self { place, change: Change::None }
    }

    /// About how long it is in the new journal.
    fn length(&self) -> u64 {
        let added = match self.change {
            Change::None => 0,
            Change::Numbered(_) => 12,
            Change::Milestone(_) => 70,
        };
        self.place.end - self.place.start + added
    }
}

fn total(pieces: &[Piece]) -> u64 {
    pieces.iter().map(Piece::length).sum()
}

impl Plan {
    /// Chooses what is kept: every publication with an undelivered delivery younger than 7 days or with one in
    /// progress, the newest one, and the newest others as long as all of it is at most so long. Of the outcomes of
    /// a delivery the first, the first that delivered, and the last. `None`: there is no time for it.
    fn of(
        old: &File,
        length: u64,
        most: u64,
        now: DateTime<Utc>,
        is_over: &dyn Fn() -> bool,
    ) -> io::Result<Option<Self>> {
        let lines = ReverseLines::new(old.try_clone()?, length);
        let mut journal = Reader::new(Some(lines), now);
        let (mut kept, mut others) = (Vec::new(), Vec::new());
        let (mut kept_length, mut others_length) = (0, 0);
        let mut is_newest = true;
        while let Some(recorded) = journal.next()? {
            if is_over() {
                return Ok(None);
            }
            if std::mem::take(&mut is_newest) || is_needed(&recorded, now) {
                let pieces = pieces_of(&recorded);
                kept_length += total(&pieces);
                kept.extend(pieces);
            } else if others_length <= most {
                let pieces = pieces_of(&recorded);
                others_length += total(&pieces);
                others.push(pieces);
            }
        }
        for pieces in others {
            kept_length += total(&pieces);
            if kept_length > most {
                break;
            }
            kept.extend(pieces);
        }
        let oldest = kept.iter().map(|piece| piece.place.start).min().unwrap_or(length);
        kept.extend(journal.claims().iter().copied().map(Piece::line));
        let milestones = journal.ages.milestones().iter().filter(|(start, _)| *start > oldest);
        kept.extend(milestones.map(|(start, time)| Piece {
            place: Place { start: *start, end: *start },
            change: Change::Milestone(*time),
        }));
        kept.sort_by_key(|piece| piece.place.start);
        // A record that is kept is its own milestone.
        kept.dedup_by_key(|piece| piece.place.start);
        let mut damaged = journal.damaged;
        damaged.sort_unstable();
        Ok(Some(Self { now, pieces: kept, damaged }))
    }

    /// Writes it, below a head that tells about how long it is.
    fn write(
        &self,
        mut old: &File,
        new: &mut dyn Write,
        is_over: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let head = CompactedRecord { time: self.now, length: total(&self.pieces) };
        new.write_all(record::line("compacted", &head).as_bytes())?;
        let mut at = old.seek(SeekFrom::Start(0))?;
        let mut old = BufReader::with_capacity(64 * 1024, old);
        for Piece { place: Place { start, end }, change } in &self.pieces {
            if is_over() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let ahead = i64::try_from(start.saturating_sub(at)).map_err(io::Error::other)?;
            old.seek_relative(ahead)?;
            at = *start;
            match change {
                Change::None => {}
                Change::Numbered(number) => {
                    // The outcome's own keys begin behind the second brace.
                    let mut before = Vec::new();
                    for _ in 0..2 {
                        at += old.read_until(b'{', &mut before)? as u64;
                    }
                    new.write_all(&before)?;
                    write!(new, "\"tries\":{number},")?;
                }
                Change::Milestone(time) => {
                    let milestone = CompactedRecord { time: *time, length: 0 };
                    new.write_all(record::line("compacted", &milestone).as_bytes())?;
                }
            }
            let rest = end.saturating_sub(at);
            if io::copy(&mut old.by_ref().take(rest), new)? < rest {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at = *end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
