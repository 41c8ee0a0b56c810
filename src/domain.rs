//! What `hooks` is about, as plain data: nothing here reads a file, the network or the clock, or prints.

pub(crate) mod clock;
pub(crate) mod cloudevent;
pub(crate) mod deployment;
pub(crate) mod health;
pub(crate) mod hook;
pub(crate) mod json;
pub(crate) mod kudu;
pub(crate) mod limits;
pub(crate) mod outcome;
pub(crate) mod publication;
pub(crate) mod reference;
pub(crate) mod retry;
pub(crate) mod text;
pub(crate) mod time;
