//! What differs between systems, each thing once: `unix.rs` has it, `other.rs` does without. Every other
//! file is the same on all systems.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(unix)]
pub(crate) use unix::*;

/// A signal that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caught {
    /// Its number.
    pub(crate) signal: i32,
    /// The terminal sent it, to every process in its foreground: Ctrl-C.
    pub(crate) from_terminal: bool,
}
