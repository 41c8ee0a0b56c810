//! What a start, a large registry and a long journal take.

use std::time::Duration;

use crate::folder::{self, Folder, PUBLISH, refused};
use crate::measure::{Row, command, median, pairs, print_table, seconds};
use crate::receiver::Receiver;

const MANY: usize = 100_000;

pub(crate) fn print() {
    print_table(&[start, list_as_json, list_as_text, publish_without_a_match, add, log, binary]);
}

fn start() -> Row {
    let folder = Folder::new(0, refused);
    let ours = || folder.hooks(["--version"]);
    let ratio = pairs(31, ours, || command("git", ["--version"]));
    Row::ratio("start (`hooks --version`)", ratio, 1.3, "`git --version`")
}

fn list_as_json() -> Row {
    let folder = Folder::new(MANY, refused);
    let ours = || folder.hooks(["list", "--json"]);
    let ratio = pairs(7, ours, || folder.run("jq", [".", "hooks.json"]));
    let what = "`list --json` of 100,000 hooks";
    Row::ratio(what, ratio, 0.2, "`jq .` on the file")
}

fn list_as_text() -> Row {
    let folder = Folder::new(MANY, refused);
    let runs = (0..7).map(|_| seconds(folder.hooks(["list"])));
    Row::milliseconds("`list` of 100,000 hooks", median(runs.collect()), 0.25, "")
}

fn publish_without_a_match() -> Row {
    let folder = Folder::new(MANY, refused);
    let ours = || folder.hooks(["publish", "Other", "@deploy.json"]);
    let ratio = pairs(7, ours, || folder.run("jq", [".version", "hooks.json"]));
    let what = "publish where none of 100,000 hooks match";
    Row::ratio(what, ratio, 0.25, "`jq .version` on the file")
}

fn add() -> Row {
    let folder = Folder::new(MANY, refused);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..9 {
        let url = refused(MANY + number);
        ours.push(seconds(folder.hooks(["add", "--url", &url, "--event", "E"])));
        // GNU's dd is the cp that can be told to sync.
        let dd = ["if=hooks.json", "of=copy.json", "bs=1M", "conv=fsync"];
        theirs.push(seconds(folder.run("dd", dd)));
    }
    let copy = median(theirs);
    let why = format!(" (2 × a copy with fsync of {:.0} ms, plus 60 ms)", copy * 1000.0);
    let bound = 2.0 * copy + 0.06;
    Row::milliseconds("`add` to 100,000 hooks", median(ours), bound, &why)
}

/// A journal of 8 MiB of small publications.
fn log() -> Row {
    let receiver = Receiver::http(Duration::ZERO);
    let folder = Folder::new(1, |n| receiver.url(n));
    seconds(folder.hooks(PUBLISH));
    folder.lengthen_journal(8 * 1024 * 1024);
    let runs = (0..15).map(|_| seconds(folder.hooks(["log", "-n", "20"])));
    let what = "`log -n 20`, journal of 8 MiB";
    Row::milliseconds(what, median(runs.collect()), 0.03, "")
}

fn binary() -> Row {
    let length = std::fs::metadata(folder::binary()).map_or(0, |file| file.len());
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    Row::megabytes("binary", length as f64 / 1e6, 5.0)
}
