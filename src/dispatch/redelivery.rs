//! Which deliveries are sent again: chosen and claimed under one lock, so that two at once never send
//! the same (docs/design.md §5).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::Dispatch;
use crate::domain::hook::{Hook, HookId};
use crate::domain::publication::Delivery;
use crate::domain::reference::Reference;
use crate::exit::{Exit, Failure};
use crate::output::outcome::readable_time;
use crate::security::escape::escape;
use crate::store::file::LockWait;
use crate::store::journal::{Claim, Journal, Recorded, RecordedDelivery, State};

/// How long the claim waits for the lock: without it, two could send the same.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// What is to be sent again.
#[derive(Debug, Clone)]
pub(crate) enum Selection {
    /// Everything undelivered.
    Failed {
        /// Only publications younger than this.
        since: TimeDelta,
        /// Also what is not due yet.
        now: bool,
    },
    /// The latest publication of a hook, or a publication, each as named.
    Named(Vec<Reference>),
}

/// What was chosen, and what is to be said of it: nothing is printed under the lock, as a reader that
/// has stopped reading must not keep it.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// The deliveries to make, the oldest publication first.
    pub(crate) deliveries: Vec<Delivery>,
    /// What was claimed as a whole, to be given back.
    pub(crate) claim: Option<Claim>,
    /// Things to know.
    pub(crate) notes: Vec<String>,
    /// Things that could not be done.
    pub(crate) warnings: Vec<String>,
    /// The numbers of the journal's lines that were damaged.
    pub(crate) damaged: Vec<usize>,
}

/// Why a delivery is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skipped {
    /// It was delivered, or it is a sample.
    Done,
    /// No hook has that id and URL any more.
    Gone,
    /// Its hook is disabled.
    Disabled,
    /// A process is at it.
    Pending,
    /// Its publication is too old.
    Old,
    /// It is due later.
    Later(DateTime<Utc>),
}

/// The hooks of the registry, by their ids.
type Hooks = HashMap<HookId, Arc<Hook>>;

impl Dispatch<'_> {
    /// Chooses what is sent again, and claims it in the journal until the deadline.
    pub(crate) fn select(&self, selection: &Selection) -> Result<Selected> {
        let lock = self
            .registry
            .lock(LockWait::at_most(self.left().min(LOCK_WAIT)))?;
        let hooks = self.registry.read()?.hooks;
        let hooks: Hooks = hooks.into_iter().map(|h| (h.id, Arc::new(h))).collect();
        let journal = Journal::of(self.registry);
        let mut choice = Choice {
            selection,
            hooks,
            now: Utc::now(),
            claims: Vec::new(),
            skipped: Vec::new(),
            selected: Selected::default(),
        };
        match selection {
            Selection::Failed { .. } => choice.failed(&journal)?,
            Selection::Named(references) => choice.named(&journal, references)?,
        }
        if !choice.claims.is_empty() {
            journal.claim(&choice.claims, self.deadline(), &lock)?;
        }
        Ok(choice.selected)
    }
}

/// A choice on its way.
struct Choice<'a> {
    selection: &'a Selection,
    hooks: Hooks,
    now: DateTime<Utc>,
    claims: Vec<Claim>,
    /// Why undelivered ones are left, for `--failed`.
    skipped: Vec<Skipped>,
    selected: Selected,
}

