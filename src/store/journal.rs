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

use std::borrow::Cow;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use crate::domain::hook::{Hook, HookId};
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::store::file::{Companion, FileError, Lines, Lock, LockWait, SaveError};
use crate::store::registry::{Registry, Unlocked, failed};

pub(crate) use history::{Recorded, RecordedDelivery, State};
pub(crate) use reader::Reader;
use record::{InterruptedRecord, RedeliveryRecord, Target};

/// How often an append that had no lock is done again because a compaction came in between.
const UNLOCKED_TRIES: usize = 5;

/// The journal of one registry; it shares the registry's lock.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    registry: Registry,
    file: Companion,
}

/// How an append went that did succeed.
#[derive(Debug, Default)]
pub(crate) struct Appended {
    /// The lock could not be had, and the lines were appended without it: why.
    pub(crate) unlocked: Option<String>,
    /// The journal has grown past its size and could not be compacted: why.
    pub(crate) not_compacted: Option<String>,
}

/// What a process takes up to send it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    /// This publication to these hooks.
    Publication(String, Vec<HookId>),
    /// Whatever was not delivered to these hooks.
    Hooks(Vec<HookId>),
}

impl Journal {
    /// The journal beside this registry.
    pub(crate) fn of(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            file: registry.journal_file(),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Reads it from its end, without a lock. A missing one is empty.
    pub(crate) fn read(&self) -> Result<Reader> {
        let file = self
            .file
            .open()
            .map_err(|error| failed(self.unread(), error))?;
        Reader::new(file, Utc::now()).with_context(|| self.unread())
    }

    /// The next publication of a reader, going back in time.
    pub(crate) fn next(&self, reader: &mut Reader) -> Result<Option<Recorded>> {
        reader.next().with_context(|| self.unread())
    }

    /// The numbers, counted from 1, of the damaged lines that a reader has come by. Empty where the
    /// journal cannot be read again: they are for a warning alone.
    pub(crate) fn damaged(&self, reader: &Reader) -> Vec<usize> {
        let (mut places, mut numbers) = (reader.damaged().to_vec(), Vec::new());
        places.sort_unstable();
        if places.is_empty() {
            return numbers;
        }
        let Ok(Some(file)) = self.file.open() else {
            return numbers;
        };
        let (mut lines, mut start, mut line) = (BufReader::new(file), 0, Vec::new());
        for number in 1.. {
            line.clear();
            let length = lines.read_until(b'\n', &mut line).unwrap_or(0);
            let damaged = places.iter().any(|place| place.start == start);
            numbers.extend(damaged.then_some(number));
            start += length as u64;
            if length == 0 || numbers.len() == places.len() {
                break;
            }
        }
        numbers
    }

    /// Appends a publication and the hooks that it is for, and waits until it is on the disk.
    ///
    /// The deadline is when a publish that was not heard of again counts as unfinished.
    pub(crate) fn begin(
        &self,
        publication: &Publication,
        hooks: &[Hook],
        deadline: DateTime<Utc>,
        wait: LockWait,
    ) -> Result<Appended> {
        let target = |hook: &'_ Hook| Target {
            hook: hook.id,
            url: Cow::Owned(hook.url.clone()),
        };
        let targets = hooks.iter().map(target).collect();
        let line = record::publication_line(publication, targets, deadline);
        self.append(&line, wait, true)
    }

    /// Appends how deliveries ended. The lines are not synced: one that a power cut takes is sent
    /// again, under the same id.
    pub(crate) fn record(
        &self,
        outcomes: &[(&Delivery, &Outcome)],
        wait: LockWait,
    ) -> Result<Appended> {
        let line = |(delivery, outcome): &(&Delivery, &Outcome)| {
            record::outcome_line(&delivery.publication.id, delivery.hook.id, outcome)
        };
        let lines: String = outcomes.iter().map(line).collect();
        self.append(&lines, wait, false)
    }

