//! The registry: its file, where it is, and its lock.

mod file;
mod ids;
mod locking;
mod names;
mod place;

/// Registers a hook, for which the registry is locked, read and written.
const ADD: [&str; 5] = ["add", "--url", "https://h.example/", "--event", "PostDeployment"];
