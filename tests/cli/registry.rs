//! The registry: its file, where it is, and its lock.

mod file;
mod ids;
mod locking;
mod names;
mod place;
