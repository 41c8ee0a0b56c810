//! What a process printed and its exit code, compared as a whole.

use std::fmt::Write as _;
use std::process::ExitStatus;
use std::time::Duration;

use super::pattern::{difference, matches};

/// All that a run of `hooks` printed, how it ended and how long it took.
pub(crate) struct Output {
    /// The command line, for the message of a failed assertion.
    pub(crate) command: String,
    pub(crate) status: ExitStatus,
    /// Standard output, with the sandbox's path as `[DIR]`.
    pub(crate) stdout: String,
    /// Standard error, with the sandbox's path as `[DIR]`.
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

impl Output {
    /// The exit code; a process that a signal ended has none.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Puts the lines of standard output in order: results come as deliveries end.
    pub(crate) fn sorted(mut self) -> Self {
        let mut lines: Vec<_> = self.stdout.split_inclusive('\n').collect();
        lines.sort_unstable();
        self.stdout = lines.concat();
        self
    }

    /// Compares the exit code and the complete standard output and error.
    ///
    /// `[ID]`, `[TIME]`, `[MS]`, `[PORT]`, `[NUMBER]` and `[SECRET]` in what is expected stand for what
    /// varies, `[DIR]` is the sandbox's path.
    #[track_caller]
    pub(crate) fn assert(&self, code: i32, stdout: &str, stderr: &str) -> &Self {
        let mut wrong = String::new();
        if self.code() != Some(code) {
            let _ = writeln!(wrong, "expected exit code {code}, got {}", self.status);
        }
        for (name, expected, actual) in
            [("stdout", stdout, &self.stdout), ("stderr", stderr, &self.stderr)]
        {
            if !matches(expected, actual) {
                let _ = write!(
                    wrong,
                    "{name} (- expected, + got):\n{}",
                    difference(expected, actual, matches)
                );
            }
        }
        assert!(wrong.is_empty(), "$ {}\n{wrong}\n{}", self.command, self.all());
        self
    }

    /// Compares the exit code alone, for a test about what a receiver or a file got.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert!(
            self.code() == Some(code),
            "$ {}\nexpected exit code {code}, got {}\n{}",
            self.command,
            self.status,
            self.all()
        );
        self
    }

    /// Both streams hold nothing of `secret`, however it got there.
    #[track_caller]
    pub(crate) fn assert_hides(&self, secret: &str) -> &Self {
        assert!(
            !self.stdout.contains(secret) && !self.stderr.contains(secret),
            "$ {}\nshows {secret:?}\n{}",
            self.command,
            self.all()
        );
        self
    }

    /// That the standard output has each of these texts.
    #[track_caller]
    pub(crate) fn assert_stdout_has(&self, needles: &[&str]) -> &Self {
        for needle in needles {
            let has = self.stdout.contains(needle);
            assert!(has, "standard output lacks {needle:?}:\n{}", self.stdout);
        }
        self
    }

    /// Standard error holds each of these, for a message with parts that vary.
    #[track_caller]
    pub(crate) fn assert_stderr_has(&self, needles: &[&str]) -> &Self {
        for needle in needles {
            assert!(
                self.stderr.contains(needle),
                "$ {}\nstderr says nothing of {needle:?}\n{}",
                self.command,
                self.all()
            );
        }
        self
    }

    /// It took between these two, which have to be a factor of two away from what is expected.
    #[track_caller]
    pub(crate) fn assert_took(&self, least: Duration, most: Duration) -> &Self {
        assert!(
            least <= self.elapsed && self.elapsed <= most,
            "$ {}\ntook {:?}, not between {least:?} and {most:?}\n{}",
            self.command,
            self.elapsed,
            self.all()
        );
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("$ {}\nstandard output is not JSON: {error}\n{}", self.command, self.all())
        })
    }

    /// Standard output as JSON Lines.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| {
                    panic!("$ {}\na line is not JSON: {error}\n{}", self.command, self.all())
                })
            })
            .collect()
    }

    fn all(&self) -> String {
        format!(
            "{}, {:?}\n--- stdout ---\n{}--- stderr ---\n{}---",
            self.status, self.elapsed, self.stdout, self.stderr
        )
    }
}
