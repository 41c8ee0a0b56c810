//! Which deliveries are sent again: chosen and claimed under one lock, so that two at once never send
//! the same (docs/design.md §5).

mod begun;
mod eligible;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::journaling::claims_of;
use super::{DeliveryState, Dispatch};
use crate::domain::hook::{Hook, HookId};
use crate::domain::publication::Delivery;
use crate::domain::reference::{HookReference, Reference};
use crate::exit::Failure;
use crate::store::file::{Lock, Patience};
use crate::store::journal::{Claim, Journal, Recorded};
use crate::store::registry::Registry;

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
    /// The latest publication of a hook, or a publication, each as named; publications also to hooks that they
    /// need not have been for, where such are named.
    Named(Vec<Reference>, Vec<HookReference>),
    /// What of this publication is still to be sent, due or not; with `defer` nothing, as its run only keeps it.
    Begun {
        /// The publication's id.
        id: String,
        /// Whether it is left to `redeliver`.
        defer: bool,
    },
}

/// What was chosen, and what is to be said of it: nothing is printed under the lock, as a reader that
/// has stopped reading must not keep it.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// The deliveries to make, the oldest publication first.
    pub(crate) deliveries: Vec<Delivery>,
    /// What of a publication that was [`Selection::Begun`] is not sent; empty if the journal does not have it.
    pub(crate) rest: Vec<DeliveryState>,
    /// How the deliveries are claimed.
    pub(super) claims: Vec<Claim>,
    /// Things to know.
    pub(crate) notes: Vec<String>,
    /// Things that could not be done.
    pub(crate) warnings: Vec<String>,
    /// The numbers of the journal's lines that were damaged.
    pub(crate) damaged: Vec<usize>,
}

impl Dispatch<'_> {
    /// Chooses what is sent again, and claims it in the journal until the deadline.
    pub(crate) fn select(&mut self, selection: &Selection) -> Result<Selected> {
        let lock = self.lock()?;
        self.claim(selection, &lock)
    }

    fn lock(&self) -> Result<Lock> {
        let wait = Patience::of(self.left().min(LOCK_WAIT));
        self.registry.lock(wait)
    }

    fn claim(&mut self, selection: &Selection, lock: &Lock) -> Result<Selected> {
        let selected = choose(self.registry, selection)?;
        if !selected.claims.is_empty() {
            let until = self.claim_until();
            self.journal.claim(&selected.claims, until, lock)?;
        }
        Ok(selected)
    }
}

/// Chooses what is sent again at this moment. Nothing is claimed.
pub(crate) fn choose(registry: &Registry, selection: &Selection) -> Result<Selected> {
    let hooks = registry.read()?.hooks;
    let mut choice = Choice {
        selection,
        journal: Journal::of(registry),
        hooks: hooks.into_iter().map(|h| (h.id, Arc::new(h))).collect(),
        now: Utc::now(),
        selected: Selected::default(),
    };
    match selection {
        Selection::Failed { .. } | Selection::Held(..) => choice.undelivered()?,
        Selection::Named(references, to) => choice.named(references, to)?,
        Selection::Begun { id, defer } => choice.begun(id, *defer)?,
    }
    Ok(choice.selected)
}

/// A choice on its way.
struct Choice<'a> {
    selection: &'a Selection,
    journal: Journal,
    /// The hooks of the registry, by their ids.
    hooks: HashMap<HookId, Arc<Hook>>,
    now: DateTime<Utc>,
    selected: Selected,
}

