//! `hooks publish`.

mod body;
mod concurrency;
mod deadline;
mod delivery;
mod dry_run;
mod fields;
mod filters;
mod input;
mod output;
mod responses;
mod retries;
#[cfg(unix)]
mod signals;
