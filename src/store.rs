//! What is on the disk: the registry, its journal, and how a file changes safely.

pub(crate) mod file;
pub(crate) mod journal;
pub(crate) mod registry;
