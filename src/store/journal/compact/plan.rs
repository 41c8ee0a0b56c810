//! What a compaction keeps of a journal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write};

use chrono::{DateTime, TimeDelta, Utc};

use super::STEP;
use crate::store::journal::history::{Place, Recorded, RecordedDelivery, State};
use crate::store::journal::reader::Reader;
use crate::store::journal::record::{self, CompactedRecord, Record};

/// How long an undelivered event is kept for certain.
const KEEP_UNDELIVERED: TimeDelta = TimeDelta::days(7);

/// What the new journal is made of, in its order.
pub(super) struct Plan {
    now: DateTime<Utc>,
    pieces: Vec<Piece>,
    /// The lines to be set aside.
    pub(super) damaged: Vec<Place>,
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

fn is_needed(recorded: &Recorded, now: DateTime<Utc>) -> bool {
    let is_young = recorded.certain_age < KEEP_UNDELIVERED && !recorded.test;
    recorded.deliveries.iter().any(|delivery| {
        let is_pending = delivery.state(now) == State::Pending;
        is_pending || (is_young && delivery.delivered_at.is_none())
    })
}

fn pieces_of(recorded: &Recorded) -> Pieces {
    let lines = recorded.lines.iter().copied().map(Piece::line);
    let outcomes = recorded.deliveries.iter().flat_map(outcomes);
    lines.chain(outcomes).map(|piece| (piece.start(), piece)).collect()
}

/// The outcomes that are kept. Where one before it goes, an outcome is told which try it is.
fn outcomes(delivery: &RecordedDelivery) -> impl Iterator<Item = Piece> {
    let last = delivery.tries.len().saturating_sub(1);
    let delivered = delivery.outcomes.iter().position(|outcome| outcome.delivered);
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
    /// Chooses what is kept: every publication with an undelivered delivery younger than 7 days or with one in
    /// progress, the newest one, and the newest others as long as all of it is at most so long. Of the outcomes of
    /// a delivery the first, the first that delivered, and the last. `None`: there is no time for it.
    pub(super) fn of(
        old: &File,
        length: u64,
        most: u64,
        now: DateTime<Utc>,
        is_over: &dyn Fn() -> bool,
    ) -> io::Result<Option<Self>> {
        let mut journal = Reader::up_to(length, old.try_clone()?, now);
        let (mut kept, mut others) = (Vec::new(), Vec::new());
        let (mut kept_length, mut others_length) = (0, 0);
        let mut is_newest = true;
        while let Some(recorded) = journal.next()? {
            if is_over() {
                return Ok(None);
            }
            if std::mem::take(&mut is_newest) || is_needed(&recorded, now) {
                let pieces = pieces_of(&recorded);
                kept_length += total(pieces.values());
                add(&mut kept, pieces);
            } else if others_length <= most {
                let pieces = pieces_of(&recorded);
                others_length += total(pieces.values());
                others.push(pieces);
            }
        }
        for pieces in others {
            kept_length += total(pieces.values());
            if kept_length > most {
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
        Ok(Some(Self { now, pieces: kept, damaged }))
    }

    /// Writes it, below a head that tells about how long it is.
    pub(super) fn write(
        &self,
        mut old: &File,
        new: &mut dyn Write,
        is_over: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let length = total(self.pieces.iter());
        let head = CompactedRecord { time: self.now, length };
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
                        if io::copy(&mut old.by_ref().take(step), new)? < step {
                            return Err(io::ErrorKind::UnexpectedEof.into());
                        }
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
