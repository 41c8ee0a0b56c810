//! Attacks from outside on what is promised: a kill, a fault, a power cut, a race or a hostile receiver loses nothing.

#[cfg(target_os = "linux")]
mod compaction;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod full_disks;
#[cfg(target_os = "linux")]
mod hostile_bodies;
#[cfg(target_os = "linux")]
mod hostile_heads;
#[cfg(target_os = "linux")]
mod kills;
#[cfg(target_os = "linux")]
mod kills_at_calls;
#[cfg(target_os = "linux")]
mod panics;
#[cfg(target_os = "linux")]
mod power_cuts;
#[cfg(target_os = "linux")]
mod properties;
#[cfg(target_os = "linux")]
mod rabbitmq;
mod races;
#[cfg(target_os = "linux")]
mod soak;
#[cfg(target_os = "linux")]
mod workers;
