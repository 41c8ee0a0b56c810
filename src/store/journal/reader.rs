//! The journal's publications, the newest first, each with what became of it.
//!
//! Reading goes from the end of the file to its start. What became of a publication stands behind it,
//! so that is kept until the publication comes, and nothing else is: memory goes by what was sent again
//! lately, not by the length of the journal, and who wants the newest need not read the rest.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::history::{Claim, Place, Recorded, RecordedDelivery};
use super::record::{InterruptedRecord, OutcomeKey, Record, RedeliveryRecord};
use super::reverse::ReverseLines;
use crate::domain::hook::HookId;
use crate::domain::outcome::Outcome;

/// Reads a journal from its end, as it was when it was opened.
#[derive(Debug)]
pub(crate) struct Reader {
    lines: Option<ReverseLines>,
    replay: Replay,
}

impl Reader {
    /// Reads this file, or nothing where there is none.
    pub(super) fn new(file: Option<File>, now: DateTime<Utc>) -> io::Result<Self> {
        Ok(Self {
            lines: file.map(ReverseLines::new).transpose()?,
            replay: Replay::new(now),
        })
    }

    /// The next publication, going back in the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Recorded>> {
        let Some(lines) = &mut self.lines else {
            return Ok(None);
        };
        while let Some((start, line)) = lines.next()? {
            let length = line.len() as u64;
            if let Some(recorded) = self.replay.line(Place { start, length }, line) {
                return Ok(Some(recorded));
            }
        }
        Ok(None)
    }

    /// Where the damaged lines are that have come so far. They are passed over.
    pub(crate) fn damaged(&self) -> &[Place] {
        &self.replay.damaged
    }
}

/// What is known while the lines come, the last one first.
#[derive(Debug)]
struct Replay {
    now: DateTime<Utc>,
    /// What became of publications whose own line has not come yet, the latest first.
    events: HashMap<String, Vec<(Place, Event)>>,
    /// The latest redelivery of whatever was not delivered to a hook, and where its line begins.
    redeliveries: HashMap<HookId, (u64, Claim)>,
    /// The publications that have come: a line may stand twice, as an append without the lock is done
    /// again if it may be lost.
    seen: HashSet<[u8; 16]>,
    damaged: Vec<Place>,
}

/// What became of deliveries of one publication.
#[derive(Debug)]
enum Event {
    Claimed(Vec<HookId>, Claim),
    Released(Vec<HookId>),
    Ended(HookId, Box<Outcome>, Option<u32>),
}

impl Replay {
    fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            events: HashMap::new(),
            redeliveries: HashMap::new(),
            seen: HashSet::new(),
            damaged: Vec::new(),
        }
    }

    /// Takes a line; a publication is complete with it.
    fn line(&mut self, place: Place, line: &[u8]) -> Option<Recorded> {
        match serde_json::from_slice(line) {
            Ok(Record::Publication(record)) => {
                if !self.seen.insert(digest(&record.id)) {
                    return None;
                }
                return Some(self.completed(Recorded::new(record, self.now), place));
            }
            Ok(Record::Outcome(json)) => match ended(json.get()) {
                Ok((id, event)) => self.keep(id, place, event),
                Err(_) => self.damaged.push(place),
            },
            Ok(Record::Redelivery(record)) => self.redelivery(place, record),
            Ok(Record::Interrupted(record)) => self.interrupted(place, record),
            Ok(Record::Compacted(_)) => {}
            Err(_) => self.damaged.push(place),
        }
        None
    }

    fn keep(&mut self, id: String, place: Place, event: Event) {
        self.events.entry(id).or_default().push((place, event));
    }

    fn redelivery(&mut self, place: Place, record: RedeliveryRecord) {
        let claim = Claim {
            time: record.time,
            deadline: record.deadline,
        };
        match record.id {
            Some(id) => {
                let event = Event::Claimed(record.hooks.into_owned(), claim);
                self.keep(id.into_owned(), place, event);
            }
            None => self.redelivered(place, &record.hooks, claim),
        }
    }

    fn interrupted(&mut self, place: Place, record: InterruptedRecord) {
        let over = Claim {
            time: record.time,
            deadline: record.time,
        };
        match record.id {
            Some(id) => {
                let event = Event::Released(record.hooks.into_owned());
                self.keep(id.into_owned(), place, event);
            }
            None => self.redelivered(place, &record.hooks, over),
        }
    }

    /// Of several redeliveries to a hook the latest counts, which comes first.
    fn redelivered(&mut self, place: Place, hooks: &[HookId], claim: Claim) {
        for hook in hooks {
            self.redeliveries
                .entry(*hook)
                .or_insert((place.start, claim));
        }
    }

    /// Does to the deliveries what the lines behind the publication say, in the file's order.
    fn completed(&mut self, mut recorded: Recorded, place: Place) -> Recorded {
        recorded.lines.push(place);
        let mut last_ends = HashMap::new();
        let events = self.events.remove(&recorded.id).unwrap_or_default();
        for (place, event) in events.into_iter().rev() {
            recorded.lines.push(place);
            match event {
                Event::Claimed(hooks, claim) => each(&mut recorded, &hooks, |d| d.claim(claim)),
                Event::Released(hooks) => each(&mut recorded, &hooks, RecordedDelivery::release),
                Event::Ended(hook, outcome, failures) => {
                    last_ends.insert(hook, place.start);
                    if let Some(delivery) = recorded.delivery_mut(hook) {
                        delivery.end(*outcome, failures);
                    }
                }
            }
        }
        if !self.redeliveries.is_empty() {
            for delivery in &mut recorded.deliveries {
                if let Some((start, claim)) = self.redeliveries.get(&delivery.hook)
                    && last_ends.get(&delivery.hook).is_none_or(|end| end < start)
                {
                    delivery.claim_if_undelivered(*claim, self.now);
                }
            }
        }
        recorded
    }
}

fn each(recorded: &mut Recorded, hooks: &[HookId], act: impl Fn(&mut RecordedDelivery)) {
    for hook in hooks {
        if let Some(delivery) = recorded.delivery_mut(*hook) {
            act(delivery);
        }
    }
}

fn ended(json: &str) -> serde_json::Result<(String, Event)> {
    let OutcomeKey { id, hook, tries } = serde_json::from_str(json)?;
    let outcome = Box::new(serde_json::from_str(json)?);
    Ok((id.into_owned(), Event::Ended(hook, outcome, tries)))
}

/// Enough of an id to tell it from every other one.
fn digest(id: &str) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let mut start = [0; 16];
    start.copy_from_slice(&whole[..16]);
    start
}

#[cfg(test)]
mod tests;
