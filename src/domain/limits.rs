//! How long to try, and how many deliveries at once.

use std::num::NonZeroUsize;
use std::time::Duration;

/// The limits of a publish, from the command line to the fan-out (docs/design.md §4).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The longest that one attempt may take.
    pub(crate) timeout: Duration,
    /// How often to try again after a failure that may pass.
    pub(crate) retries: u32,
    /// The longest that everything together may take.
    pub(crate) deadline: Duration,
    /// The most attempts in flight at once.
    pub(crate) jobs: NonZeroUsize,
}

impl Limits {
    /// With what is left of the deadline when this much of it is spent.
    #[must_use]
    pub(crate) fn less(self, spent: Duration) -> Self {
        let deadline = self.deadline.saturating_sub(spent);
        Self { deadline, ..self }
    }
}
