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
use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use crate::domain::hook::{Hook, HookId};
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::platform::Access;
use crate::store::file::{Lines, Lock, Patience, SaveError, SharedFile};
use crate::store::registry::{Registry, Unlocked};

pub(crate) use history::{Recorded, RecordedDelivery, State};
pub(crate) use reader::Reader;
use record::{InterruptedRecord, RedeliveryRecord, Target};

/// How often an append that had no lock is done again because a compaction came in between.
const TRIES: usize = 5;

/// The journal of one registry; it shares the registry's lock.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    registry: Registry,
    file: SharedFile,
}

/// How an append went that did succeed.
#[derive(Debug)]
pub(crate) struct Appended {
    /// The lock could not be had, and the lines were appended without it: why.
    pub(crate) unlocked: Option<String>,
}

/// What a process takes up to send it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    /// This publication to these hooks.
    Publication(String, Vec<HookId>),
    /// This publication to a hook that it was not for, and the hook's URL.
    Added(String, HookId, String),
    /// Whatever was not delivered to these hooks.
    Hooks(Vec<HookId>),
}

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
        let file = self.file.open(Access::Read);
        file.and_then(|file| Reader::new(file, Utc::now())).with_context(|| self.unread())
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
        let Ok(Some(file)) = self.file.open(Access::Read) else {
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
    /// The deadline is when a publish that was not heard of again counts as unfinished; without one the
    /// publication is deferred. What is `held` waits until it is asked for.
    pub(crate) fn begin(
        &self,
        publication: &Publication,
        hooks: &[Hook],
        held: &[Hook],
        deadline: Option<DateTime<Utc>>,
        patience: Patience,
    ) -> Result<Appended> {
        let line = record::publication_line(publication, Target::all(hooks, held), deadline);
        self.append(&line, patience, true)
    }

    /// As [`Self::begin`], by a caller that holds the lock since it has looked for the publication. Under a lock
    /// that is lost, nothing is appended.
    pub(crate) fn begin_locked(
        &self,
        publication: &Publication,
        hooks: &[Hook],
        held: &[Hook],
        deadline: Option<DateTime<Utc>>,
        lock: &Lock,
    ) -> Result<()> {
        let line = record::publication_line(publication, Target::all(hooks, held), deadline);
        self.write_locked(&line, lock)
    }

    /// Appends how deliveries ended. The lines are not synced: one that a power cut takes is sent
    /// again, under the same id.
    pub(crate) fn record(
        &self,
        outcomes: &[(&Delivery, &Outcome)],
        patience: Patience,
    ) -> Result<Appended> {
        let line = |(delivery, outcome): &(&Delivery, &Outcome)| {
            record::outcome_line(&delivery.publication.id, delivery.hook.id, outcome)
        };
        let lines: String = outcomes.iter().map(line).collect();
        self.append(&lines, patience, false)
    }

    /// Appends that this process is no longer at what it has claimed, so that another one need not wait
    /// for the deadline to take it up.
    pub(crate) fn release(&self, claims: &[Claim], patience: Patience) -> Result<()> {
        let time = Utc::now();
        let line = |claim: &Claim| {
            let (id, hooks) = claim.parts();
            record::line("interrupted", &InterruptedRecord { id, time, hooks })
        };
        let lines: String = claims.iter().map(line).collect();
        self.append(&lines, patience, false).map(drop)
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
        let time = Utc::now();
        let line = |claim: &Claim| {
            let (id, hooks) = claim.parts();
            let record = RedeliveryRecord { id, time, deadline, hooks, added: claim.added() };
            record::line("redelivery", &record)
        };
        let lines: String = claims.iter().map(line).collect();
        self.write_locked(&lines, lock)
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
            Ok(_) | Err(Unlocked::Held(_)) => Ok(None),
            Err(unlocked) => Err(unlocked.into()),
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

    /// Appends under the lock, or without it: a lock that another process does not give back must not
    /// lose an event.
    fn append(&self, lines: &str, patience: Patience, sync: bool) -> Result<Appended> {
        let (_lock, unlocked) = match self.registry.lock(patience) {
            Ok(lock) => (Some(lock), None),
            Err(Unlocked::Held(failure)) => (None, Some(failure.to_string())),
            Err(unlocked) => return Err(unlocked.into()),
        };
        self.write(lines, sync).with_context(|| self.unwritten())?;
        Ok(Appended { unlocked })
    }

    /// Under a lock that is lost, nothing is appended.
    fn write_locked(&self, lines: &str, lock: &Lock) -> Result<()> {
        let written = match lock.is_current() {
            Ok(true) => self.write(lines, true),
            Ok(false) => Err(SaveError::LockLost.into()),
            Err(error) => Err(error),
        };
        written.with_context(|| self.unwritten())
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

impl Claim {
    /// The publication's id, if it is one publication, and the hooks.
    fn parts(&self) -> (Option<Cow<'_, str>>, Cow<'_, [HookId]>) {
        match self {
            Self::Publication(id, hooks) => (Some(id.into()), hooks.into()),
            Self::Added(id, hook, _) => (Some(id.into()), std::slice::from_ref(hook).into()),
            Self::Hooks(hooks) => (None, hooks.into()),
        }
    }

    fn added(&self) -> Vec<Target<'_>> {
        let Self::Added(_, hook, url) = self else {
            return Vec::new();
        };
        vec![Target { hook: *hook, url: url.into(), held: false }]
    }
}
