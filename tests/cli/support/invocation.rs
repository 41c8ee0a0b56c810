//! One call of the binary, put together by a test.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::capture::Capture;
use super::output::Output;
use super::process::Process;
use super::sandbox::Sandbox;

/// How long any call may take before it counts as a hang.
const LIMIT: Duration = Duration::from_secs(60);

/// What the process finds on its standard input.
enum Stdin {
    Nothing,
    Bytes(Vec<u8>),
    /// A pipe that stays open and empty: a read of it never returns.
    Open,
}

/// A command line, its environment and its input.
pub(crate) struct Invocation<'a> {
    sandbox: &'a Sandbox,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    directory: PathBuf,
    stdin: Stdin,
    shell: Option<String>,
    limit: Duration,
}

impl<'a> Invocation<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox, arguments: Vec<OsString>) -> Self {
        Self {
            sandbox,
            arguments,
            environment: Vec::new(),
            directory: sandbox.path().to_owned(),
            stdin: Stdin::Nothing,
            shell: None,
            limit: LIMIT,
        }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), Some(value.as_ref().to_owned())));
        self
    }

    /// Takes a variable away that the sandbox sets.
    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.environment.push((name.into(), None));
        self
    }

    pub(crate) fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// Gives it a standard input that stays open: a read of it would never end.
    pub(crate) fn stdin_left_open(mut self) -> Self {
        self.stdin = Stdin::Open;
        self
    }

    /// Runs it by `sh -c`, where `"$@"` is the whole call: for redirections, pipes and limits.
    pub(crate) fn shell(mut self, script: &str) -> Self {
        self.shell = Some(script.to_owned());
        self
    }

    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Output {
        self.spawn().wait()
    }

    /// Starts it.
    #[track_caller]
    pub(crate) fn spawn(self) -> Process {
        let mut command = self.command();
        let shown = self.shown();
        let started = Instant::now();
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("can't start `{shown}`: {error}"));
        let stdin = child.stdin.take();
        let held = match (self.stdin, stdin) {
            (Stdin::Bytes(bytes), Some(mut pipe)) => {
                // A process may end without reading all of it.
                thread::spawn(move || pipe.write_all(&bytes));
                None
            }
            (_, pipe) => pipe,
        };
        let stdout = Capture::of(child.stdout.take().expect("standard output is piped"));
        let stderr = Capture::of(child.stderr.take().expect("standard error is piped"));
        Process {
            child,
            _held_stdin: held,
            command: shown,
            directory: self.sandbox.path().to_string_lossy().into_owned(),
            stdout,
            stderr,
            started,
            limit: self.limit,
        }
    }

    fn command(&self) -> Command {
        let mut command = if let Some(script) = &self.shell {
            // A name without its folder, beside a PATH of the sandbox, would make the standard library copy
            // the whole process of the tests to start it.
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script, "sh", Sandbox::BINARY]);
            command
        } else {
            Command::new(Sandbox::BINARY)
        };
        command.args(&self.arguments).current_dir(&self.directory).env_clear();
        command.envs(self.sandbox.environment());
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(if matches!(self.stdin, Stdin::Nothing) {
            Stdio::null()
        } else {
            Stdio::piped()
        });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn shown(&self) -> String {
        let arguments: Vec<_> =
            self.arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        let call = format!("hooks {}", arguments.join(" "));
        match &self.shell {
            Some(script) => format!("{call}   (as {script})"),
            None => call,
        }
    }
}
