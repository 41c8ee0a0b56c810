//! Keeps the journal from growing without end, and never drops what was not delivered.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};

use super::history::{Place, Recorded, RecordedDelivery, State};
use super::reader::Reader;
use super::record::{self, CompactedRecord, Record};
use crate::store::file::{self, Lines, Lock, Ownership, SaveError};
use crate::store::registry::Registry;

/// Past this length, in bytes, the journal is compacted.
const LIMIT: u64 = 8 * 1024 * 1024;

/// What takes longer is not done while somebody waits, unless the journal has grown to it by itself.
const QUICK: u64 = 64 * 1024 * 1024;

/// How long an undelivered event is kept for certain.
const KEEP_UNDELIVERED: TimeDelta = TimeDelta::days(7);

/// How much is copied between two looks at the time.
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
    journal: &Path,
    _: &Lock,
    is_over: &dyn Fn() -> bool,
) -> Result<Option<usize>> {
    let could_not = || format!("could not compact the journal {}", journal.display());
    // A last line without its end gets one, also if a process is writing it at this moment.
    end_torn_line(registry, journal).with_context(could_not)?;
    let mut old = File::open(journal).with_context(could_not)?;
    let length = end_of_lines(&mut old, 0).with_context(could_not)?;
    let Some(plan) = plan(&old, length, Utc::now(), is_over).with_context(could_not)? else {
        return Ok(None);
    };
    let mut end = length;
    let ownership = Ownership::of(journal).with_context(could_not)?;
    let replaced = file::replace_by(journal, &registry.temporary_file(), &ownership, |new| {
        plan.write(&old, new, is_over)?;
        set_aside(registry, &old, &plan.damaged)?;
        end = end_of_lines(&mut old, length)?;
        old.seek(SeekFrom::Start(length))?;
        io::copy(&mut (&old).take(end - length), new).map(drop)
    });
    match replaced {
        Err(SaveError::NotSaved(_)) if is_over() => return Ok(None),
        Err(SaveError::NotSaved(error)) => return Err(error).with_context(could_not),
        Err(SaveError::NotDurable(_)) | Ok(()) => {}
    }
    carry_over(&mut old, end, registry, journal).with_context(could_not)?;
    match replaced {
        Err(SaveError::NotDurable(error)) => Err(error).with_context(|| {
            format!(
                "compacted, but not durable: could not sync the directory of {}",
                journal.display()
            )
        }),
        _ => Ok(Some(plan.damaged.len())),
    }
}

fn end_torn_line(registry: &Registry, journal: &Path) -> io::Result<()> {
    let mut lines = Lines::open(journal, &registry.companion_ownership()?)?;
    lines.append(b"")
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
fn set_aside(registry: &Registry, mut old: &File, damaged: &[Place]) -> io::Result<()> {
    if damaged.is_empty() {
        return Ok(());
    }
    let mut lines = Lines::open(&registry.damaged_file(), &registry.companion_ownership()?)?;
    for place in damaged {
        let mut line = Vec::new();
        old.seek(SeekFrom::Start(place.start))?;
        old.take(place.length + 1).read_to_end(&mut line)?;
        lines.append(&line)?;
    }
    lines.sync()
}

/// Appends to the new journal what was appended to the old one behind this place.
fn carry_over(old: &mut File, end: u64, registry: &Registry, journal: &Path) -> io::Result<()> {
    let mut late = Vec::new();
    old.seek(SeekFrom::Start(end))?;
    old.read_to_end(&mut late)?;
    if late.is_empty() {
        return Ok(());
    }
    let mut new = Lines::open(journal, &registry.companion_ownership()?)?;
    new.append(&late)?;
    new.sync()
}

/// What the new journal is made of, in its order.
struct Plan {
    now: DateTime<Utc>,
    pieces: Vec<Piece>,
    damaged: Vec<Place>,
}

/// A piece of the new journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// These bytes of the old one, which are whole lines with their ends.
    Lines { start: u64, end: u64 },
    /// The outcome in this line, which is the try of this number.
    Numbered(Place, u32),
    /// Here stood a record of this time.
    Milestone(u64, DateTime<Utc>),
}

/// The pieces of a publication, by their places.
type Pieces = BTreeMap<u64, Piece>;

/// Chooses what is kept: every publication with an undelivered delivery younger than 7 days or with one in
/// progress, the newest one, and the newest others up to half the limit. Of the outcomes of a delivery
/// the first, the first that delivered, and the last.
fn plan(
    old: &File,
    length: u64,
    now: DateTime<Utc>,
    is_over: &dyn Fn() -> bool,
) -> io::Result<Option<Plan>> {
    let mut journal = Reader::up_to(length, old.try_clone()?, now);
    let (mut kept, mut others) = (Vec::new(), Vec::new());
    let (mut kept_length, mut others_length) = (0, 0);
    let mut is_newest = true;
    while let Some(recorded) = journal.next()? {
        if is_over() {
            return Ok(None);
        }
        if std::mem::take(&mut is_newest) || is_needed(&recorded, now) {
            let pieces = pieces(&recorded);
            kept_length += total(pieces.values());
            add(&mut kept, pieces);
        } else if others_length <= LIMIT / 2 {
            let pieces = pieces(&recorded);
            others_length += total(pieces.values());
            others.push(pieces);
        }
    }
    for pieces in others {
        kept_length += total(pieces.values());
        if kept_length > LIMIT / 2 {
            break;
        }
        add(&mut kept, pieces);
    }
    let oldest = kept.iter().map(Piece::start).min().unwrap_or(length);
    kept.extend(journal.redeliveries().iter().copied().map(Piece::line));
    let milestones = journal.milestones().iter();
    let milestones = milestones.filter(|(place, _)| *place > oldest);
    kept.extend(milestones.map(|(place, time)| Piece::Milestone(*place, *time)));
    kept.sort_by_key(Piece::start);
    // A record that is kept is its own milestone.
    let mut end = 0;
    kept.retain(|piece| {
        let is_there = matches!(piece, Piece::Milestone(place, _) if *place < end);
        end = end.max(piece.end());
        !is_there
    });
    let mut damaged = journal.damaged().to_vec();
    damaged.sort_unstable();
    Ok(Some(Plan {
        now,
        pieces: kept,
        damaged,
    }))
}

