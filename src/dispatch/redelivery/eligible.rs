//! Which deliveries may be sent again, why others are not, and what is said of them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Choice, Selected, Selection};
use crate::domain::hook::{Hook, HookId};
use crate::output::time::local_time;
use crate::store::journal::{Recorded, RecordedDelivery, State};

/// Why a delivery is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skipped {
    /// It is none of those that are asked for.
    Other,
    /// No hook has that id any more.
    Gone,
    /// Its hook is disabled.
    Disabled,
    /// A process is at it.
    Pending,
    /// Its publication is too old.
    Old,
    /// The same, and it has not been tried once, so nobody has been told of it.
    Missed,
    /// Its hook has another URL since.
    Moved,
    /// It is due later.
    Later(DateTime<Utc>),
}

impl Choice<'_> {
    /// The hook to send a recorded delivery to, or why it is not sent: the one place that decides it.
    pub(super) fn eligible(
        &self,
        recorded: &Recorded,
        delivery: &RecordedDelivery,
    ) -> Result<Arc<Hook>, Skipped> {
        let state = delivery.state(self.now);
        let is_owed = || delivery.is_undelivered(self.now) || state == State::Pending;
        let hook = self.hooks.get(&delivery.hook);
        let (is_asked_for, may_move) = match self.selection {
            Selection::Failed { moved, .. } => (!recorded.test && is_owed(), *moved),
            Selection::Begun { .. } => (!recorded.test && is_owed(), false),
            Selection::Held(named, _) => {
                let is_named = |hook: &Arc<Hook>| named.iter().any(|name| hook.is(name));
                (state == State::Held && hook.is_some_and(is_named), false)
            }
            Selection::Named(_, to) => (true, !to.is_empty()),
        };
        if !is_asked_for {
            return Err(Skipped::Other);
        }
        if state == State::Pending {
            return Err(Skipped::Pending);
        }
        if hook.ok_or(Skipped::Gone)?.url != delivery.url && !may_move {
            return Err(Skipped::Moved);
        }
        let hook = self.enabled(delivery.hook)?;
        match self.selection {
            Selection::Failed { since, .. } | Selection::Held(_, since)
                if recorded.age > *since =>
            {
                let is_missed = state != State::Held && delivery.tries.is_empty();
                Err(if is_missed { Skipped::Missed } else { Skipped::Old })
            }
            Selection::Failed { since, now: false, .. } => {
                let latest = delivery.last_try.checked_add_signed(*since);
                let due = delivery.due(self.now).min(latest.unwrap_or(DateTime::<Utc>::MAX_UTC));
                if due > self.now { Err(Skipped::Later(due)) } else { Ok(hook) }
            }
            _ => Ok(hook),
        }
    }

    /// The hook of this id, if it may get anything.
    pub(super) fn enabled(&self, id: HookId) -> Result<Arc<Hook>, Skipped> {
        let hook = self.hooks.get(&id).ok_or(Skipped::Gone)?;
        if hook.enabled { Ok(Arc::clone(hook)) } else { Err(Skipped::Disabled) }
    }
}

impl Skipped {
    /// Says why a delivery that was named is left out of this publication.
    pub(super) fn left_out(self, hook: HookId, publication: &str) -> String {
        let why = match self {
            Self::Gone => "it does not exist any more",
            Self::Moved => "it has another URL since (--to sends it there)",
            Self::Disabled => "it is disabled",
            Self::Pending => "another process may be at it",
            Self::Other | Self::Old | Self::Missed | Self::Later(_) => "it is not asked for",
        };
        format!("hook {hook} is left out of {publication}: {why}")
    }
}

/// Says what there is to know of those that are not selected.
pub(super) fn explain(skipped: &[Skipped], selected: &mut Selected) {
    let count = |kind| skipped.iter().filter(|why| **why == kind).count();
    let later = skipped.iter().filter_map(|skipped| match skipped {
        Skipped::Later(due) => Some(*due),
        _ => None,
    });
    if let Some(next) = later.clone().min() {
        selected.notes.push(format!(
            "not due yet: {}, the next at {}; to send whatever failed: --now",
            later.count(),
            local_time(next)
        ));
    } else if selected.deliveries.is_empty() {
        selected.notes.push("nothing to send again".to_owned());
    }
    let kinds = [
        (count(Skipped::Gone), "to a hook that is gone"),
        (count(Skipped::Moved), "to a hook that has another URL since (--moved)"),
        (count(Skipped::Disabled), "to a disabled hook"),
        (count(Skipped::Old), "older than --since"),
    ];
    let kinds = kinds.iter().filter(|(number, _)| *number > 0);
    let kinds: Vec<String> = kinds.map(|(number, what)| format!("{number} {what}")).collect();
    if !kinds.is_empty() {
        selected.notes.push(format!("undelivered, and left so: {}", kinds.join(", ")));
    }
    // Nobody has been told of those that were never tried, so `-q` says it, too.
    let missed = count(Skipped::Missed);
    if missed > 0 {
        selected.warnings.push(format!(
            "never tried, and left so as older than --since: {missed}; to send them: --since 7d"
        ));
    }
}
