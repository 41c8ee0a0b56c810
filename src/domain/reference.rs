//! What `redeliver` is pointed at.

use super::hook::HookId;

/// A hook or a publication, as named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// A hook, by its id.
    Hook(HookId),
    /// A publication, by its `msg_…` id.
    Publication(String),
}
