//! `hooks publish`.

mod body;
mod concurrency;
mod deadline;
mod delivery;
mod fields;
mod filters;
mod input;
mod output;
mod replies;
mod responses;
mod retries;
#[cfg(unix)]
mod signals;
mod stuck_reader;
