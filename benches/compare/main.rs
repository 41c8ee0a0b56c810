//! Whole processes against `curl`, `jq`, `git` and `cp` doing the same, in turn A B A B within one run:
//! `cargo bench`. It prints Markdown tables, which docs/operations.md quotes. A word as argument chooses a part:
//! `cargo bench -- growth`. With `HOOKS_BENCH_OLD=PATH` another binary is measured beside this one.

#![allow(clippy::print_stdout)] // The tables are what it is for.

mod folder;
mod gigabyte;
mod growth;
mod measure;
mod receiver;

use std::time::Duration;

use folder::Folder;
use measure::{Row, command, pairs, peak_memory, print_table, seconds};
use receiver::Receiver;

fn main() {
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wanted = |part: &str| chosen.is_empty() || chosen.iter().any(|word| word == part);
    if wanted("compare") {
        print_table(&[
            start,
            one_http_hook,
            one_https_hook,
            hundred_slow_hooks,
            || thousand_hooks(100),
            || thousand_hooks(0),
            memory,
            list,
            publish_without_a_match,
            add,
            binary,
        ]);
    }
    if wanted("gigabyte") {
        gigabyte::print();
    }
    if wanted("growth") {
        growth::print();
    }
}

fn start() -> Row {
    let folder = Folder::new(0, "");
    let ratio = pairs(
        31,
        || folder.hooks(["--version"]),
        || command("git", ["--version"]),
    );
    Row::ratio("start (`hooks --version`)", ratio, 1.3, "`git --version`")
}

fn one_http_hook() -> Row {
    let receiver = Receiver::http(Duration::ZERO);
    let folder = Folder::new(1, &receiver.url());
    let url = format!("{}/0", receiver.url());
    let ratio = pairs(
        31,
        || folder.hooks(["publish", "PostDeployment", "@deploy.json"]),
        || folder.curl(["--data-binary", "@deploy.json", url.as_str()]),
    );
    Row::ratio(
        "publish to 1 http hook, journalled and saved",
        ratio,
        0.6,
        "curl's single POST",
    )
}

fn one_https_hook() -> Row {
    let receiver = Receiver::https();
    let folder = Folder::new(1, &receiver.url());
    // The system's store, and the receiver's authority in it.
    let store = folder.store_with(receiver.authority());
    let url = format!("{}/0", receiver.url());
    let ratio = pairs(
        31,
        || {
            let mut hooks = folder.hooks(["publish", "PostDeployment", "@deploy.json"]);
            hooks.env("SSL_CERT_FILE", &store);
            hooks
        },
        || {
            let store = store.to_str().expect("the path is UTF-8");
            folder.curl([
                "--cacert",
                store,
                "--data-binary",
                "@deploy.json",
                url.as_str(),
            ])
        },
    );
    Row::ratio(
        "publish to 1 https hook (system store)",
        ratio,
        0.35,
        "curl's",
    )
}

fn hundred_slow_hooks() -> Row {
    let receiver = Receiver::http(Duration::from_millis(500));
    let folder = Folder::new(100, &receiver.url());
    let runs = (0..5).map(|_| seconds(folder.hooks(["publish", "PostDeployment", "@deploy.json"])));
    let ratio = measure::median(runs.map(|seconds| seconds / 0.5).collect());
    Row::ratio("100 hooks of 500 ms each", ratio, 1.05, "the slowest hook")
}

fn thousand_hooks(milliseconds: u64) -> Row {
    let receiver = Receiver::http(Duration::from_millis(milliseconds));
    let folder = Folder::new(1000, &receiver.url());
    let list = folder.curl_list(1000, &receiver.url());
    let list = list.to_str().expect("the path is UTF-8");
    let ratio = pairs(
        7,
        || folder.hooks(["publish", "PostDeployment", "@deploy.json"]),
        || folder.curl(["--parallel", "--parallel-max", "300", "--config", list]),
    );
    let (what, bound) = match milliseconds {
        0 => ("1,000 hooks of 0 ms on one host", 2.0),
        _ => ("1,000 hooks of 100 ms", 0.9),
    };
    Row::ratio(what, ratio, bound, "`curl --parallel --parallel-max 300`")
}

fn memory() -> Row {
    let receiver = Receiver::http(Duration::from_millis(100));
    let folder = Folder::new(1000, &receiver.url());
    let peaks =
        (0..5).map(|_| peak_memory(folder.hooks(["publish", "PostDeployment", "@deploy.json"])));
    Row::megabytes(
        "memory for 1,000 hooks at 256 in flight",
        measure::median(peaks.collect()),
        40.0,
    )
}

fn list() -> Row {
    let folder = Folder::new(100_000, "http://127.0.0.1:9");
    let ratio = pairs(
        7,
        || folder.hooks(["list", "--json"]),
        || folder.run("jq", [".", "hooks.json"]),
    );
    Row::ratio(
        "`list --json` of 100,000 hooks",
        ratio,
        0.2,
        "`jq .` on the file",
    )
}

fn publish_without_a_match() -> Row {
    let folder = Folder::new(100_000, "http://127.0.0.1:9");
    let ratio = pairs(
        7,
        || folder.hooks(["publish", "Other", "@deploy.json"]),
        || folder.run("jq", [".version", "hooks.json"]),
    );
    Row::ratio(
        "publish where none of 100,000 hooks match",
        ratio,
        0.25,
        "`jq .version` on the file",
    )
}

fn add() -> Row {
    let folder = Folder::new(100_000, "http://127.0.0.1:9");
    let mut number = 0;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        number += 1;
        let url = format!("http://127.0.0.1:9/new/{number}");
        ours.push(seconds(folder.hooks([
            "add",
            "--url",
            url.as_str(),
            "--event",
            "E",
        ])));
        // GNU's dd is the cp that can be told to sync.
        let dd = [
            "if=hooks.json",
            "of=copy.json",
            "bs=1M",
            "conv=fsync",
            "status=none",
        ];
        theirs.push(seconds(folder.run("dd", dd)));
    }
    let (ours, theirs) = (measure::median(ours), measure::median(theirs));
    let bound = 2.0 * theirs + 0.1;
    Row {
        what: "`add` to 100,000 hooks".to_owned(),
        measured: format!("{:.0} ms", ours * 1000.0),
        bound: format!(
            "{:.0} ms (2 × a copy with fsync of {:.0} ms, plus 100 ms)",
            bound * 1000.0,
            theirs * 1000.0
        ),
        holds: ours <= bound,
    }
}

fn binary() -> Row {
    let length = std::fs::metadata(folder::binary()).map_or(0, |file| file.len());
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    Row::megabytes("binary", length as f64 / 1e6, 5.0)
}
