//! A journal of 1 GiB, one half delivered and one half not, beside an empty one.

use std::time::Duration;

use crate::folder::{Folder, PUBLISH};
use crate::measure::{
    NOT_DELIVERED, Row, median, pairs, peak_memory, print_table, seconds, seconds_to_end,
};
use crate::receiver::Receiver;

const LENGTH: u64 = 1 << 30;

pub(crate) fn print() {
    print_table(&[publish, log_time, log_memory]);
}

/// One hook, and a journal of many publications; with `answers` they were delivered.
fn long(receiver: &Receiver, answers: bool) -> Folder {
    let folder = Folder::new(1, |n| receiver.url(n));
    if answers {
        seconds(folder.hooks(PUBLISH));
    } else {
        let mut publish = folder.hooks(PUBLISH);
        publish.env("HOOKS_RETRIES", "0").env("http_proxy", "http://127.0.0.1:9");
        publish.env("no_proxy", "");
        seconds_to_end(publish, NOT_DELIVERED);
    }
    folder.lengthen_journal(LENGTH);
    folder
}

fn publish() -> Row {
    let receiver = Receiver::http(Duration::ZERO);
    let empty = Folder::new(1, |n| receiver.url(n));
    let ratios = [true, false].map(|answers| {
        let folder = long(&receiver, answers);
        pairs(9, || folder.hooks(PUBLISH), || empty.hooks(PUBLISH))
    });
    let ratio = ratios[0].max(ratios[1]);
    Row::ratio("publish to 1 hook, journal of 1 GiB", ratio, 2.0, "with an empty journal")
}

fn log_time() -> Row {
    let folder = long(&Receiver::http(Duration::ZERO), false);
    let log = (0..5).map(|_| seconds(folder.hooks(["log", "-n", "20"])));
    let measured = median(log.collect());
    Row {
        what: "`log -n 20`, journal of 1 GiB".to_owned(),
        measured: format!("{measured:.2} s"),
        bound: "5 s".to_owned(),
        holds: Some(measured < 5.0),
    }
}

fn log_memory() -> Row {
    let folder = long(&Receiver::http(Duration::ZERO), false);
    let peak = peak_memory(folder.hooks(["log", "-n", "20"]));
    Row::megabytes("memory of `log -n 20`, journal of 1 GiB", peak, 100.0)
}
