//! Why deliveries are not sent again, and what is said of it.

use chrono::{DateTime, Utc};

use crate::output::time::local_time;

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

impl Skipped {
    /// Why a delivery that was named is left out.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Gone => "it does not exist any more",
            Self::Moved => "it has another URL since (--to sends it there)",
            Self::Disabled => "it is disabled",
            Self::Pending => "another process may be at it",
            Self::Other | Self::Old | Self::Missed | Self::Later(_) => "it is not asked for",
        }
    }
}

/// What there is to know of those that are left. `idle`: nothing at all is sent.
pub(super) fn notes(skipped: &[Skipped], idle: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let later = skipped.iter().filter_map(|skipped| match skipped {
        Skipped::Later(due) => Some(*due),
        _ => None,
    });
    if let Some(next) = later.clone().min() {
        notes.push(format!(
            "not due yet: {}, the next at {}; to send whatever failed: --now",
            later.count(),
            local_time(next)
        ));
    } else if idle {
        notes.push("nothing to send again".to_owned());
    }
    let kinds = [
        (Skipped::Gone, "to a hook that is gone"),
        (Skipped::Moved, "to a hook that has another URL since (--moved)"),
        (Skipped::Disabled, "to a disabled hook"),
        (Skipped::Old, "older than --since"),
    ];
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, what)| (count(skipped, kind), what))
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    if !kinds.is_empty() {
        notes.push(format!("undelivered, and left so: {}", kinds.join(", ")));
    }
    notes
}

/// Nobody has been told of those that were never tried, so `-q` says it, too.
pub(super) fn warning(skipped: &[Skipped]) -> Option<String> {
    let missed = count(skipped, Skipped::Missed);
    (missed > 0).then(|| {
        format!(
            "never tried, and left so as older than --since: {missed}; to send them: --since 7d"
        )
    })
}

fn count(skipped: &[Skipped], kind: Skipped) -> usize {
    skipped.iter().filter(|why| **why == kind).count()
}
