//! The tool by its behaviour: each test runs the real binary in a folder of its own, against servers on loopback.
//!
//! A file has the name of the verb that it tests, a folder beside it the verb's further files. `trust` holds the
//! promises of security and `proof` the attacks on the promises that nothing is lost.

mod support;

mod add;
#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod completions;
mod docs;
mod edit;
#[cfg(unix)]
mod formats;
#[cfg(unix)]
mod git;
#[cfg(unix)]
mod golden;
mod health;
#[cfg(target_os = "linux")]
mod help;
mod journal;
mod kudu;
mod list;
mod listen;
mod log;
#[cfg(target_os = "linux")]
mod manual;
#[cfg(target_os = "linux")]
mod network;
mod packages;
mod proof;
mod publish;
mod readme;
mod redeliver;
mod registry;
mod remove;
mod run;
mod show;
mod templates;
mod test;
mod trust;
#[cfg(target_os = "linux")]
mod views;
