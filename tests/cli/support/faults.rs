//! Makes each system call on the registry's files fail in turn, and lets a test check the result.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::DEPLOYMENT;
use super::invocation::Invocation;
use super::proof::figures;
use super::receiver::Receiver;
use super::sandbox::Sandbox;
use super::strace::{Call, Effect, Scope, Strace, files_of};

/// The errors, and the system's texts for them.
const ERRORS: [(&str, &str); 5] = [
    ("ENOSPC", "No space left on device"),
    ("EIO", "Input/output error"),
    ("EACCES", "Permission denied"),
    ("EMFILE", "Too many open files"),
    ("EINTR", "Interrupted system call"),
];

/// A verb, and what it finds.
pub(crate) struct Scenario<'a> {
    pub(crate) arguments: &'a [&'a str],
    /// Where the registry is in the sandbox.
    pub(crate) registry: &'a str,
    pub(crate) prepare: &'a dyn Fn(&Sandbox),
    pub(crate) receiver: Option<&'a Receiver>,
}

/// One run, in a sandbox of its own.
pub(crate) struct Run<'a> {
    scenario: &'a Scenario<'a>,
    sandbox: Sandbox,
    before: Option<Vec<u8>>,
    journal_before: Vec<u8>,
    requests_before: usize,
}

impl<'a> Run<'a> {
    fn new(scenario: &'a Scenario<'a>) -> Self {
        let sandbox = Sandbox::new();
        (scenario.prepare)(&sandbox);
        let read = |suffix: &str| {
            fs::read(sandbox.path().join(format!("{}{suffix}", scenario.registry))).ok()
        };
        Self {
            scenario,
            before: read(""),
            journal_before: read(".journal").unwrap_or_default(),
            requests_before: scenario.receiver.map_or(0, Receiver::count),
            sandbox,
        }
    }

    fn path(&self) -> PathBuf {
        self.sandbox.path().join(self.scenario.registry)
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = files_of(&self.path());
        // Symlinks and folders on the way, too.
        files.push(self.sandbox.path().join("link.json"));
        files.push(self.sandbox.path().join("new"));
        files
    }

    fn invocation(&self) -> Invocation<'_> {
        let link = self.sandbox.path().join("link.json");
        let file = if link.symlink_metadata().is_ok() { link } else { self.path() };
        self.sandbox.hooks(self.scenario.arguments).env("HOOKS_FILE", file).stdin(DEPLOYMENT)
    }

    /// The registry without what differs from run to run; none if it is missing or damaged.
    pub(crate) fn contents(&self) -> Option<Value> {
        let mut registry: Value = serde_json::from_slice(&fs::read(self.path()).ok()?).ok()?;
        for hook in registry["hooks"].as_array_mut()? {
            hook.as_object_mut()?.remove("last_datetime");
        }
        Some(registry)
    }

    pub(crate) fn is_old(&self) -> bool {
        fs::read(self.path()).ok() == self.before
    }

    /// What was appended to the journal; none if it lost what it had.
    pub(crate) fn journal_text(&self) -> Option<String> {
        let journal = format!("{}.journal", self.path().display());
        let journal = fs::read(journal).unwrap_or_default();
        let appended = journal.strip_prefix(self.journal_before.as_slice())?;
        Some(String::from_utf8_lossy(appended).into_owned())
    }

    pub(crate) fn was_sent(&self) -> bool {
        let receiver = self.scenario.receiver.expect("a receiver");
        receiver.count() > self.requests_before
    }
}

/// How one run ended.
pub(crate) struct Fault<'a> {
    call: &'a Call,
    pub(crate) error: &'static str,
    pub(crate) words: &'static str,
    pub(crate) code: i32,
    pub(crate) stdout: &'a str,
    pub(crate) stderr: &'a str,
    failures: RefCell<Vec<String>>,
}

impl Fault<'_> {
    pub(crate) fn must(&self, holds: bool, what: &str) {
        if !holds {
            self.failures.borrow_mut().push(what.to_owned());
        }
    }

    /// The failed checks, with all that the run printed.
    fn failure(self) -> Option<String> {
        let failures = self.failures.into_inner();
        (!failures.is_empty()).then(|| {
            format!(
                "{} at {}\n  => {}\nexit code {}\n--- stdout ---\n{}--- stderr ---\n{}---\n",
                self.error,
                self.call,
                failures.join("\n  => "),
                self.code,
                self.stdout,
                self.stderr
            )
        })
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.stderr.contains(text)
    }

    pub(crate) fn on(&self, suffix: &str) -> bool {
        self.call.shown.contains(&format!("hooks.json{suffix}"))
    }
}

/// Makes each call fail with each error, and lets `judge` name the result of each run. Gives how many runs had
/// which result.
pub(crate) fn each_fault(
    scenario: &Scenario,
    judge: impl Fn(&Run, &Fault, &Value) -> &'static str,
) -> Vec<(&'static str, usize)> {
    let Some(strace) = Strace::find() else {
        return Vec::new();
    };
    let reference = Run::new(scenario);
    let files = reference.files();
    let (finished, calls) = strace.calls(reference.invocation(), Scope::On(&files));
    finished.assert_code(0);
    let new = reference.contents().expect("there is a registry");
    let mut failures = Vec::new();
    let mut count: Vec<(&'static str, usize)> = Vec::new();
    for call in calls.iter().filter(|call| fails(&call.name)) {
        for (error, words) in ERRORS {
            if error == "EINTR" && call.name == "lseek" {
                continue; // It never waits for anything.
            }
            let run = Run::new(scenario);
            let files = run.files();
            let effect = Effect::Error(error);
            let (finished, came) = strace.inject(run.invocation(), Scope::On(&files), call, effect);
            let fault = Fault {
                call,
                error,
                words,
                code: finished.code().unwrap_or(-1),
                stdout: &finished.stdout,
                stderr: &finished.stderr,
                failures: RefCell::default(),
            };
            fault.must(came, "the fault did not come");
            fault.must(fault.code != 101 && !fault.says("bug"), "it must not panic");
            let verdict = judge(&run, &fault, &new);
            match count.iter_mut().find(|(known, _)| *known == verdict) {
                Some((_, times)) => *times += 1,
                None => count.push((verdict, 1)),
            }
            next_command_works(&run, &fault, &new);
            failures.extend(fault.failure());
        }
    }
    assert!(failures.is_empty(), "{} of the faults:\n{}", failures.len(), failures.join("\n"));
    figures(&format!("{}: {} calls, {count:?}", scenario.arguments[0], calls.len()));
    count
}

/// A real `close` closes even when it fails. An injected failure does not, and the lock would stay taken.
fn fails(name: &str) -> bool {
    !matches!(name, "close" | "fcntl")
}

/// After a fault, the same command succeeds without one.
fn next_command_works(run: &Run, fault: &Fault, new: &Value) {
    let saved = run.contents().as_ref() == Some(new);
    let again = run.invocation().run();
    let removed_already = saved && run.scenario.arguments[0] == "remove";
    let expected = if removed_already { 5 } else { 0 };
    let waits = run.scenario.arguments[0] == "redeliver" && again.code() == Some(3);
    fault.must(
        again.code() == Some(expected) || waits,
        &format!("the next command must succeed: {}", again.stderr),
    );
    // A claim whose sync failed counts until its deadline, so a redelivery may have to wait for that.
    fault.must(
        run.contents().as_ref() == Some(new) || run.scenario.arguments[0] == "redeliver",
        "the next command must end where the first one should have",
    );
    let temporary = format!("{}.tmp", run.path().display());
    fault.must(fs::symlink_metadata(temporary).is_err(), "no temporary file stays");
}
