//! The journal's publications, the newest first, each with what became of it.
//!
//! Reading goes from the end of the file to its start. What became of a publication stands behind it,
//! so that is kept until the publication comes, and nothing else is: memory goes by what was sent again
//! lately, not by the length of the journal, and who wants the newest need not read the rest.

use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::fs::File;
use std::io;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::history::{Claim, Place, Recorded, RecordedDelivery};
use super::record::{InterruptedRecord, OutcomeKey, Record, RedeliveryRecord};
use super::reverse::ReverseLines;
use crate::domain::clock::Ages;
use crate::domain::hook::HookId;
use crate::domain::outcome::Outcome;

/// How much earlier than a line before it a line may have been made: it waited for the lock.
const DISORDER: TimeDelta = TimeDelta::minutes(1);

/// Reads a journal from its end, as it was when it was opened.
#[derive(Debug)]
pub(crate) struct Reader {
    lines: Option<ReverseLines>,
    replay: Replay,
}

impl Reader {
    /// Reads this file, or nothing where there is none.
    pub(super) fn new(file: Option<File>, now: DateTime<Utc>) -> io::Result<Self> {
        Ok(Self { lines: file.map(ReverseLines::new).transpose()?, replay: Replay::new(now) })
    }

    /// Reads this file up to this length.
    pub(super) fn up_to(length: u64, file: File, now: DateTime<Utc>) -> Self {
        Self { lines: Some(ReverseLines::up_to(length, file)), replay: Replay::new(now) }
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

    /// Whether a publication that is still to come may have been published, or tried, later than this.
    /// Where a clock was wrong the place in the file counts.
    pub(crate) fn may_hold_later_than(&mut self, time: DateTime<Utc>) -> bool {
        let Replay { ages, events, latest, .. } = &mut self.replay;
        while latest.peek().is_some_and(|(_, id)| !events.contains_key(id)) {
            latest.pop();
        }
        let tried = latest.peek().is_some_and(|(latest, _)| *latest > time);
        tried || ages.latest() + DISORDER > time
    }

    /// Where the damaged lines are that have come so far. They are passed over.
    pub(crate) fn damaged(&self) -> &[Place] {
        &self.replay.damaged
    }

    /// Where the lines are that say which hooks a process is at, whatever the publication.
    pub(super) fn redeliveries(&self) -> &[Place] {
        &self.replay.redelivery_lines[..self.replay.needed]
    }

    /// See [`Ages::milestones`].
    pub(super) fn milestones(&self) -> &[(u64, DateTime<Utc>)] {
        self.replay.ages.milestones()
    }
}

/// What is known while the lines come, the last one first.
#[derive(Debug)]
struct Replay {
    now: DateTime<Utc>,
    ages: Ages,
    /// What became of publications whose own line has not come yet.
    events: HashMap<String, Pending>,
    /// When publications were tried whose own line has not come yet, and some whose line has.
    latest: BinaryHeap<(DateTime<Utc>, String)>,
    /// The latest redelivery of whatever was not delivered to a hook, and where its line begins.
    redeliveries: HashMap<HookId, (u64, Claim)>,
    /// The lines of those, the last one first, and how many of them are needed to know who is at a hook.
    redelivery_lines: Vec<Place>,
    needed: usize,
    /// The publications that have come: a line may stand twice, as an append without the lock is done
    /// again if it may be lost.
    seen: HashSet<[u8; 16]>,
    damaged: Vec<Place>,
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
    Claimed(Vec<HookId>, Claim),
    /// The publication goes to one more hook, by its URL.
    Added(HookId, String, Claim),
    Released(Vec<HookId>),
    Ended(HookId, Box<Outcome>, Option<u32>),
}

impl Replay {
    fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            ages: Ages::new(now),
            events: HashMap::new(),
            latest: BinaryHeap::new(),
            redeliveries: HashMap::new(),
            redelivery_lines: Vec::new(),
            needed: 0,
            seen: HashSet::new(),
            damaged: Vec::new(),
        }
    }

    /// Takes a line; a publication is complete with it.
    fn line(&mut self, place: Place, line: &[u8]) -> Option<Recorded> {
        match serde_json::from_slice(line) {
            Ok(Record::Publication(record)) => {
                self.ages.pass(place.start, record.time);
                if !self.seen.insert(digest(&record.id)) {
                    return None;
                }
                return Some(self.completed(Recorded::new(record, &self.ages), place));
            }
            Ok(Record::Outcome(json)) => match ended(json.get()) {
                Ok((id, time, event)) => self.ended(id, time, place, event),
                Err(_) => self.damaged.push(place),
            },
            Ok(Record::Redelivery(record)) => self.redelivery(place, record),
            Ok(Record::Interrupted(record)) => self.interrupted(place, record),
            Ok(Record::Compacted(record)) => self.ages.pass(place.start, record.time),
            Err(_) => self.damaged.push(place),
        }
        None
    }

    fn keep(&mut self, id: String, place: Place, event: Event) {
        let pending = self.events.entry(id).or_default();
        pending.lines.push((place, event));
    }

    fn ended(&mut self, id: String, time: DateTime<Utc>, place: Place, event: Event) {
        self.ages.pass(place.start, time);
        let pending = self.events.entry(id.clone()).or_default();
        pending.lines.push((place, event));
        if pending.latest.is_none_or(|latest| latest < time) {
            pending.latest = Some(time);
            self.latest.push((time, id));
        }
    }

    fn redelivery(&mut self, place: Place, record: RedeliveryRecord) {
        self.ages.pass(place.start, record.time);
        let claim = Claim { time: record.time, deadline: record.deadline };
        match record.id {
            Some(id) => {
                let event = Event::Claimed(record.hooks.into_owned(), claim);
                self.keep(id.to_string(), place, event);
                for target in record.added {
                    let event = Event::Added(target.hook, target.url.into_owned(), claim);
                    self.keep(id.to_string(), place, event);
                }
            }
            None => self.redelivered(place, &record.hooks, claim),
        }
    }

    fn interrupted(&mut self, place: Place, record: InterruptedRecord) {
        self.ages.pass(place.start, record.time);
        let over = Claim { time: record.time, deadline: record.time };
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
            self.redeliveries.entry(*hook).or_insert((place.start, claim));
        }
        self.redelivery_lines.push(place);
        if claim.holds_at(self.now) {
            self.needed = self.redelivery_lines.len();
        }
    }

    /// Does to the deliveries what the lines behind the publication say, in the file's order, and notes
    /// which of these decide something.
    fn completed(&mut self, mut recorded: Recorded, place: Place) -> Recorded {
        let (mut ends, mut claims) = (HashMap::new(), Vec::new());
        let mut needed = BTreeMap::from([(place.start, place)]);
        let events = self.events.remove(&recorded.id).unwrap_or_default();
        for (place, event) in events.lines.into_iter().rev() {
            match event {
                Event::Claimed(hooks, claim) => {
                    each(&mut recorded, &hooks, |d| d.claim(claim));
                    claims.push((place, hooks));
                }
                Event::Added(hook, url, claim) => {
                    recorded.add(hook, url, claim);
                    needed.insert(place.start, place);
                }
                Event::Released(hooks) => {
                    each(&mut recorded, &hooks, RecordedDelivery::release);
                    claims.push((place, hooks));
                }
                Event::Ended(hook, outcome, tries) => {
                    ends.insert(hook, place);
                    if let Some(delivery) = recorded.delivery_mut(hook) {
                        delivery.end(*outcome, tries, place);
                    }
                }
            }
        }
        for delivery in &mut recorded.deliveries {
            delivery.age = self.ages.age(delivery.last_try);
            if let Some((start, claim)) = self.redeliveries.get(&delivery.hook)
                && ends.get(&delivery.hook).is_none_or(|end| end.start < *start)
            {
                delivery.claim_if_undelivered(*claim, self.now);
            }
        }
        let holds = |place: &Place, hook: &HookId| ends.get(hook).is_none_or(|end| end < place);
        claims.retain(|(place, hooks)| hooks.iter().any(|hook| holds(place, hook)));
        needed.extend(claims.iter().map(|(place, _)| (place.start, *place)));
        // One that counts as no try ends what stands before it all the same.
        needed.extend(ends.values().map(|place| (place.start, *place)));
        recorded.lines = needed.into_values().collect();
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

fn ended(json: &str) -> serde_json::Result<(String, DateTime<Utc>, Event)> {
    let OutcomeKey { id, hook, tries } = serde_json::from_str(json)?;
    let outcome: Box<Outcome> = Box::new(serde_json::from_str(json)?);
    let time = outcome.time;
    Ok((id.into_owned(), time, Event::Ended(hook, outcome, tries)))
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
