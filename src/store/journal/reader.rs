//! The journal's publications, the newest first, each with what became of it.
//!
//! Reading goes from the end of the file to its start. What became of a publication stands behind it,
//! so that is kept until the publication comes, and nothing else is: memory goes by what was sent again
//! lately, not by the length of the journal, and who wants the newest need not read the rest.
//!
//! An example, of which each line is here without its braces and its times:
//!
//! ```text
//! publication  A, targets 1 and 2, deadline 10:01   5. completes A: 1 is delivered, 2 pending
//! outcome      A, hook 1, delivered                 4. kept for A
//! outcome      A, hook 2, failed                    3. kept for A
//! redelivery   hooks 2 and 3, deadline 10:06        2. whatever was not delivered to 2 and 3 is pending
//! publication  B, target 3, deadline 10:07          1. completes B: 3 is pending until 10:07
//! ```
//!
//! At 10:06 nobody has said how the redelivery ended: 2 has failed once then, and is due again.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::io;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::history::{Lease, Place, Recorded};
use super::record::{Claim, OutcomeKey, Record};
use super::reverse::ReverseLines;
use crate::domain::clock::Ages;
use crate::domain::hook::HookId;
use crate::domain::outcome::Outcome;

/// How much earlier than a line before it a line may have been made: it waited for the lock.
const DISORDER: TimeDelta = TimeDelta::minutes(1);

/// Reads a journal from its end, as it was when it was opened.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Nothing where there is no journal.
    lines: Option<ReverseLines>,
    now: DateTime<Utc>,
    pub(super) ages: Ages,
    /// What became of publications whose own line has not come yet.
    events: HashMap<String, Pending>,
    /// When publications were tried whose own line has not come yet, and some whose line has.
    latest: BinaryHeap<(DateTime<Utc>, String)>,
    /// Which process was at a hook last, whatever the publication, and the line that says so.
    at_hooks: HashMap<HookId, (Place, Lease)>,
    /// All such lines, the last one first, and how many of them are needed to know who is at a hook.
    hook_claims: Vec<Place>,
    needed: usize,
    /// Digests of the ids of the publications that have come: a line may stand twice, as an append without the
    /// lock is done again if it may be lost.
    seen: HashSet<[u8; 32]>,
    /// The lines that were passed over, as they cannot be read.
    pub(super) damaged: Vec<Place>,
}

/// What became of one publication, the latest first.
#[derive(Debug, Default)]
struct Pending {
    lines: Vec<(Place, Event)>,
    /// The latest try.
    latest: Option<DateTime<Utc>>,
}

/// What became of deliveries of one publication.
#[derive(Debug)]
enum Event {
    Claimed(Claim),
    /// The delivery to this hook ended; how many tries there were by then, where the line tells.
    Ended(HookId, Box<Outcome>, Option<u32>),
}

impl Reader {
    /// Reads these lines.
    pub(super) fn new(lines: Option<ReverseLines>, now: DateTime<Utc>) -> Self {
        Self {
            lines,
            now,
            ages: Ages::new(now),
            events: HashMap::new(),
            latest: BinaryHeap::new(),
            at_hooks: HashMap::new(),
            hook_claims: Vec::new(),
            needed: 0,
            seen: HashSet::new(),
            damaged: Vec::new(),
        }
    }

    /// The next publication, going back in the file. After an error there is none.
    pub(crate) fn next(&mut self) -> io::Result<Option<Recorded>> {
        let Some(mut lines) = self.lines.take() else {
            return Ok(None);
        };
        let mut found = None;
        while found.is_none()
            && let Some((place, line)) = lines.next()?
        {
            found = self.line(place, line);
        }
        self.lines = Some(lines);
        Ok(found)
    }

    /// Whether a publication that is still to come may have been published, or tried, later than this.
    /// Where a clock was wrong the place in the file counts.
    pub(crate) fn may_hold_later_than(&mut self, time: DateTime<Utc>) -> bool {
        while self.latest.peek().is_some_and(|(_, id)| !self.events.contains_key(id)) {
            self.latest.pop();
        }
        let tried = self.latest.peek().is_some_and(|(latest, _)| *latest > time);
        tried || self.ages.latest() + DISORDER > time
    }

