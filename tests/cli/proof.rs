//! Attacks from outside on what is promised: a kill, a fault, a power cut, a race or a hostile receiver loses nothing.

mod compaction;
mod faults;
mod full_disks;
mod hostile_bodies;
mod hostile_heads;
mod kills;
mod kills_at_calls;
mod panics;
mod power_cuts;
mod properties;
mod races;
