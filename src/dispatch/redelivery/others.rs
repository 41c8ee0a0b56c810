//! Publications to hooks that they need not have been for (`redeliver msg_… --to ID`).

use std::sync::Arc;

use anyhow::Result;

use super::Choice;
use crate::domain::hook::HookId;
use crate::domain::publication::Delivery;
use crate::domain::reference::{HookReference, Reference};
use crate::exit::Failure;
use crate::store::journal::{Claim, Journal, Recorded};

impl Choice<'_> {
    /// These publications to these hooks, whether they were for them or not.
    pub(super) fn to(
        &mut self,
        journal: &Journal,
        publications: &[Reference],
        to: &[HookReference],
    ) -> Result<()> {
        let to = self.resolve(to)?;
        for reference in publications {
            let Reference::Publication(id) = reference else {
                let message = "--to goes with a publication's msg_… id";
                return Err(Failure::usage(message).hint("see 'hooks log -v'").into());
            };
            let Some(recorded) = self.find(journal, |r| r.id == *id)? else {
                return Err(Failure::unknown_publication(id).into());
            };
            for id in &to {
                if recorded.delivery(*id).is_some() {
                    self.take(&recorded, &[*id]);
                } else {
                    self.add(&recorded, *id);
                }
            }
        }
        Ok(())
    }

    /// Takes a publication for a hook that it was not for.
    fn add(&mut self, recorded: &Recorded, id: HookId) {
        let Some(hook) = self.hooks.get(&id).filter(|hook| hook.enabled) else {
            let warning = format!("hook {id} is left out of {}: it is disabled", recorded.id);
            self.selected.warnings.push(warning);
            return;
        };
        let claim = Claim::added(recorded.id.clone(), hook);
        self.claims.push(claim);
        self.selected.deliveries.push(Delivery {
            publication: Arc::new(recorded.publication()),
            hook: Arc::clone(hook),
        });
    }
}