    /// The lines that say which hooks a process is at, whatever the publication.
    pub(super) fn claims(&self) -> &[Place] {
        &self.hook_claims[..self.needed]
    }

    /// Takes a line; a publication is complete with it.
    fn line(&mut self, place: Place, line: &[u8]) -> Option<Recorded> {
        match serde_json::from_slice(line) {
            Ok(Record::Publication(record)) => {
                self.ages.pass(place.start, record.time);
                if !self.seen.insert(Sha256::digest(record.id.as_bytes()).into()) {
                    return None;
                }
                return Some(self.completed(Recorded::new(record, &self.ages), place));
            }
            Ok(Record::Outcome(json)) => {
                if self.ended(place, json.get()).is_err() {
                    self.damaged.push(place);
                }
            }
            Ok(Record::Redelivery(claim)) => self.claimed(place, claim),
            Ok(Record::Interrupted(claim)) => {
                self.claimed(place, Claim { deadline: None, ..claim });
            }
            Ok(Record::Compacted(record)) => self.ages.pass(place.start, record.time),
            Err(_) => self.damaged.push(place),
        }
        None
    }

    fn ended(&mut self, place: Place, json: &str) -> serde_json::Result<()> {
        let OutcomeKey { id, hook, tries } = serde_json::from_str(json)?;
        let outcome: Box<Outcome> = serde_json::from_str(json)?;
        let time = outcome.time;
        self.ages.pass(place.start, time);
        let pending = self.events.entry(id.to_string()).or_default();
        pending.lines.push((place, Event::Ended(hook, outcome, tries)));
        if pending.latest.is_none_or(|latest| latest < time) {
            pending.latest = Some(time);
            self.latest.push((time, id.into_owned()));
        }
        Ok(())
    }

    fn claimed(&mut self, place: Place, claim: Claim) {
        self.ages.pass(place.start, claim.time);
        if let Some(id) = &claim.id {
            let pending = self.events.entry(id.clone()).or_default();
            pending.lines.push((place, Event::Claimed(claim)));
            return;
        }
        let lease = Lease::of(&claim);
        // Of several to a hook the latest counts, which comes first.
        for hook in claim.hooks {
            self.at_hooks.entry(hook).or_insert((place, lease));
        }
        self.hook_claims.push(place);
        if lease.holds_at(self.now) {
            self.needed = self.hook_claims.len();
        }
    }

    /// Does to the deliveries what the lines behind the publication say, in the file's order, and notes
    /// which of these say who is at them now.
    fn completed(&mut self, mut recorded: Recorded, place: Place) -> Recorded {
        let mut claims = Vec::new();
        let events = self.events.remove(&recorded.id).unwrap_or_default();
        for (place, event) in events.lines.into_iter().rev() {
            match event {
                Event::Claimed(claim) => {
                    recorded.claim(&claim);
                    claims.push((place, claim));
                }
                Event::Ended(hook, outcome, tries) => {
                    if let Some(delivery) = recorded.delivery_mut(hook) {
                        delivery.end(*outcome, tries, place);
                    }
                }
            }
        }
        for delivery in &mut recorded.deliveries {
            delivery.age = self.ages.age(delivery.last_try);
            if let Some((place, lease)) = self.at_hooks.get(&delivery.hook)
                && delivery.last_end < Some(*place)
                && lease.holds_at(self.now)
                && delivery.is_undelivered(self.now)
            {
                delivery.lease = Some(*lease);
            }
        }
        claims.retain(|(place, claim)| {
            let mut deliveries = claim.hooks.iter().filter_map(|hook| recorded.delivery(*hook));
            !claim.added.is_empty() || deliveries.any(|delivery| delivery.last_end < Some(*place))
        });
        recorded.lines.push(place);
        recorded.lines.extend(claims.iter().map(|(place, _)| *place));
        recorded
    }
}

#[cfg(test)]
mod tests;
