//! Times whole processes, and prints what came out.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::folder::with_the_old_one;

/// The exit code of a publish or a redelivery that did not reach every hook.
pub(crate) const NOT_DELIVERED: i32 = 3;

/// A line of the table.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) measured: String,
    pub(crate) bound: String,
    /// `None`: there is no bound.
    pub(crate) holds: Option<bool>,
}

impl Row {
    /// A ratio to another program's time.
    pub(crate) fn ratio(what: &str, ratio: f64, bound: f64, against: &str) -> Self {
        Self {
            what: what.to_owned(),
            measured: format!("{ratio:.2} ×"),
            bound: format!("{bound} × {against}"),
            holds: Some(ratio <= bound),
        }
    }

    /// A time, and a bound in seconds with its explanation.
    pub(crate) fn milliseconds(what: &str, seconds: f64, bound: f64, why: &str) -> Self {
        Self {
            what: what.to_owned(),
            measured: format!("{:.0} ms", seconds * 1000.0),
            bound: format!("{:.0} ms{why}", bound * 1000.0),
            holds: Some(seconds <= bound),
        }
    }

    /// A size in millions of bytes.
    pub(crate) fn megabytes(what: &str, megabytes: f64, bound: f64) -> Self {
        Self {
            what: what.to_owned(),
            measured: format!("{megabytes:.1} MB"),
            bound: format!("{bound} MB"),
            holds: Some(megabytes <= bound),
        }
    }
}

/// A program in no particular place.
pub(crate) fn command<const N: usize>(program: &str, arguments: [&str; N]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs the two in turn, after one of each that does not count: the median of the ratios.
pub(crate) fn pairs(count: usize, ours: impl Fn() -> Command, theirs: impl Fn() -> Command) -> f64 {
    seconds(ours());
    seconds(theirs());
    median((0..count).map(|_| seconds(ours()) / seconds(theirs())).collect())
}

/// How long a process takes that succeeds, from its start to its end.
pub(crate) fn seconds(command: Command) -> f64 {
    seconds_to_end(command, 0)
}

/// How long a process takes that ends with this exit code, from its start to its end.
pub(crate) fn seconds_to_end(mut command: Command, code: i32) -> f64 {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(status.code(), Some(code), "{command:?}");
    seconds
}

/// The most memory that a process had, in millions of bytes, as Linux tells while it runs.
pub(crate) fn peak_memory(mut command: Command) -> f64 {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let file = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    while child.try_wait().expect("the child can be waited for").is_none() {
        let status = fs::read_to_string(&file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        peak = peak.max(kibibytes.unwrap_or(0.0) * 1024.0 / 1e6);
        std::thread::sleep(Duration::from_millis(2));
    }
    peak
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Measures each row, with the older binary first if there is one.
pub(crate) fn print_table(rows: &[fn() -> Row]) {
    print_rows(rows.iter().map(|row| {
        let old = with_the_old_one(row).map(|row| row.measured);
        (row(), old.unwrap_or_default())
    }));
}

/// Prints rows as they come, each with what the older binary needs.
pub(crate) fn print_rows(rows: impl IntoIterator<Item = (Row, String)>) {
    println!("| work | measured | older binary | bound | |\n|---|---|---|---|---|");
    for (row, old) in rows {
        let holds = match row.holds {
            Some(true) => "holds",
            Some(false) => "**missed**",
            None => "",
        };
        let Row { what, measured, bound, .. } = row;
        println!("| {what} | {measured} | {old} | {bound} | {holds} |");
    }
    println!();
}
