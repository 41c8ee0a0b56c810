//! The tool by its behaviour: each test runs the real binary in a folder of its own, against servers on loopback.

mod support;

mod add;
mod bytes;
#[cfg(unix)]
mod ci_step;
#[cfg(target_os = "linux")]
mod completions;
mod concurrency;
mod deadline;
mod edit;
mod fields;
mod filters;
#[cfg(unix)]
mod formats;
#[cfg(unix)]
mod git;
#[cfg(unix)]
mod git_hook;
#[cfg(target_os = "linux")]
mod git_limit;
#[cfg(unix)]
mod git_push;
mod harness;
#[cfg(target_os = "linux")]
mod help;
mod journal;
mod kudu;
mod list;
mod listen;
mod locking;
mod log;
#[cfg(target_os = "linux")]
mod manual;
mod outcomes;
mod output;
mod packages;
#[cfg(target_os = "linux")]
mod proof_compaction;
#[cfg(target_os = "linux")]
mod proof_faults;
#[cfg(target_os = "linux")]
mod proof_full_disks;
#[cfg(target_os = "linux")]
mod proof_hostile;
#[cfg(target_os = "linux")]
mod proof_hostile_bodies;
#[cfg(target_os = "linux")]
mod proof_kills;
#[cfg(target_os = "linux")]
mod proof_kills_at_calls;
#[cfg(target_os = "linux")]
mod proof_panics;
#[cfg(target_os = "linux")]
mod proof_power_cuts;
#[cfg(target_os = "linux")]
mod proof_properties;
#[cfg(target_os = "linux")]
mod proof_races;
mod publish_delivery;
mod publish_input;
mod readme;
mod redeliver;
mod refusals;
mod registry_file;
mod registry_place;
mod remove;
mod replies;
mod retries;
mod run;
#[cfg(unix)]
mod run_command;
#[cfg(unix)]
mod run_signals;
mod sample;
mod show;
mod signals;
mod signing;
#[cfg(unix)]
mod smart_http;
mod stuck_reader;
mod templates;
mod tls;
mod trust_arguments;
mod trust_escaping;
mod trust_leaks;
#[cfg(unix)]
mod trust_modes;
#[cfg(unix)]
mod trust_proxies;
mod trust_signatures;
mod trust_tls;
