//! A publication that may have come before, as from a queue (docs/design.md §12): what of it is still to be sent.

use std::sync::Arc;

use anyhow::Result;

use super::eligible::Skipped;
use super::{Choice, Selected, Selection};
use crate::dispatch::journaling::claims_of;
use crate::dispatch::{Audience, DeliveryState, Dispatch};
use crate::domain::hook::Hook;
use crate::domain::publication::{Delivery, Publication};
use crate::store::journal::{Locking, State};

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
        let lock = self.lock()?;
        let id = publication.id.clone();
        let begun = self.claim(&Selection::Begun { id, defer }, &lock)?.if_begun();
        if begun.is_none() && !audience.is_empty() {
            let Audience { hooks, held, .. } = audience;
            let deadline = (!defer).then(|| self.claim_until());
            let locking = Locking::Held(&lock);
            self.journal.begin(publication, hooks, held, deadline, locking)?;
            self.is_begun = true;
        }
        Ok(begun)
    }
}

impl Choice<'_> {
    /// What of a publication is still to be sent, and what has become of the rest.
    pub(super) fn begun(&mut self, id: &str, defer: bool) -> Result<()> {
        let Some(recorded) = self.find(|recorded| recorded.id == id)? else {
            return Ok(());
        };
        let publication = Arc::new(recorded.publication());
        for known in &recorded.deliveries {
            let eligible = self.eligible(&recorded, known);
            let selected = &mut self.selected;
            match &eligible {
                Err(why @ Skipped::Pending) if !defer => {
                    selected.warnings.push(why.left_out(known.hook, id));
                }
                Err(why @ (Skipped::Gone | Skipped::Moved | Skipped::Disabled)) => {
                    selected.notes.push(why.left_out(known.hook, id));
                }
                _ => {}
            }
            let is_sent = eligible.is_ok() && !defer;
            let gone = || Arc::new(Hook::new(known.hook, known.url.clone(), String::new()));
            let hook = self.hooks.get(&known.hook).map_or_else(gone, Arc::clone);
            let delivery = Delivery { publication: Arc::clone(&publication), hook };
            if is_sent {
                selected.deliveries.push(delivery);
                continue;
            }
            let mut outcomes = known.tries.iter().map(|one| &one.outcome);
            let delivered = outcomes.rfind(|outcome| outcome.delivered);
            let state = delivered.map_or_else(|| known.state(self.now), |_| State::Delivered);
            let outcome = delivered.or(known.outcome()).cloned();
            selected.rest.push(DeliveryState { delivery, state, outcome });
        }
        let deliveries = &self.selected.deliveries;
        self.selected.claims = claims_of(deliveries);
        let (all, left) = (recorded.deliveries.len(), deliveries.len());
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
        self.deliveries.is_empty() && self.rest.iter().all(|rest| rest.state == State::Held)
    }
}
