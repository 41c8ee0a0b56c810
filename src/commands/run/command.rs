//! The deploy command: started, given the signals that come, waited for.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use chrono::{DateTime, Utc};

use crate::output;
use crate::security::escape::escape;
use crate::signals::{self, Caught};

/// The shell's code for a command that was not found, …
const NOT_FOUND: u8 = 127;
/// … and for one that cannot be run.
const NOT_RUNNABLE: u8 = 126;

/// What happens while the command runs.
pub(super) enum Event {
    /// A signal has come.
    Signal(Caught),
    /// The command has ended.
    Exited(io::Result<ExitStatus>),
}

/// How the command went.
pub(super) struct Finished {
    /// Its exit code, 128+n after signal n.
    pub(super) code: u8,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    /// How many signals have come; the first was the command's.
    pub(super) signals: u32,
}

/// Runs the command to its end.
pub(super) fn run(
    command: &[OsString],
    sender: &Sender<Event>,
    events: &Receiver<Event>,
) -> Finished {
    let start = Utc::now();
    let on_signal = sender.clone();
    let catch_the_rest = signals::before_command(move |caught| {
        let _ = on_signal.send(Event::Signal(caught));
    });
    let spawned = spawn(command);
    catch_the_rest();
    let (code, signals) = match spawned {
        Ok(child) => wait(child, sender.clone(), events),
        Err(error) => {
            let missing = error.kind() == io::ErrorKind::NotFound;
            let name = command[0].to_string_lossy();
            let what = format!("could not run {}", escape(&name));
            output::error(&anyhow::Error::new(error).context(what));
            (if missing { NOT_FOUND } else { NOT_RUNNABLE }, 0)
        }
    };
    Finished {
        code,
        start,
        end: Utc::now(),
        signals,
    }
}

fn spawn(command: &[OsString]) -> io::Result<Child> {
    let spawned = Command::new(&command[0]).args(&command[1..]).spawn();
    match spawned {
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            script::spawn(command, error)
        }
        spawned => spawned,
    }
}

/// Waits for the command. Signals go to it; those of the terminal it has already.
fn wait(child: Child, sender: Sender<Event>, events: &Receiver<Event>) -> (u8, u32) {
    let pid = child.id();
    let child = Arc::new(Mutex::new(child));
    let in_background = Arc::clone(&child);
    let thread = thread::Builder::new().spawn(move || {
        let _ = sender.send(Event::Exited(wait_for(&in_background)));
    });
    if thread.is_err() {
        // Without a thread there is nobody to pass signals on.
        return (wait_for(&child).map_or(NOT_RUNNABLE, code), 0);
    }
    let mut signals = 0;
    for event in events {
        match event {
            Event::Exited(Ok(status)) => return (code(status), signals),
            Event::Exited(Err(_)) => break,
            Event::Signal(caught) => {
                signals += 1;
                if !caught.from_terminal {
                    forward(pid, caught.signal);
                }
            }
        }
    }
    (NOT_RUNNABLE, signals)
}

fn wait_for(child: &Mutex<Child>) -> io::Result<ExitStatus> {
    child.lock().unwrap_or_else(PoisonError::into_inner).wait()
}

#[cfg(unix)]
fn forward(pid: u32, signal: i32) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let (Some(pid), Some(signal)) = (pid, Signal::from_named_raw(signal)) {
        // It may have ended at this moment.
        let _ = kill_process(pid, signal);
    }
}

#[cfg(not(unix))]
fn forward(_: u32, _: i32) {}

#[cfg(unix)]
fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(NOT_RUNNABLE)
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> u8 {
    let low = status
        .code()
        .and_then(|code| u8::try_from(code & 0xff).ok());
    low.unwrap_or(NOT_RUNNABLE)
}

/// A text without a #! line is the shell's, as the shell itself does it.
#[cfg(unix)]
mod script {
    use std::ffi::{OsStr, OsString};
    use std::fs::File;
    use std::io::{self, Read as _};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command};

    /// Starts the script by the shell; `error` is why it could not be started by itself.
    pub(super) fn spawn(command: &[OsString], error: io::Error) -> io::Result<Child> {
        let Some(script) = find(&command[0]).filter(|script| is_text(script)) else {
            return Err(error);
        };
        Command::new("/bin/sh")
            .arg(script)
            .args(&command[1..])
            .spawn()
    }

    /// The file that a command's name stands for: one without a slash is looked up in PATH.
    fn find(name: &OsStr) -> Option<PathBuf> {
        if name.as_encoded_bytes().contains(&b'/') {
            return Some(name.into());
        }
        let path = std::env::var_os("PATH")?;
        let runnable = |file: &PathBuf| {
            file.metadata()
                .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        };
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(runnable)
    }

    /// Shells refuse a file with a NUL in its first line.
    fn is_text(script: &Path) -> bool {
        let mut start = Vec::new();
        let read = File::open(script).and_then(|file| file.take(256).read_to_end(&mut start));
        let first = start.split(|b| *b == b'\n').next().unwrap_or_default();
        read.is_ok() && !first.contains(&0)
    }
}
