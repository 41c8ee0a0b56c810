//! A publication that may have come before, as from a queue (docs/design.md §12): what of it is still to be sent.

use std::sync::Arc;

use anyhow::Result;

use super::skipped::Skipped;
use super::{Choice, LOCK_WAIT, Selected, Selection, claims};
use crate::dispatch::{Audience, Dispatch, Unsent};
use crate::domain::hook::Hook;
use crate::domain::publication::{Delivery, Publication};
use crate::store::file::Patience;
use crate::store::journal::{Journal, State};

impl Dispatch<'_> {
    /// Begins a publication that may have come before: where the journal has its id, gives what is still to be
    /// sent, claimed. Of two processes with the same, only one sends it. Where this fails nothing is sent: who
    /// gave it still has it.
    pub(crate) fn begin_once(
        &mut self,
        publication: &Publication,
        audience: &Audience,
        defer: bool,
    ) -> Result<Option<Selected>> {
        let wait = Patience::of(self.journaling.left().min(LOCK_WAIT));
        let lock = self.registry.lock(wait)?;
        let id = publication.id.clone();
        let selected = self.claim(&Selection::Begun { id, defer }, &lock)?;
        let begun = selected.if_begun();
        if begun.is_none() && !audience.is_empty() {
            self.journaling.begin_locked(publication, audience, defer, &lock)?;
        }
        Ok(begun)
    }
}

impl Choice<'_> {
    /// What of a publication is still to be sent, and what has become of the rest.
    pub(super) fn begun(&mut self, journal: &Journal, id: &str, defer: bool) -> Result<()> {
        let Some(recorded) = self.find(journal, |recorded| recorded.id == id)? else {
            return Ok(());
        };
        let publication = Arc::new(recorded.publication());
        for known in &recorded.deliveries {
            let eligible = self.eligible(&recorded, known);
            let why = eligible.as_ref().err().copied();
            let gone = || Arc::new(Hook::new(known.hook, known.url.clone(), String::new()));
            let hook = eligible.or_else(|_| self.hooks.get(&known.hook).cloned().ok_or(()));
            let delivery = Delivery {
                publication: Arc::clone(&publication),
                hook: hook.unwrap_or_else(|()| gone()),
            };
            let left_out = format!("hook {} is left out of {id}", known.hook);
            match why {
                None if !defer => {
                    self.selected.deliveries.push(delivery);
                    continue;
                }
                Some(Skipped::Pending) if !defer => {
                    let warning = format!("{left_out}: {}", Skipped::Pending.words());
                    self.selected.warnings.push(warning);
                }
                Some(why @ (Skipped::Gone | Skipped::Moved | Skipped::Disabled)) => {
                    self.selected.notes.push(format!("{left_out}: {}", why.words()));
                }
                _ => {}
            }
            let delivered =
                known.tries.iter().map(|one| &one.outcome).rfind(|outcome| outcome.delivered);
            let state = match delivered {
                Some(_) => State::Delivered,
                None => known.state(self.now),
            };
            let outcome = delivered.or(known.outcome()).cloned();
            self.selected.rest.push((delivery, state, outcome));
        }
        self.claims = claims(&self.selected.deliveries);
        let (all, left) = (recorded.deliveries.len(), self.selected.deliveries.len());
        let note = format!("{id} was published before; still to be sent: {left} of {all}");
        self.selected.notes.push(note);
        Ok(())
    }
}

impl Selected {
    /// Itself, if the journal has the publication that was asked for.
    pub(crate) fn if_begun(self) -> Option<Self> {
        let is_begun = !self.deliveries.is_empty() || !self.rest.is_empty();
        is_begun.then_some(self)
    }

    /// Whether no enabled hook was to get it.
    pub(crate) fn is_held(&self) -> bool {
        let held = |(_, state, _): &Unsent| *state == State::Held;
        self.deliveries.is_empty() && self.rest.iter().all(held)
    }
}
