//! The journal: publications and outcomes on the disk, and what is due to be sent again (docs/design.md §5).
//!
//! A publication is on the disk before its first byte is sent, so a publish that was killed leaves a
//! trace that `redeliver` completes.

mod compact;
mod history;
mod record;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use crate::domain::publication::{Outcome, Publication};
use crate::store::file::{Lines, Lock, Patience, SaveError};
use crate::store::registry::{Registry, Unlocked};

pub(crate) use history::{Delivery, History, Recorded, State};
use record::{Record, RedeliveryRecord};

/// How often an append that had no lock is done again because a compaction came in between.
const UNLOCKED_TRIES: usize = 5;

/// The journal of one registry; it shares the registry's lock.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    registry: Registry,
    file: PathBuf,
}

/// A publication, to these hooks.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// The publication.
    pub(crate) publication: Publication,
    /// The ids of the hooks.
    pub(crate) hooks: Vec<u64>,
}

/// How an append went that did succeed.
#[derive(Debug, Default)]
pub(crate) struct Appended {
    /// The lock could not be had, and the lines were appended without it: why.
    pub(crate) unlocked: Option<String>,
    /// The journal has grown past its size and could not be compacted: why.
    pub(crate) not_compacted: Option<String>,
}

impl Journal {
    /// The journal beside this registry.
    pub(crate) fn of(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            file: registry.journal_file(),
        }
    }

    /// Reads it whole; a missing one is empty.
    pub(crate) fn read(&self) -> Result<History> {
        let bytes = self.bytes()?;
        Ok(History::parse(&bytes))
    }

    /// Appends a publication and its targets, and waits until it is on the disk.
    ///
    /// The deadline is when a publish that was not heard of again counts as unfinished.
    pub(crate) fn begin(
        &self,
        publication: &Publication,
        targets: &[(u64, &str)],
        deadline: DateTime<Utc>,
        patience: Patience,
    ) -> Result<Appended> {
        let line = Record::publication(publication, targets, deadline).line();
        self.append(&line, patience, true)
    }

    /// Appends outcomes of a publication's deliveries: the hook's id and how it went. They are not
    /// synced: one that a power cut takes is sent again, under the same id.
    pub(crate) fn record(
        &self,
        outcomes: &[(&Publication, u64, &Outcome)],
        patience: Patience,
    ) -> Result<Appended> {
        let line = |(publication, hook, outcome): &(&Publication, u64, &Outcome)| {
            Record::outcome(&publication.id, *hook, outcome).line()
        };
        let lines: String = outcomes.iter().map(line).collect();
        self.append(&lines, patience, false)
    }

    /// Appends that this process leaves these deliveries as they are, by the publication's id and the
    /// hooks', so that another one need not wait for the deadline to take them up.
    pub(crate) fn leave(&self, left: &BTreeMap<&str, Vec<u64>>, patience: Patience) -> Result<()> {
        let time = Utc::now();
        let line = |(id, hooks): (&&str, &Vec<u64>)| Record::interrupted(id, hooks, time).line();
        let lines: String = left.iter().map(line).collect();
        self.append(&lines, patience, false).map(drop)
    }

    /// Chooses deliveries to be sent again, and appends that this process is at them until the
    /// deadline: all under one lock, so that two at once never send the same. Nothing is printed under
    /// it: a reader that has stopped reading must not keep the lock.
    pub(crate) fn claim(
        &self,
        patience: Patience,
        deadline: impl FnOnce() -> DateTime<Utc>,
        choose: impl FnOnce(&History) -> Result<Vec<Claim>>,
    ) -> Result<(Vec<Claim>, History)> {
        let lock = self.registry.lock(patience)?;
        let history = self.read()?;
        let claims = choose(&history)?;
        let (time, deadline) = (Utc::now(), deadline());
        let line = |claim: &Claim| {
            let record = RedeliveryRecord::new(&claim.publication.id, &claim.hooks, time, deadline);
            Record::Redelivery(record).line()
        };
        let lines: String = claims.iter().map(line).collect();
        if !lines.is_empty() {
            self.append_locked(&lines, &lock, true)?;
        }
        Ok((claims, history))
    }

    /// Appends under the lock, or without it: a lock that another process does not give back must not
    /// lose an event.
    fn append(&self, lines: &str, patience: Patience, sync: bool) -> Result<Appended> {
        match self.registry.lock(patience) {
            Ok(lock) => self.append_locked(lines, &lock, sync),
            Err(Unlocked::Held(failure)) => {
                self.append_unlocked(lines, sync)
                    .with_context(|| self.unwritten())?;
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
        let (_, overgrown) = self.write(lines, sync).with_context(|| self.unwritten())?;
        let mut appended = Appended::default();
        if overgrown {
            let compacted = self.compact(lock);
            appended.not_compacted = compacted.err().map(|error| format!("{error:#}"));
        }
        Ok(appended)
    }

    /// Whoever compacts at this moment carries over what was appended before it put the new file in
    /// place; what was appended to the old one after that is appended again.
    fn append_unlocked(&self, lines: &str, sync: bool) -> io::Result<()> {
        for _ in 0..UNLOCKED_TRIES {
            let (journal, _) = self.write(lines, sync)?;
            if journal.is_still(&self.file) {
                return Ok(());
            }
        }
        Err(io::Error::other(
            "it was replaced at the same time, again and again",
        ))
    }

    /// Appends, and tells whether the journal was due for a compaction before.
    fn write(&self, lines: &str, sync: bool) -> io::Result<(Lines, bool)> {
        let ownership = self.registry.companion_ownership()?;
        let mut journal = Lines::open(&self.file, &ownership)?;
        let overgrown = compact::overgrown(&mut journal)?;
        journal.append(lines)?;
        if sync {
            journal.sync()?;
        }
        Ok((journal, overgrown))
    }

    fn unwritten(&self) -> String {
        format!("could not write the journal {}", self.file.display())
    }

    /// The lock keeps other compactions away; an append without it is carried over.
    fn compact(&self, _: &Lock) -> Result<()> {
        let could_not = || format!("could not compact the journal {}", self.file.display());
        let mut old = File::open(&self.file).with_context(could_not)?;
        let mut bytes = Vec::new();
        old.read_to_end(&mut bytes).with_context(could_not)?;
        let compacted = compact::compact(&self.file, &self.registry, &bytes);
        if let Err(SaveError::NotSaved(error)) = compacted {
            return Err(error).with_context(could_not);
        }
        let mut late = Vec::new();
        old.read_to_end(&mut late).with_context(could_not)?;
        if !late.is_empty() {
            self.write(&String::from_utf8_lossy(&late), true)
                .with_context(could_not)?;
        }
        match compacted {
            Err(SaveError::NotDurable(error)) => Err(error).with_context(|| {
                format!(
                    "compacted, but not durable: could not sync the directory of {}",
                    self.file.display()
                )
            }),
            _ => Ok(()),
        }
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        match fs::read(&self.file) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error)
                .with_context(|| format!("could not read the journal {}", self.file.display())),
        }
    }
}
