//! Which deliveries are sent again: chosen and claimed under one lock, so that two at once never send
//! the same (docs/design.md §5).

mod begun;
mod others;
mod skipped;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Dispatch, Unsent};
use crate::domain::hook::{Hook, HookId};
use crate::domain::publication::Delivery;
use crate::domain::reference::{HookReference, Reference};
use crate::exit::Failure;
use crate::store::file::{Lock, Patience};
use crate::store::journal::{Claim, Journal, Recorded, RecordedDelivery, State};
use crate::store::registry::Registry;
use skipped::Skipped;

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
        /// Also to hooks that have another URL since.
        moved: bool,
    },
    /// What was held for these hooks, of publications younger than this.
    Held(Vec<HookReference>, TimeDelta),
    /// The latest publication of a hook, or a publication, each as named.
    Named(Vec<Reference>),
    /// What of this publication is still to be sent, due or not; with `defer` nothing, as its run only keeps it.
    Begun {
        /// The publication's id.
        id: String,
        /// Whether it is left to `redeliver`.
        defer: bool,
    },
    /// These publications, to hooks that they need not have been for.
    To(Vec<Reference>, Vec<HookReference>),
}

/// What was chosen, and what is to be said of it: nothing is printed under the lock, as a reader that
/// has stopped reading must not keep it.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// The deliveries to make, the oldest publication first.
    pub(crate) deliveries: Vec<Delivery>,
    /// What of a publication that was [`Selection::Begun`] is not sent; empty if the journal does not have it.
    pub(crate) rest: Vec<Unsent>,
    /// What was claimed as a whole, to be given back.
    pub(crate) claim: Option<Claim>,
    /// Things to know.
    pub(crate) notes: Vec<String>,
    /// Things that could not be done.
    pub(crate) warnings: Vec<String>,
    /// The numbers of the journal's lines that were damaged.
    pub(crate) damaged: Vec<usize>,
}

/// The hooks of the registry, by their ids.
type Hooks = HashMap<HookId, Arc<Hook>>;

impl Dispatch<'_> {
    /// Chooses what is sent again, and claims it in the journal until the deadline.
    pub(crate) fn select(&mut self, selection: &Selection) -> Result<Selected> {
        let wait = Patience::of(self.journaling.left().min(LOCK_WAIT));
        let lock = self.registry.lock(wait)?;
        self.claim(selection, &lock)
    }

    fn claim(&mut self, selection: &Selection, lock: &Lock) -> Result<Selected> {
        let choice = choose(self.registry, selection)?;
        if !choice.claims.is_empty() {
            let journal = Journal::of(self.registry);
            journal.claim(&choice.claims, self.journaling.claim(), lock)?;
        }
        Ok(choice.selected)
    }
}

/// What [`Dispatch::select`] would choose at this moment. Nothing is claimed.
pub(crate) fn preview(registry: &Registry, selection: &Selection) -> Result<Selected> {
    choose(registry, selection).map(|choice| choice.selected)
}

