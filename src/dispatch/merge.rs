//! Merges how deliveries went into the hooks' `last_*` (docs/design.md §3).

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Dispatch, Report};
use crate::domain::hook::{Hook, HookId, LastDelivery};
use crate::domain::outcome::Outcome;
use crate::domain::publication::{Delivery, Publication};
use crate::domain::text::start_of;
use crate::domain::time::timestamp;
use crate::store::registry::{Change, RegistryFile};

/// `last_context` is cut at this many bytes.
const LONGEST_CONTEXT: usize = 4 * 1024;

/// The merge waits for the lock at least this long, however little of the deadline is left.
const MERGE_WAIT: Duration = Duration::from_secs(2);

impl Dispatch<'_> {
    /// Merges the outcomes into the registry, and names the hooks that are disabled by it. Where that cannot
    /// be done, a warning says so.
    pub(super) fn merge(&self, report: &Report) {
        if report.made.iter().all(|made| made.outcome.is_none()) {
            return;
        }
        let wait = self.wait_at_most(self.left().max(MERGE_WAIT));
        let merged = self.registry.update_within(wait, |file| Ok(merge(file, report, Utc::now())));
        match merged {
            Ok(disabled) => {
                for id in disabled {
                    self.output.note(format!(
                        "hook {id} is disabled now: its receiver wants no more; to enable it: hooks edit {id} --enable"
                    ));
                }
            }
            Err(error) if self.journal_works => {
                self.output.warning(format!("{error:#}; the outcomes are in the journal"));
            }
            Err(error) => self.output.warning(format!("{error:#}")),
        }
    }
}

/// Merges the outcomes into the hooks that still exist with the same URL, and gives those that are disabled by it.
fn merge(file: &mut RegistryFile, report: &Report, now: DateTime<Utc>) -> Change<Vec<HookId>> {
    let mut by_hook: HashMap<HookId, Vec<(&Delivery, &Outcome)>> = HashMap::new();
    for made in &report.made {
        if let Some(outcome) = &made.outcome {
            by_hook.entry(made.delivery.hook.id).or_default().push((&made.delivery, outcome));
        }
    }
    let (mut changed, mut disabled) = (false, Vec::new());
    for hook in &mut file.hooks {
        for (delivery, outcome) in by_hook.get(&hook.id).into_iter().flatten() {
            let last = last_delivery(&delivery.publication, outcome);
            if hook.url == delivery.hook.url && hook.last.merge(&last, now) {
                changed = true;
                if outcome.is_gone() && hook.enabled {
                    disable(hook, outcome);
                    disabled.push(hook.id);
                }
            }
        }
    }
    if changed { Change::Save(disabled) } else { Change::Keep(disabled) }
}

fn last_delivery(publication: &Publication, outcome: &Outcome) -> LastDelivery {
    let content = publication.deployment.as_str();
    LastDelivery {
        datetime: Some(timestamp(outcome.time)),
        status: Some(outcome.status.clone()),
        code: outcome.code,
        reason: Some(outcome.reason.clone()),
        context: Some(start_of(content, LONGEST_CONTEXT).to_owned()),
    }
}

/// 410: the receiver wants no more of it (Standard Webhooks, "Responding to a webhook").
fn disable(hook: &mut Hook, outcome: &Outcome) {
    hook.enabled = false;
    let time = timestamp(outcome.time);
    hook.disabled_reason = Some(format!("410 Gone at {time}: {}", outcome.reason));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::dispatch::DeliveryState;
    use crate::domain::deployment::Deployment;

    fn outcome(code: u16, seconds: i64) -> Outcome {
        Outcome {
            time: DateTime::<Utc>::from_timestamp(seconds, 0).unwrap(),
            delivered: code < 300,
            status: String::new(),
            code: Some(code),
            reason: "said so".to_owned(),
            attempts: 1,
            duration: Duration::ZERO,
            response: None,
            not_before: None,
        }
    }

    /// What the hook is like after these outcomes, merged in this order.
    fn after(outcomes: &[Outcome], now: i64) -> Hook {
        let now = DateTime::from_timestamp(now, 0).unwrap();
        let mut file = RegistryFile::default();
        let hook = Hook::new(HookId(1), "http://h/".to_owned(), "E".to_owned());
        file.hooks.push(hook.clone());
        let publication = Publication::new("E", Deployment::empty(), DateTime::UNIX_EPOCH);
        let delivery = Delivery { publication: Arc::new(publication), hook: Arc::new(hook) };
        for outcome in outcomes {
            let made = vec![DeliveryState::made(delivery.clone(), Some(outcome.clone()))];
            let (rest, deadline) = (Vec::new(), Instant::now());
            let report = Report { made, rest, unheard: None, interrupted: None, deadline };
            merge(&mut file, &report, now);
        }
        file.hooks.remove(0)
    }

    #[test]
    fn a_receiver_that_is_gone_disables_its_hook_and_an_older_answer_does_not() {
        let gone = after(&[outcome(200, 1), outcome(410, 2)], 9);
        assert!(!gone.enabled && gone.disabled_reason.is_some_and(|r| r.contains("said so")));
        assert!(after(&[outcome(200, 2), outcome(410, 1)], 9).enabled);
        // Unless the newer one was written by a clock that was ahead.
        assert!(!after(&[outcome(200, 99), outcome(410, 1)], 9).enabled);
    }
}
