//! Whole processes against `curl`, `jq`, `git` and `cp` doing the same, in turn A B A B within one run:
//! `cargo bench`. It prints Markdown tables, which docs/operations.md quotes. A word as argument chooses a part:
//! `cargo bench -- growth`. With `HOOKS_BENCH_OLD=PATH` another binary is measured beside this one.

#![allow(clippy::print_stdout)] // The tables are what it is for.

mod chain;
mod deliveries;
mod files;
mod folder;
mod gigabyte;
mod growth;
mod measure;
mod nginx;
mod receiver;

/// What the cluster of the proofs asks of theirs.
mod support {
    pub(crate) use crate::receiver::free_port;
}

fn main() {
    let chosen: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let parts: [(&str, fn()); 5] = [
        ("deliveries", deliveries::print),
        ("files", files::print),
        ("gigabyte", gigabyte::print),
        ("growth", growth::print),
        ("chain", chain::print),
    ];
    for (name, print) in parts {
        if chosen.is_empty() || chosen.iter().any(|word| word == name) {
            print();
        }
    }
}