impl Choice<'_> {
    /// Everything undelivered that is asked for, the oldest first.
    fn undelivered(&mut self) -> Result<()> {
        if let Selection::Held(named, _) = self.selection {
            self.ids(named)?;
        }
        let mut reader = self.journal.read()?;
        let (mut newest_first, mut skipped) = (Vec::new(), Vec::new());
        while let Some(recorded) = self.journal.next(&mut reader)? {
            let mut hooks = Vec::new();
            for delivery in &recorded.deliveries {
                match self.eligible(&recorded, delivery) {
                    Ok(hook) => hooks.push(hook),
                    Err(why) => skipped.push(why),
                }
            }
            if !hooks.is_empty() {
                newest_first.push((Arc::new(recorded.publication()), hooks));
            }
        }
        let selected = &mut self.selected;
        selected.damaged = self.journal.damaged(&reader);
        for (publication, hooks) in newest_first.into_iter().rev() {
            let delivery = |hook| Delivery { publication: Arc::clone(&publication), hook };
            selected.deliveries.extend(hooks.into_iter().map(delivery));
        }
        let deliveries = &selected.deliveries;
        selected.claims = match self.selection {
            Selection::Failed { .. } if !deliveries.is_empty() => {
                let hooks: BTreeSet<HookId> = deliveries.iter().map(|d| d.hook.id).collect();
                vec![Claim::new(None, hooks.into_iter().collect())]
            }
            _ => claims_of(deliveries),
        };
        eligible::explain(&skipped, selected);
        Ok(())
    }

    /// The latest publication of each hook, or the publications, that are named.
    fn named(&mut self, references: &[Reference], to: &[HookReference]) -> Result<()> {
        let to = self.ids(to)?;
        let mut found: Vec<(Recorded, Vec<HookId>)> = Vec::new();
        for reference in references {
            let (recorded, hooks) = match reference {
                Reference::Hook(_) if !to.is_empty() => {
                    let message = "--to goes with a publication's msg_… id";
                    return Err(Failure::usage(message).hint("see 'hooks log -v'").into());
                }
                Reference::Hook(named) => {
                    let ids = self.ids(std::slice::from_ref(named))?;
                    let is_latest = |r: &Recorded| !r.test && r.delivery(ids[0]).is_some();
                    let Some(recorded) = self.find(is_latest)? else {
                        let label = self.hooks[&ids[0]].label();
                        let warning = format!("nothing was published to {label} yet");
                        self.selected.warnings.push(warning);
                        continue;
                    };
                    (recorded, ids)
                }
                Reference::Publication(id) => {
                    let Some(recorded) = self.find(|r| r.id == *id)? else {
                        return Err(Failure::unknown_publication(id).into());
                    };
                    let all = || recorded.deliveries.iter().map(|d| d.hook).collect();
                    let hooks = if to.is_empty() { all() } else { to.clone() };
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
    fn ids(&self, named: &[HookReference]) -> Result<Vec<HookId>, Failure> {
        let id = |name: &HookReference| {
            let hook = self.hooks.values().find(|hook| hook.is(name));
            Ok(hook.ok_or_else(|| Failure::unknown_hooks([name]))?.id)
        };
        named.iter().map(id).collect()
    }

    /// The newest publication that is wanted.
    fn find(&mut self, wanted: impl Fn(&Recorded) -> bool) -> Result<Option<Recorded>> {
        let mut reader = self.journal.read()?;
        let mut found = None;
        while let Some(recorded) = self.journal.next(&mut reader)? {
            if wanted(&recorded) {
                found = Some(recorded);
                break;
            }
        }
        self.selected.damaged = self.journal.damaged(&reader);
        Ok(found)
    }

    /// Takes what can be sent of a publication to these hooks, and says of the rest why it cannot.
    fn take(&mut self, recorded: &Recorded, hooks: &[HookId]) {
        let publication = Arc::new(recorded.publication());
        let (mut seen, mut known) = (HashSet::new(), Vec::new());
        for id in hooks.iter().filter(|id| seen.insert(**id)) {
            let delivery = recorded.delivery(*id);
            let eligible = match delivery {
                Some(delivery) => self.eligible(recorded, delivery),
                None => self.enabled(*id),
            };
            let hook = match eligible {
                Ok(hook) => hook,
                Err(why) => {
                    self.selected.warnings.push(why.left_out(*id, &recorded.id));
                    continue;
                }
            };
            if delivery.is_some() {
                known.push(*id);
            } else {
                let claim = Claim::added(recorded.id.clone(), &hook);
                self.selected.claims.push(claim);
            }
            self.selected.deliveries.push(Delivery { publication: Arc::clone(&publication), hook });
        }
        if !known.is_empty() {
            self.selected.claims.push(Claim::new(Some(recorded.id.clone()), known));
        }
    }
}
