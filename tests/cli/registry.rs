//! The registry: its file, where it is, and its lock.

mod file;
mod locking;
mod place;
