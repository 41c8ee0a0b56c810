//! The journal: publications and outcomes on the disk, and what is due to be sent again
//! (docs/design.md §5).
//!
//! A publication is on the disk before its first byte is sent, so a publish that was killed leaves a
//! trace that `redeliver` completes.

mod compact;
mod history;
mod reader;
mod record;
mod reverse;

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use crate::domain::hook::Hook;
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::platform::{Access, retry};
use crate::store::file::{Lines, Lock, Patience, SharedFile, lock_lost};
use crate::store::registry::{Registry, is_held};

pub(crate) use history::{Recorded, RecordedDelivery, State};
pub(crate) use reader::Reader;
pub(crate) use record::Claim;
use record::Target;
use reverse::ReverseLines;

/// How often an append that had no lock is done again because a compaction came in between.
const TRIES: usize = 5;

/// The journal of one registry; it shares the registry's lock.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    registry: Registry,
    file: SharedFile,
}

/// Under which lock something is appended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Locking<'a> {
    /// One that the caller holds. If it is lost, nothing is appended.
    Held(&'a Lock),
    /// One that is waited for so long. If it cannot be had, it is done without it: a lock that another process
    /// does not give back must not lose an event.
    Wait(Patience<'a>),
}

/// Why something was appended without the lock, if it was.
pub(crate) type Unlocked = Option<String>;

impl Journal {
    /// The journal beside this registry.
    pub(crate) fn of(registry: &Registry) -> Self {
        Self { registry: registry.clone(), file: registry.journal_file() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Reads it from its end, without a lock. A missing one is empty.
    pub(crate) fn read(&self) -> Result<Reader> {
        let open = || -> io::Result<_> {
            let Some(file) = self.file.open(Access::Read)? else {
                return Ok(None);
            };
            let length = retry(|| file.metadata())?.len();
            Ok(Some(ReverseLines::new(file, length)))
        };
        let lines = open().with_context(|| self.unread())?;
        Ok(Reader::new(lines, Utc::now()))
    }

    /// The next publication of a reader, going back in time.
    pub(crate) fn next(&self, reader: &mut Reader) -> Result<Option<Recorded>> {
        reader.next().with_context(|| self.unread())
    }

    /// The numbers, counted from 1, of the damaged lines that a reader has come by. Empty where the
    /// journal cannot be read again: they are for a warning alone.
    pub(crate) fn damaged(&self, reader: &Reader) -> Vec<usize> {
        let starts: HashSet<u64> = reader.damaged.iter().map(|place| place.start).collect();
        let mut numbers = Vec::new();
        if starts.is_empty() {
            return numbers;
        }
        let Ok(Some(file)) = self.file.open(Access::Read) else {
            return numbers;
        };
        let mut start = 0;
        let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
        for (number, line) in lines.enumerate() {
            if starts.contains(&start) {
                numbers.push(number + 1);
            }
            if numbers.len() == starts.len() {
                break;
            }
            start += line.len() as u64 + 1;
        }
        numbers
    }

    /// Appends a publication and the hooks that it is for, and waits until it is on the disk.
    ///
    /// The deadline is when a publish that was not heard of again counts as unfinished; without one the
    /// publication is deferred. What is `held` waits until it is asked for.
    pub(crate) fn begin(
        &self,
        publication: &Publication,
        hooks: &[Hook],
        held: &[Hook],
        deadline: Option<DateTime<Utc>>,
        locking: Locking,
    ) -> Result<Unlocked> {
        let targets = hooks.iter().map(|hook| Target::new(hook, false));
        let targets = targets.chain(held.iter().map(|hook| Target::new(hook, true))).collect();
        let line = record::publication_line(publication, targets, deadline);
        self.append(&line, locking, true)
    }

    /// Appends how deliveries ended. The lines are not synced: one that a power cut takes is sent
    /// again, under the same id.
    pub(crate) fn record(
        &self,
        outcomes: &[(&Delivery, &Outcome)],
        patience: Patience,
    ) -> Result<Unlocked> {
        let line = |(delivery, outcome): &(&Delivery, &Outcome)| {
            record::outcome_line(&delivery.publication.id, delivery.hook.id, outcome)
        };
        let lines: String = outcomes.iter().map(line).collect();
        self.append(&lines, Locking::Wait(patience), false)
    }

    /// Appends that this process is no longer at what it has claimed, so that another one need not wait
    /// for the deadline to take it up.
    pub(crate) fn release(&self, claims: &[Claim], patience: Patience) -> Result<()> {
        let lines = claim_lines("interrupted", claims, None);
        self.append(&lines, Locking::Wait(patience), false).map(drop)
    }

    /// Appends that this process sends these again until the deadline. The caller holds the lock since
    /// it has chosen them, so that two at once never send the same. Under a lock that is lost, nothing is
    /// appended.
    pub(crate) fn claim(
        &self,
        claims: &[Claim],
        deadline: DateTime<Utc>,
        lock: &Lock,
    ) -> Result<()> {
        let lines = claim_lines("redelivery", claims, Some(deadline));
        self.append(&lines, Locking::Held(lock), true).map(drop)
    }

    /// Whether it has grown so long that it is to be compacted. One that takes long is left alone while
    /// `somebody_waits`.
    pub(crate) fn is_overgrown(&self, somebody_waits: bool) -> bool {
        // What keeps it from being read has been said by then.
        let Ok(Some(file)) = self.file.open(Access::Read) else {
            return false;
        };
        compact::is_due(&file, somebody_waits).unwrap_or(false)
    }

    /// Compacts it if `is_wanted` says so, also once nobody else can: what is not needed goes, damaged lines
    /// are set aside. Gives how many these were. `None`: it is as it was, as the lock could not be had or
    /// as there is no time for it, which `is_over` tells.
    pub(crate) fn compact(
        &self,
        is_wanted: impl Fn() -> bool,
        patience: Patience,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Option<usize>> {
        if !is_wanted() {
            return Ok(None);
        }
        match self.registry.lock(patience) {
            Ok(lock) if is_wanted() => compact::compact(&self.registry, &lock, is_over),
            Ok(_) => Ok(None),
            Err(error) if is_held(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks up publications by their ids.
    pub(crate) fn find(&self, mut ids: HashSet<&str>) -> Result<HashMap<String, Recorded>> {
        let mut found = HashMap::new();
        let mut reader = self.read()?;
        while !ids.is_empty()
            && let Some(recorded) = self.next(&mut reader)?
        {
            if ids.remove(recorded.id.as_str()) {
                found.insert(recorded.id.clone(), recorded);
            }
        }
        Ok(found)
    }

    fn append(&self, lines: &str, locking: Locking, sync: bool) -> Result<Unlocked> {
        let mut unlocked = None;
        let _lock = match locking {
            Locking::Held(lock) if lock.is_current().with_context(|| self.unwritten())? => None,
            Locking::Held(_) => return Err(lock_lost()).with_context(|| self.unwritten()),
            Locking::Wait(patience) => match self.registry.lock(patience) {
                Ok(lock) => Some(lock),
                Err(error) if is_held(&error) => {
                    unlocked = Some(format!("{error:#}"));
                    None
                }
                Err(error) => return Err(error),
            },
        };
        self.write(lines, sync).with_context(|| self.unwritten())?;
        Ok(unlocked)
    }

    /// Whoever compacts without regard to our lock carries over what was appended before it put the new
    /// file in place; what was appended to the old one after that is appended again.
    fn write(&self, lines: &str, sync: bool) -> io::Result<()> {
        for _ in 0..TRIES {
            let mut journal = Lines::open(&self.file)?;
            journal.append(lines.as_bytes())?;
            if sync {
                journal.sync()?;
            }
            if journal.is_still(&self.file) {
                return Ok(());
            }
        }
        Err(io::Error::other("it was replaced at the same time, again and again"))
    }

    fn unread(&self) -> String {
        format!("could not read the journal {}", self.path().display())
    }

    fn unwritten(&self) -> String {
        format!("could not write the journal {}", self.path().display())
    }
}

fn claim_lines(kind: &str, claims: &[Claim], deadline: Option<DateTime<Utc>>) -> String {
    let time = Utc::now();
    let line = |claim: &Claim| record::line(kind, &Claim { time, deadline, ..claim.clone() });
    claims.iter().map(line).collect()
}
