//! `hooks publish`.

mod body;
mod cloudevent;
mod concurrency;
mod conditions;
mod deadline;
mod defer;
mod delivery;
mod dry_run;
mod expect;
mod fields;
mod filters;
mod free_text;
mod input;
mod output;
#[cfg(unix)]
mod overtaken;
mod responses;
mod retries;
#[cfg(unix)]
mod signals;
#[cfg(target_os = "linux")]
mod stopped_reader;
mod unheard;
