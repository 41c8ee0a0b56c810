//! What deliveries take, beside curl making the same requests.

use std::time::Duration;

use crate::folder::{Folder, PUBLISH, refused};
use crate::measure::{NOT_DELIVERED, Row, median, pairs, peak_memory, print_table};
use crate::measure::{seconds, seconds_to_end};
use crate::nginx::{Nginx, loopback};
use crate::receiver::Receiver;

const PARALLEL: [&str; 3] = ["--parallel", "--parallel-max", "300"];

pub(crate) fn print() {
    print_table(&[
        one_http_hook,
        one_https_hook,
        || nginx(10, Addresses::Distinct, 21, 0.8),
        || nginx(100, Addresses::Distinct, 11, 1.1),
        || nginx(100, Addresses::One, 11, 1.3),
        || nginx(1_000, Addresses::Distinct, 7, 1.2),
        || nginx(1_000, Addresses::One, 7, 1.6),
        || nginx(10_000, Addresses::Distinct, 3, 0.2),
        || built_in(1_000, 0, 1.6),
        || built_in(1_000, 100, 0.9),
        hundred_slow_hooks,
        all_refused,
        memory,
    ]);
}

fn one_http_hook() -> Row {
    let receiver = Receiver::http(Duration::ZERO);
    let folder = Folder::new(1, |n| receiver.url(n));
    let url = receiver.url(0);
    let ratio = pairs(
        31,
        || folder.hooks(PUBLISH),
        || folder.curl(["--data-binary", "@deploy.json", url.as_str()]),
    );
    let what = "publish to 1 http hook, journalled and saved";
    Row::ratio(what, ratio, 0.6, "curl's single POST")
}

fn one_https_hook() -> Row {
    let receiver = Receiver::https();
    let folder = Folder::new(1, |n| receiver.url(n));
    // The system's store, and the receiver's authority in it.
    let store = folder.store_with(receiver.authority());
    let url = receiver.url(0);
    let ours = || {
        let mut hooks = folder.hooks(PUBLISH);
        hooks.env("SSL_CERT_FILE", &store);
        hooks
    };
    let theirs = || {
        let mut curl = folder.curl(["--data-binary", "@deploy.json", url.as_str()]);
        curl.arg("--cacert").arg(&store);
        curl
    };
    let what = "publish to 1 https hook (system store)";
    Row::ratio(what, pairs(31, ours, theirs), 0.35, "curl's")
}

/// Where the hooks of a row are.
#[derive(Clone, Copy)]
enum Addresses {
    Distinct,
    One,
}

fn nginx(hooks: usize, addresses: Addresses, count: usize, bound: f64) -> Row {
    let nginx = Nginx::start();
    let (ratio, words) = match addresses {
        Addresses::Distinct => (beside_curl(hooks, count, |n| nginx.distinct(n)), "distinct"),
        Addresses::One => (beside_curl(hooks, count, |n| nginx.one_host(n)), "one"),
    };
    let what = format!("{hooks} hooks of 0 ms, nginx, {words} address");
    Row::ratio(&what, ratio, bound, "`curl --parallel`")
}

fn built_in(hooks: usize, milliseconds: u64, bound: f64) -> Row {
    let receiver = Receiver::http(Duration::from_millis(milliseconds));
    let ratio = beside_curl(hooks, 7, |n| receiver.url(n));
    let what = format!("{hooks} hooks of {milliseconds} ms, built-in receiver, one address");
    Row::ratio(&what, ratio, bound, "`curl --parallel`")
}

fn beside_curl(hooks: usize, count: usize, url: impl Fn(usize) -> String) -> f64 {
    let folder = Folder::new(hooks, &url);
    let list = folder.curl_list(hooks, &url);
    let curl = || {
        let mut curl = folder.curl(PARALLEL);
        curl.arg("--config").arg(&list);
        curl
    };
    pairs(count, || folder.hooks(PUBLISH), curl)
}

fn hundred_slow_hooks() -> Row {
    let receiver = Receiver::http(Duration::from_millis(500));
    let folder = Folder::new(100, |n| receiver.url(n));
    let runs = (0..7).map(|_| seconds(folder.hooks(PUBLISH)) / 0.5);
    let ratio = median(runs.collect());
    Row::ratio("100 hooks of 500 ms", ratio, 1.04, "the slowest hook")
}

fn all_refused() -> Row {
    let folder = Folder::new(100_000, |n| refused(n).replace("127.0.0.1", &loopback(n)));
    let mut publish = folder.hooks(PUBLISH);
    publish.args(["--retries", "0"]);
    let measured = seconds_to_end(publish, NOT_DELIVERED);
    Row {
        what: "100,000 hooks that refuse the connection".to_owned(),
        measured: format!("{measured:.1} s"),
        bound: "6 s".to_owned(),
        holds: Some(measured <= 6.0),
    }
}

fn memory() -> Row {
    let receiver = Receiver::http(Duration::from_millis(100));
    let folder = Folder::new(1000, |n| receiver.url(n));
    let peaks = (0..5).map(|_| peak_memory(folder.hooks(PUBLISH)));
    let what = "memory for 1,000 hooks at 256 in flight";
    Row::megabytes(what, median(peaks.collect()), 36.0)
}