    /// Appends that this process is no longer at what it has claimed, so that another one need not wait
    /// for the deadline to take it up.
    pub(crate) fn release(&self, claims: &[Claim], wait: LockWait) -> Result<()> {
        let time = Utc::now();
        let line = |claim: &Claim| {
            let (id, hooks) = claim.parts();
            record::line("interrupted", &InterruptedRecord { id, time, hooks })
        };
        let lines: String = claims.iter().map(line).collect();
        self.append(&lines, wait, false).map(drop)
    }

    /// Appends that this process sends these again until the deadline. The caller holds the lock since
    /// it has chosen them, so that two at once never send the same. With a lock that is lost, nothing is
    /// appended.
    pub(crate) fn claim(
        &self,
        claims: &[Claim],
        deadline: DateTime<Utc>,
        lock: &Lock,
    ) -> Result<Appended> {
        if !lock.is_current().with_context(|| self.unwritten())? {
            return Err(SaveError::LockLost).with_context(|| self.unwritten());
        }
        let time = Utc::now();
        let line = |claim: &Claim| {
            let (id, hooks) = claim.parts();
            let record = RedeliveryRecord {
                id,
                time,
                deadline,
                hooks,
            };
            record::line("redelivery", &record)
        };
        let lines: String = claims.iter().map(line).collect();
        self.append_locked(&lines, lock, true)
    }

    /// Appends under the lock, or without it: a lock that another process does not give back must not
    /// lose an event.
    fn append(&self, lines: &str, wait: LockWait, sync: bool) -> Result<Appended> {
        match self.registry.lock(wait) {
            Ok(lock) => self.append_locked(lines, &lock, sync),
            Err(Unlocked::Held(failure)) => {
                self.append_unlocked(lines, sync)?;
                let unlocked = Some(failure.to_string());
                Ok(Appended {
                    unlocked,
                    ..Appended::default()
                })
            }
            Err(unlocked) => Err(unlocked.into()),
        }
    }

    fn append_locked(&self, lines: &str, lock: &Lock, sync: bool) -> Result<Appended> {
        let mut appended = Appended::default();
        if !lock.is_current().with_context(|| self.unwritten())? {
            self.append_unlocked(lines, sync)?;
            return Ok(appended);
        }
        let (_, overgrown) = self
            .write(lines, sync)
            .map_err(|error| failed(self.unwritten(), error))?;
        if overgrown {
            let compacted = compact::compact(&self.file, lock);
            appended.not_compacted = compacted.err().map(|error| format!("{error:#}"));
        }
        Ok(appended)
    }

    /// Whoever compacts at this moment carries over what was appended before it put the new file in
    /// place; what was appended to the old one after that is appended again.
    fn append_unlocked(&self, lines: &str, sync: bool) -> Result<()> {
        for _ in 0..UNLOCKED_TRIES {
            let written = self.write(lines, sync);
            let (journal, _) = written.map_err(|error| failed(self.unwritten(), error))?;
            if journal.is_still(&self.file) {
                return Ok(());
            }
        }
        let again = io::Error::other("it was replaced at the same time, again and again");
        Err(again).with_context(|| self.unwritten())
    }

    /// Appends, and tells whether the journal was due for a compaction before.
    fn write(&self, lines: &str, sync: bool) -> Result<(Lines, bool), FileError> {
        let mut journal = Lines::open(&self.file)?;
        let overgrown = compact::is_due(&mut journal)?;
        journal.append(lines)?;
        if sync {
            journal.sync()?;
        }
        Ok((journal, overgrown))
    }

    fn unread(&self) -> String {
        format!("could not read the journal {}", self.file.path().display())
    }

    fn unwritten(&self) -> String {
        format!("could not write the journal {}", self.file.path().display())
    }
}

impl Claim {
    /// The publication's id, if it is one publication, and the hooks.
    fn parts(&self) -> (Option<Cow<'_, str>>, Cow<'_, [HookId]>) {
        match self {
            Self::Publication(id, hooks) => (Some(id.into()), hooks.into()),
            Self::Hooks(hooks) => (None, hooks.into()),
        }
    }
}