fn is_needed(recorded: &Recorded, now: DateTime<Utc>) -> bool {
    let is_young = recorded.certain_age < KEEP_UNDELIVERED && !recorded.test;
    recorded.deliveries.iter().any(|delivery| {
        let is_pending = delivery.state(now) == State::Pending;
        is_pending || (is_young && delivery.delivered_at.is_none())
    })
}

fn pieces(recorded: &Recorded) -> Pieces {
    let lines = recorded.lines.iter().copied().map(Piece::line);
    let outcomes = recorded.deliveries.iter().flat_map(outcomes);
    lines
        .chain(outcomes)
        .map(|piece| (piece.start(), piece))
        .collect()
}

/// The outcomes that are kept. Where one before it goes, an outcome is told which try it is.
fn outcomes(delivery: &RecordedDelivery) -> impl Iterator<Item = Piece> {
    let last = delivery.tries.len().saturating_sub(1);
    let delivered = delivery
        .outcomes
        .iter()
        .position(|outcome| outcome.delivered);
    let is_kept = move |number: &usize| [Some(0), delivered, Some(last)].contains(&Some(*number));
    let tries = delivery.tries.iter().enumerate();
    let kept = tries.filter(move |(number, _)| is_kept(number));
    let mut before = 0_u32;
    kept.map(move |(_, line)| {
        let follows = line.number == before.saturating_add(1);
        before = line.number;
        if line.is_told || follows {
            Piece::line(line.place)
        } else {
            Piece::Numbered(line.place, line.number)
        }
    })
}

/// Adds the pieces of a publication that stands before those that are there, as few as will do.
fn add(kept: &mut Vec<Piece>, pieces: Pieces) {
    for (_, piece) in pieces.into_iter().rev() {
        if let (Some(Piece::Lines { start, .. }), Piece::Lines { start: before, end }) =
            (kept.last_mut(), piece)
            && *start == end
        {
            *start = before;
        } else {
            kept.push(piece);
        }
    }
}

fn total<'a>(pieces: impl Iterator<Item = &'a Piece>) -> u64 {
    pieces.map(Piece::length).sum()
}

impl Piece {
    fn line(place: Place) -> Self {
        let Place { start, length } = place;
        let end = start + length + 1;
        Self::Lines { start, end }
    }

    fn start(&self) -> u64 {
        match self {
            Self::Lines { start, .. } | Self::Milestone(start, _) => *start,
            Self::Numbered(place, _) => place.start,
        }
    }

    /// Where it ends in the old journal.
    fn end(&self) -> u64 {
        match self {
            Self::Lines { end, .. } => *end,
            Self::Numbered(place, _) => place.start + place.length + 1,
            Self::Milestone(place, _) => *place,
        }
    }

    /// About how long it is in the new journal.
    fn length(&self) -> u64 {
        match self {
            Self::Lines { start, end } => end - start,
            Self::Numbered(place, _) => place.length + 12,
            Self::Milestone(..) => 70,
        }
    }
}

impl Plan {
    /// Writes it, below a head that tells about how long it is.
    fn write(
        &self,
        mut old: &File,
        new: &mut dyn Write,
        is_over: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let length = total(self.pieces.iter());
        let head = CompactedRecord {
            time: self.now,
            length,
        };
        new.write_all(record::line("compacted", &head).as_bytes())?;
        let mut at = old.seek(SeekFrom::Start(0))?;
        let mut old = BufReader::with_capacity(64 * 1024, old);
        let in_time = || {
            if is_over() {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
            Ok(())
        };
        for piece in &self.pieces {
            in_time()?;
            let ahead = i64::try_from(piece.start().saturating_sub(at));
            old.seek_relative(ahead.map_err(io::Error::other)?)?;
            at = at.max(piece.start());
            match *piece {
                Piece::Lines { end, .. } => {
                    while at < end {
                        in_time()?;
                        let step = STEP.min(end - at);
                        io::copy(&mut old.by_ref().take(step), new)?;
                        at += step;
                    }
                }
                Piece::Numbered(place, number) => {
                    let mut line = vec![0; usize::try_from(place.length).unwrap_or(usize::MAX)];
                    old.read_exact(&mut line)?;
                    at += place.length;
                    new.write_all(&numbered(&line, number)?)?;
                }
                Piece::Milestone(_, time) => {
                    let milestone = CompactedRecord { time, length: 0 };
                    new.write_all(record::line("compacted", &milestone).as_bytes())?;
                }
            }
        }
        Ok(())
    }
}

/// An outcome's line that tells which try it is.
fn numbered(line: &[u8], number: u32) -> io::Result<Vec<u8>> {
    let Ok(Record::Outcome(outcome)) = serde_json::from_slice(line) else {
        return Err(io::Error::other("the journal has changed meanwhile"));
    };
    // It was read as an object before, and has keys.
    let keys = &outcome.get()[1..];
    Ok(format!("{{\"outcome\":{{\"tries\":{number},{keys}}}\n").into_bytes())
}

#[cfg(test)]
mod tests;