impl Choice<'_> {
    /// The hook to send a recorded delivery to, or why it is not sent: the one place that decides it.
    fn eligible(
        &self,
        recorded: &Recorded,
        delivery: &RecordedDelivery,
    ) -> Result<Arc<Hook>, Skipped> {
        let pending = delivery.state(self.now) == State::Pending;
        if let Selection::Failed { .. } = self.selection {
            if pending {
                return Err(Skipped::Pending);
            }
            if recorded.test || !delivery.is_undelivered(self.now) {
                return Err(Skipped::Done);
            }
        }
        let hook = self.hooks.get(&delivery.hook);
        let Some(hook) = hook.filter(|hook| hook.url == delivery.url) else {
            return Err(Skipped::Gone);
        };
        if !hook.enabled {
            return Err(Skipped::Disabled);
        }
        if pending {
            return Err(Skipped::Pending);
        }
        if let Selection::Failed { since, now } = self.selection {
            if recorded.age > *since {
                return Err(Skipped::Old);
            }
            let due = delivery.due(self.now);
            if !now && due > self.now {
                return Err(Skipped::Later(due));
            }
        }
        Ok(Arc::clone(hook))
    }

    /// `--failed`: everything undelivered that is young enough and due, the oldest first.
    fn failed(&mut self, journal: &Journal) -> Result<()> {
        let mut reader = journal.read()?;
        let mut newest_first = Vec::new();
        while let Some(recorded) = journal.next(&mut reader)? {
            let mut hooks = Vec::new();
            for delivery in &recorded.deliveries {
                match self.eligible(&recorded, delivery) {
                    Ok(hook) => hooks.push(hook),
                    Err(why) => self.skipped.push(why),
                }
            }
            if !hooks.is_empty() {
                newest_first.push((Arc::new(recorded.publication()), hooks));
            }
        }
        self.selected.damaged = journal.damaged(&reader);
        let mut claimed = BTreeSet::new();
        for (publication, hooks) in newest_first.into_iter().rev() {
            for hook in hooks {
                claimed.insert(hook.id);
                let publication = Arc::clone(&publication);
                self.selected
                    .deliveries
                    .push(Delivery { publication, hook });
            }
        }
        if !claimed.is_empty() {
            let claim = Claim::Hooks(claimed.into_iter().collect());
            self.claims.push(claim.clone());
            self.selected.claim = Some(claim);
        }
        self.say_what_is_left();
        Ok(())
    }

    fn say_what_is_left(&mut self) {
        let later = self.skipped.iter().filter_map(|skipped| match skipped {
            Skipped::Later(due) => Some(*due),
            _ => None,
        });
        let notes = &mut self.selected.notes;
        if let Some(next) = later.clone().min() {
            notes.push(format!(
                "not due yet: {}, the next at {}; to send whatever failed: --now",
                later.count(),
                readable_time(next)
            ));
        } else if self.selected.deliveries.is_empty() {
            notes.push("nothing to send again".to_owned());
        }
        let kinds = [
            (Skipped::Gone, "to a hook that is gone or has another URL"),
            (Skipped::Disabled, "to a disabled hook"),
            (Skipped::Old, "older than --since"),
        ];
        let count = |kind| self.skipped.iter().filter(|why| **why == kind).count();
        let kinds: Vec<String> = kinds
            .into_iter()
            .map(|(kind, what)| (count(kind), what))
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{number} {what}"))
            .collect();
        if !kinds.is_empty() {
            notes.push(format!("undelivered, and left so: {}", kinds.join(", ")));
        }
    }

    /// The latest publication of each hook, or the publications, that are named.
    fn named(&mut self, journal: &Journal, references: &[Reference]) -> Result<()> {
        let mut found: Vec<(Recorded, Vec<HookId>)> = Vec::new();
        for reference in references {
            let (recorded, hooks) = match reference {
                Reference::Hook(id) => {
                    if !self.hooks.contains_key(id) {
                        return Err(Failure::unknown_hooks(&[*id]).into());
                    }
                    let is_latest = |r: &Recorded| !r.test && r.delivery(*id).is_some();
                    let Some(recorded) = self.find(journal, is_latest)? else {
                        let warning = format!("nothing was published to hook {id} yet");
                        self.selected.warnings.push(warning);
                        continue;
                    };
                    (recorded, vec![*id])
                }
                Reference::Publication(id) => {
                    let Some(recorded) = self.find(journal, |r| r.id == *id)? else {
                        return Err(unknown_publication(id).into());
                    };
                    let hooks = recorded.deliveries.iter().map(|d| d.hook).collect();
                    (recorded, hooks)
                }
            };
            match found.iter_mut().find(|(r, _)| r.id == recorded.id) {
                Some((_, known)) => known.extend(hooks),
                None => found.push((recorded, hooks)),
            }
        }
        found.sort_by_key(|(recorded, _)| recorded.time);
        for (recorded, hooks) in found {
            self.take(&recorded, &hooks);
        }
        Ok(())
    }

    /// The newest publication that is wanted.
    fn find(
        &mut self,
        journal: &Journal,
        wanted: impl Fn(&Recorded) -> bool,
    ) -> Result<Option<Recorded>> {
        let mut reader = journal.read()?;
        let mut found = None;
        while let Some(recorded) = journal.next(&mut reader)? {
            if wanted(&recorded) {
                found = Some(recorded);
                break;
            }
        }
        self.selected.damaged = journal.damaged(&reader);
        Ok(found)
    }

    /// Takes what can be sent of a publication, and says of the rest why it cannot.
    fn take(&mut self, recorded: &Recorded, hooks: &[HookId]) {
        let publication = Arc::new(recorded.publication());
        let mut taken: Vec<HookId> = Vec::new();
        for delivery in hooks.iter().filter_map(|id| recorded.delivery(*id)) {
            if taken.contains(&delivery.hook) {
                continue;
            }
            match self.eligible(recorded, delivery) {
                Ok(hook) => {
                    taken.push(hook.id);
                    let publication = Arc::clone(&publication);
                    self.selected
                        .deliveries
                        .push(Delivery { publication, hook });
                }
                Err(why) => self.selected.warnings.push(format!(
                    "hook {} is left out of {}: {}",
                    delivery.hook,
                    recorded.id,
                    why.words()
                )),
            }
        }
        if !taken.is_empty() {
            self.claims
                .push(Claim::Publication(recorded.id.clone(), taken));
        }
    }
}

impl Skipped {
    /// Why a delivery that was named is left out.
    fn words(self) -> &'static str {
        match self {
            Self::Gone => "it does not exist any more with the URL of that time",
            Self::Disabled => "it is disabled",
            Self::Pending => "another process may be at it",
            Self::Done | Self::Old | Self::Later(_) => "it is not wanted",
        }
    }
}

fn unknown_publication(id: &str) -> Failure {
    let message = format!("no publication has the id {}", escape(id));
    Failure::new(Exit::Unknown, message)
        .hint("see 'hooks log -v'; what is old and was delivered is not kept")
}
