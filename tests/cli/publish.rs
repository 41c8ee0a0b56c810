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
#[cfg(target_os = "linux")]
mod stopped_reader;
mod stuck_reader;