fn choose<'a>(registry: &Registry, selection: &'a Selection) -> Result<Choice<'a>> {
    let hooks = registry.read()?.hooks;
    let mut choice = Choice {
        selection,
        hooks: hooks.into_iter().map(|h| (h.id, Arc::new(h))).collect(),
        now: Utc::now(),
        claims: Vec::new(),
        skipped: Vec::new(),
        selected: Selected::default(),
    };
    let journal = Journal::of(registry);
    match selection {
        Selection::Failed { .. } => choice.undelivered(&journal)?,
        Selection::Held(hooks, _) => {
            choice.resolve(hooks)?;
            choice.undelivered(&journal)?;
        }
        Selection::Named(references) => choice.named(&journal, references)?,
        Selection::Begun { id, defer } => choice.begun(&journal, id, *defer)?,
        Selection::To(publications, hooks) => choice.to(&journal, publications, hooks)?,
    }
    Ok(choice)
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
        let state = delivery.state(self.now);
        let is_asked_for = match self.selection {
            Selection::Failed { .. } | Selection::Begun { .. } => {
                let owed = delivery.is_undelivered(self.now) || state == State::Pending;
                owed && !recorded.test
            }
            Selection::Held(named, _) => {
                let hook = self.hooks.get(&delivery.hook);
                let is_named = |hook: &Arc<Hook>| named.iter().any(|name| hook.is(name));
                state == State::Held && hook.is_some_and(is_named)
            }
            Selection::Named(_) | Selection::To(..) => true,
        };
        if !is_asked_for {
            return Err(Skipped::Other);
        }
        if state == State::Pending {
            return Err(Skipped::Pending);
        }
        let hook = self.hooks.get(&delivery.hook).ok_or(Skipped::Gone)?;
        let may_move =
            matches!(self.selection, Selection::Failed { moved: true, .. } | Selection::To(..));
        if hook.url != delivery.url && !may_move {
            return Err(Skipped::Moved);
        }
        if !hook.enabled {
            return Err(Skipped::Disabled);
        }
        match self.selection {
            Selection::Failed { since, .. }
                if recorded.age > *since && delivery.tries.is_empty() =>
            {
                Err(Skipped::Missed)
            }
            Selection::Failed { since, .. } | Selection::Held(_, since)
                if recorded.age > *since =>
            {
                Err(Skipped::Old)
            }
            Selection::Failed { since, now: false, .. } => {
                let latest = delivery.last_try.checked_add_signed(*since);
                let due = delivery.due(self.now).min(latest.unwrap_or(DateTime::<Utc>::MAX_UTC));
                if due > self.now {
                    return Err(Skipped::Later(due));
                }
                Ok(Arc::clone(hook))
            }
            _ => Ok(Arc::clone(hook)),
        }
    }

    /// Everything undelivered that is asked for, the oldest first.
    fn undelivered(&mut self, journal: &Journal) -> Result<()> {
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
                self.selected.deliveries.push(Delivery { publication, hook });
            }
        }
        let failed = matches!(self.selection, Selection::Failed { .. });
        if failed && !claimed.is_empty() {
            let claim = Claim::new(None, claimed.into_iter().collect());
            self.claims.push(claim.clone());
            self.selected.claim = Some(claim);
        } else {
            self.claims = claims(&self.selected.deliveries);
        }
        let left = skipped::notes(&self.skipped, self.selected.deliveries.is_empty());
        self.selected.notes.extend(left);
        self.selected.warnings.extend(skipped::warning(&self.skipped));
        Ok(())
    }

    /// The latest publication of each hook, or the publications, that are named.
    fn named(&mut self, journal: &Journal, references: &[Reference]) -> Result<()> {
        let mut found: Vec<(Recorded, Vec<HookId>)> = Vec::new();
        for reference in references {
            let (recorded, hooks) = match reference {
                Reference::Hook(named) => {
                    let ids = self.resolve(std::slice::from_ref(named))?;
                    let id = ids[0];
                    let is_latest = |r: &Recorded| !r.test && r.delivery(id).is_some();
                    let Some(recorded) = self.find(journal, is_latest)? else {
                        let label = self.hooks[&id].label();
                        let warning = format!("nothing was published to {label} yet");
                        self.selected.warnings.push(warning);
                        continue;
                    };
                    (recorded, vec![id])
                }
                Reference::Publication(id) => {
                    let Some(recorded) = self.find(journal, |r| r.id == *id)? else {
                        return Err(Failure::unknown_publication(id).into());
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

    /// The ids of the hooks that are named, each in its turn.
    fn resolve(&self, named: &[HookReference]) -> Result<Vec<HookId>, Failure> {
        let id = |name: &HookReference| {
            let hook = self.hooks.values().find(|hook| hook.is(name));
            Ok(hook.ok_or_else(|| Failure::unknown_hooks([name]))?.id)
        };
        named.iter().map(id).collect()
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
                    self.selected.deliveries.push(Delivery { publication, hook });
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
            self.claims.push(Claim::new(Some(recorded.id.clone()), taken));
        }
    }
}

/// What is claimed one by one, by publication.
fn claims(deliveries: &[Delivery]) -> Vec<Claim> {
    let same = |a: &Delivery, b: &Delivery| a.publication.id == b.publication.id;
    let claim = |of_one: &[Delivery]| {
        let hooks = of_one.iter().map(|delivery| delivery.hook.id).collect();
        Claim::new(Some(of_one[0].publication.id.clone()), hooks)
    };
    deliveries.chunk_by(same).map(claim).collect()
}
