//! The deploy command: started, given the signals that come, waited for.

use std::ffi::OsString;
use std::io;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use chrono::{DateTime, Utc};

use crate::output;
use crate::platform::{self, Caught};
use crate::security::escape::escape;
use crate::signals;

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
    let spawned = platform::spawn(command);
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
    Finished { code, start, end: Utc::now(), signals }
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
                    platform::send_signal(pid, caught.signal);
                }
            }
        }
    }
    (NOT_RUNNABLE, signals)
}

fn wait_for(child: &Mutex<Child>) -> io::Result<ExitStatus> {
    child.lock().unwrap_or_else(PoisonError::into_inner).wait()
}

fn code(status: ExitStatus) -> u8 {
    platform::exit_code(status).unwrap_or(NOT_RUNNABLE)
}
