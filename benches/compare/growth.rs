//! How times grow with the number of hooks and the length of the journal.

use std::time::Duration;

use crate::folder::{Folder, refused};
use crate::measure::{NOT_DELIVERED, median, seconds, seconds_to_end};
use crate::receiver::Receiver;

const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

pub(crate) fn print() {
    hooks();
    failed_publication();
    journal();
}

fn hooks() {
    println!(
        "| hooks | `list` | `add` | publish, one match | publish, all match |\n|---|---|---|---|---|"
    );
    let receiver = Receiver::http(Duration::ZERO);
    for size in SIZES {
        let folder = Folder::new(size, |n| receiver.url(n));
        let runs = if size < 10_000 { 5 } else { 3 };
        let list = measured(runs, || seconds(folder.hooks(["list"])));
        let mut number = 0;
        let add = measured(runs, || {
            number += 1;
            let url = receiver.url(size + number);
            seconds(folder.hooks(["add", "--url", &url, "--event", "E"]))
        });
        let url = receiver.url(2 * size);
        seconds(folder.hooks(["add", "--url", &url, "--event", "One"]));
        let one = measured(runs, || seconds(folder.hooks(["publish", "One", "@deploy.json"])));
        let all = measured(if size < 100_000 { runs } else { 1 }, || {
            seconds(folder.hooks(["publish", "PostDeployment", "@deploy.json"]))
        });
        println!("| {size} | {list} | {add} | {one} | {all} |");
    }
    println!();
}

/// One publication to so many hooks, at a port that refuses connections.
fn failed_publication() {
    println!(
        "| hooks that failed | `log` | `redeliver --failed`, all sent | `redeliver --failed`, nothing due |\n\
         |---|---|---|---|"
    );
    for size in SIZES {
        let folder = Folder::new(size, refused);
        let publish = ["publish", "PostDeployment", "@deploy.json", "--retries", "0"];
        seconds_to_end(folder.hooks(publish), NOT_DELIVERED);
        let log = measured(5, || seconds(folder.hooks(["log"])));
        // Due at once after the first failure, and not for minutes after the second.
        let sent = measured(1, || {
            let redeliver = ["redeliver", "--failed", "--retries", "0"];
            seconds_to_end(folder.hooks(redeliver), NOT_DELIVERED)
        });
        let nothing = measured(5, || seconds(folder.hooks(["redeliver", "--failed"])));
        println!("| {size} | {log} | {sent} | {nothing} |");
    }
    println!();
}

/// A journal of 8 MiB of small publications, all delivered but the newest, which fails again.
fn journal() {
    let receiver = Receiver::http(Duration::ZERO);
    let folder = Folder::new(1, |n| receiver.url(n));
    seconds(folder.hooks(["publish", "PostDeployment", "@deploy.json"]));
    let number = folder.lengthen_journal(8 * 1024 * 1024);
    let log = measured(7, || seconds(folder.hooks(["log"])));
    let redeliver = measured(7, || seconds(folder.hooks(["redeliver", "--failed"])));
    println!("| journal of 8 MiB, {number} publications | |\n|---|---|");
    println!("| `log` | {log} |\n| `redeliver --failed`, nothing due | {redeliver} |");
}

fn measured(runs: usize, mut once: impl FnMut() -> f64) -> String {
    let seconds = median((0..runs).map(|_| once()).collect());
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}
