//! Makes one system call of the binary fail, or kills the binary at it, by strace's injection.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::invocation::Invocation;
use super::needs;
use super::output::Output;

/// Which system calls are meant.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// Those on these files and folders, by path or by descriptor.
    On(&'a [PathBuf]),
    /// All, from the start of the program on.
    All,
}

/// What happens at a system call in place of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effect {
    /// It fails with this error.
    Error(&'static str),
    /// It does nothing and says that it worked.
    Nothing,
    /// The process is killed before it.
    Kill,
}

/// One system call: which of its name on its thread, counted from 1.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) number: usize,
    /// As the trace shows it.
    pub(crate) shown: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} no. {}: {}", self.name, self.number, self.shown)
    }
}

/// Stops the process at the calls that are shown alone: the other stops take most of the time.
const THERE: &str = "--seccomp-bpf";

/// Stops the process at each call: at any other stop a signal is lost.
const EVERYWHERE: &str = "";

/// strace, with a folder for what it finds.
pub(crate) struct Strace {
    folder: TempDir,
}

impl Strace {
    /// None where it is not installed.
    pub(crate) fn find() -> Option<Self> {
        needs("strace")
            .then(|| Self { folder: tempfile::tempdir().expect("a temporary folder can be made") })
    }

    /// Runs a call of the binary and lists its system calls, in order, each of a name and number once.
    #[track_caller]
    pub(crate) fn calls(&self, invocation: Invocation, scope: Scope) -> (Output, Vec<Call>) {
        let finished = self.run(invocation, scope, "");
        let mut counts: HashMap<(String, String), usize> = HashMap::new();
        let mut seen = HashSet::new();
        let mut calls = Vec::new();
        for line in self.trace().lines() {
            let Some((thread, name)) = entry(line) else {
                continue;
            };
            let count = counts.entry((thread.to_owned(), name.to_owned())).or_default();
            *count += 1;
            if seen.insert((name.to_owned(), *count)) {
                calls.push(Call { name: name.to_owned(), number: *count, shown: line.to_owned() });
            }
        }
        assert!(
            !calls.is_empty(),
            "$ {}\nstrace saw nothing:\n{}",
            finished.command,
            finished.stderr
        );
        (finished, calls)
    }

    /// Runs a call of the binary with this in place of one system call; tells whether that came.
    #[track_caller]
    pub(crate) fn inject(
        &self,
        invocation: Invocation,
        scope: Scope,
        call: &Call,
        effect: Effect,
    ) -> (Output, bool) {
        let effect_text = match effect {
            Effect::Error(error) => format!("error={error}"),
            Effect::Nothing => "retval=0".to_owned(),
            Effect::Kill => "signal=KILL".to_owned(),
        };
        let injected = format!("{}:{effect_text}:when={}", call.name, call.number);
        let stop = if matches!(effect, Effect::Kill) { EVERYWHERE } else { THERE };
        let finished = self.run(invocation, scope, &only(stop, &call.name, &injected));
        let trace = self.trace();
        let came = match effect {
            Effect::Kill => trace.contains("+++ killed by SIGKILL"),
            _ => trace.contains("(INJECTED)"),
        };
        (finished, came)
    }

    /// Runs a call of the binary with each system call of this name failing with this error; tells whether
    /// there was one.
    #[track_caller]
    pub(crate) fn refuse(&self, invocation: Invocation, name: &str, error: &str) -> (Output, bool) {
        let injected = format!("{name}:error={error}");
        let finished = self.run(invocation, Scope::All, &only(THERE, name, &injected));
        (finished, self.trace().contains("(INJECTED)"))
    }

    fn run(&self, invocation: Invocation, scope: Scope, option: &str) -> Output {
        let paths = match scope {
            Scope::On(paths) => {
                let option = |path: &PathBuf| format!("-P '{}'", path.display());
                paths.iter().map(option).collect::<Vec<_>>().join(" ")
            }
            Scope::All => String::new(),
        };
        let file = self.file();
        let script =
            format!("exec strace -f -qqq -y -o '{}' {paths} {option} \"$@\"", file.display());
        let mut finished = invocation.shell(&script).run();
        // strace says so when a path is a link; what the binary says is what counts.
        finished.stderr = finished
            .stderr
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("strace: "))
            .collect();
        finished
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("trace")
    }

    fn trace(&self) -> String {
        let bytes = fs::read(self.file()).expect("strace writes its trace");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Options that inject this and show no other system call.
fn only(stop: &str, name: &str, injected: &str) -> String {
    format!("{stop} --trace={name} --inject={injected}")
}

/// The files of a registry, and the folder they are in.
pub(crate) fn files_of(registry: &Path) -> Vec<PathBuf> {
    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", registry.display()));
    let mut files: Vec<_> =
        ["", ".lock", ".tmp", ".journal", ".journal.damaged"].map(beside).into();
    files.extend(registry.parent().map(Path::to_owned));
    files
}

/// The thread and the name of the system call that begins on this line, if one does.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (thread, rest) = line.split_once(char::is_whitespace)?;
    let (name, _) = rest.trim_start().split_once('(')?;
    let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (is_name && !name.is_empty()).then_some((thread, name))
}
