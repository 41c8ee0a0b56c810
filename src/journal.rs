//! The journal: publications and outcomes on the disk, and what is due to be sent again (DESIGN §5).
//!
//! A publication is on the disk before its first byte is sent, so a publish that was killed leaves a
//! trace that `redeliver` completes.

mod compact;
mod history;
mod record;

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use crate::atomic_file::{Lines, Lock, Patience};
use crate::exit::{Exit, Failure};
use crate::publication::{Outcome, Publication};
use crate::registry::Registry;

pub use history::{Delivery, History, Recorded, State};
use record::{Record, RedeliveryRecord};

/// How often an append that had no lock looks again whether a compaction took its lines away.
const UNLOCKED_TRIES: usize = 5;

/// The journal of one registry; it shares the registry's lock.
#[derive(Debug, Clone)]
pub struct Journal {
    registry: Registry,
    file: PathBuf,
}

/// A publication, to these hooks.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The publication.
    pub publication: Publication,
    /// The ids of the hooks.
    pub hooks: Vec<u64>,
}

/// How an append went that did succeed.
#[derive(Debug, Default)]
pub struct Appended {
    /// The lock could not be had, and the lines were appended without it: why.
    pub unlocked: Option<String>,
    /// The journal has grown past its size and could not be compacted: why.
    pub not_compacted: Option<String>,
}

impl Journal {
    /// The journal beside this registry.
    pub fn of(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            file: registry.journal_file(),
        }
    }

    /// Reads it whole; a missing one is empty.
    pub fn read(&self) -> Result<History> {
        let bytes = self.bytes()?;
        Ok(History::parse(&bytes))
    }

    /// Appends a publication and its targets, and waits until it is on the disk.
    ///
    /// The deadline is when a publish that was not heard of again counts as unfinished.
    pub fn begin(
        &self,
        publication: &Publication,
        targets: &[(u64, &str)],
        deadline: DateTime<Utc>,
        patience: Patience,
    ) -> Result<Appended> {
        let line = Record::publication(publication, targets, deadline).line();
        let (lock, mut appended) = self.lock_or_go_on(patience)?;
        let overgrown = self.append(&line, lock.as_ref(), true)?;
        if overgrown && lock.is_some() {
            let compacted = self.compact().context("could not compact the journal");
            appended.not_compacted = compacted.err().map(|error| format!("{error:#}"));
        }
        Ok(appended)
    }

    /// Appends outcomes of a publication's deliveries: the hook's id and how it went. They are not
    /// synced: one that a power cut takes is sent again, under the same id.
    pub fn record(
        &self,
        outcomes: &[(&Publication, u64, &Outcome)],
        patience: Patience,
    ) -> Result<Appended> {
        let line = |(publication, hook, outcome): &(&Publication, u64, &Outcome)| {
            Record::outcome(&publication.id, *hook, outcome).line()
        };
        let lines: String = outcomes.iter().map(line).collect();
        let (lock, appended) = self.lock_or_go_on(patience)?;
        self.append(&lines, lock.as_ref(), false)?;
        Ok(appended)
    }

    /// Appends that this process leaves these deliveries as they are, so that another one need not wait
    /// for the deadline to take them up.
    pub fn leave(&self, left: &[Claim], patience: Patience) -> Result<()> {
        let time = Utc::now();
        let line =
            |claim: &Claim| Record::interrupted(&claim.publication.id, &claim.hooks, time).line();
        let lines: String = left.iter().map(line).collect();
        let (lock, _) = self.lock_or_go_on(patience)?;
        self.append(&lines, lock.as_ref(), false).map(drop)
    }

    /// Chooses deliveries to be sent again, and appends that this process is at them until the
    /// deadline: all under one lock, so that two at once never send the same.
    pub fn claim(
        &self,
        deadline: DateTime<Utc>,
        patience: Patience,
        choose: impl FnOnce(&History) -> Result<Vec<Claim>>,
    ) -> Result<(Vec<Claim>, History)> {
        let lock = self.registry.lock(patience)?;
        let history = self.read()?;
        let claims = choose(&history)?;
        let time = Utc::now();
        let line = |claim: &Claim| {
            let record = RedeliveryRecord::new(&claim.publication.id, &claim.hooks, time, deadline);
            Record::Redelivery(record).line()
        };
        let lines: String = claims.iter().map(line).collect();
        if !lines.is_empty() {
            self.append(&lines, Some(&lock), true)?;
        }
        Ok((claims, history))
    }

    /// A lock that another process does not give back must not lose an event: then the lines are
    /// appended without it.
    fn lock_or_go_on(&self, patience: Patience) -> Result<(Option<Lock>, Appended)> {
        match self.registry.lock(patience) {
            Ok(lock) => Ok((Some(lock), Appended::default())),
            Err(error) => match error.downcast_ref::<Failure>() {
                Some(failure) if failure.exit == Exit::Locked => {
                    let unlocked = Some(failure.to_string());
                    Ok((
                        None,
                        Appended {
                            unlocked,
                            ..Appended::default()
                        },
                    ))
                }
                _ => Err(error),
            },
        }
    }

    /// Appends, and tells whether the journal is due for a compaction.
    fn append(&self, lines: &str, lock: Option<&Lock>, sync: bool) -> Result<bool> {
        self.try_append(lines, lock, sync)
            .with_context(|| format!("could not write the journal {}", self.file.display()))
    }

    fn try_append(&self, lines: &str, lock: Option<&Lock>, sync: bool) -> io::Result<bool> {
        let ownership = self.registry.companion_ownership()?;
        for _ in 0..UNLOCKED_TRIES {
            let mut journal = Lines::open(&self.file, &ownership)?;
            let overgrown = compact::overgrown(&mut journal)?;
            journal.append(lines)?;
            if sync {
                journal.sync()?;
            }
            if lock.is_some() || journal.is_still(&self.file) {
                return Ok(overgrown);
            }
        }
        Err(io::Error::other(
            "it was replaced at the same time, again and again",
        ))
    }

    fn compact(&self) -> Result<()> {
        let bytes = self.bytes()?;
        compact::compact(&self.file, &self.registry, &bytes)
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
