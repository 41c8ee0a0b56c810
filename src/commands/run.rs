//! `hooks run`: a deploy command, and then how it went is published. Nothing that happens to the
//! publishing ever stops or fails the deployment.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::Context;
use super::publish::{commit_keys, matching, of_fields};
use super::sending::{Results, Sending};
use crate::cli::{Run, SettledLimits};
use crate::delivery::Channel;
use crate::deployment::{Deployment, quoted};
use crate::exit::Exit;
use crate::hook::timestamp;
use crate::publication::Publication;
use crate::signals::{self, Caught};
use crate::{git, output};

/// What happens while the command runs.
enum Event {
    Signal(Caught),
    Exited(io::Result<ExitStatus>),
}

/// How the command went.
struct Finished {
    code: u8,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    /// A second signal has come: publish no more than to the journal.
    cut: bool,
}

pub(super) fn run(context: &Context, arguments: &Run) -> Result<Exit> {
    if let Some(revision) = &arguments.git {
        git::check_revision(revision)?;
    }
    let limits = arguments.limits.settle()?;
    let (sender, events) = mpsc::channel();
    let on_signal = sender.clone();
    signals::on_interrupt(move |caught| {
        let _ = on_signal.send(Event::Signal(caught));
    });
    let finished = deploy(context, &arguments.command, sender, &events);
    if let Err(error) = publish(context, arguments, limits, &finished, events) {
        context.output.warning(format!("not published: {error:#}"));
    }
    Ok(Exit::Command(finished.code))
}

fn deploy(
    context: &Context,
    command: &[OsString],
    sender: Sender<Event>,
    events: &Receiver<Event>,
) -> Finished {
    let start = Utc::now();
    let (code, cut) = match spawn(command) {
        Ok(child) => wait(child, sender, events),
        Err(error) => {
            let name = command[0].to_string_lossy();
            let name = crate::escape::escape(&name);
            output::error(&anyhow::Error::new(error).context(format!("could not run {name}")));
            (code_of_no_start(command), false)
        }
    };
    if code == NOT_FOUND || code == NOT_RUNNABLE {
        context
            .output
            .detail(format!("the command ended with {code}"));
    }
    Finished {
        code,
        start,
        end: Utc::now(),
        cut,
    }
}

/// The shell's codes for a command that was not found, and for one that cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUNNABLE: u8 = 126;

fn spawn(command: &[OsString]) -> io::Result<Child> {
    let spawned = Command::new(&command[0]).args(&command[1..]).spawn();
    match spawned {
        // A script without a #! line is the shell's, as the shell does it.
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            Command::new("/bin/sh").args(command).spawn()
        }
        spawned => spawned,
    }
}

fn code_of_no_start(command: &[OsString]) -> u8 {
    match spawn(command) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_RUNNABLE,
    }
}

/// Waits for the command. Signals go to it; the terminal's it has already.
fn wait(mut child: Child, sender: Sender<Event>, events: &Receiver<Event>) -> (u8, bool) {
    let pid = child.id();
    thread::spawn(move || sender.send(Event::Exited(child.wait())));
    let mut signals = 0;
    for event in events {
        match event {
            Event::Exited(Ok(status)) => return (code(status), signals > 1),
            Event::Exited(Err(_)) => return (NOT_RUNNABLE, signals > 1),
            Event::Signal(caught) => {
                signals += 1;
                if !caught.from_terminal {
                    forward(pid, caught.signal);
                }
            }
        }
    }
    (NOT_RUNNABLE, true)
}

#[cfg(unix)]
fn forward(pid: u32, signal: i32) {
    let signal = rustix::process::Signal::from_named_raw(signal);
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let (Some(pid), Some(signal)) = (pid, signal) {
        // It may have ended at this moment.
        let _ = rustix::process::kill_process(pid, signal);
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
    status.code().map_or(NOT_RUNNABLE, |code| {
        u8::try_from(code & 0xff).unwrap_or(NOT_RUNNABLE)
    })
}

fn publish(
    context: &Context,
    arguments: &Run,
    limits: SettledLimits,
    finished: &Finished,
    events: Receiver<Event>,
) -> Result<()> {
    let deployment = deployment(context, arguments, finished);
    let registry = context.registry()?;
    let sending = Sending::new(context, &registry, limits, Results::Aside);
    let hooks = context.read(&registry)?.hooks;
    let publication = Publication::new(&arguments.event, deployment.as_str());
    let hooks = matching(context.output, hooks, &publication);
    if hooks.is_empty() {
        context
            .output
            .note(format!("no hook is to be called for {}", arguments.event));
        return Ok(());
    }
    sending.publish(publication, hooks, channel(finished.cut, events));
    Ok(())
}

/// From now on a signal cuts the publish; what it leaves is in the journal.
fn channel(cut: bool, events: Receiver<Event>) -> Channel {
    let channel = Channel::new();
    let interrupt = channel.interrupter();
    if cut {
        interrupt(0);
    }
    thread::spawn(move || {
        for event in events {
            if let Event::Signal(caught) = event {
                interrupt(caught.signal);
            }
        }
    });
    channel
}

fn deployment(context: &Context, arguments: &Run, finished: &Finished) -> Deployment {
    let status = if finished.code == 0 {
        "success"
    } else {
        "failed"
    };
    let commit = arguments.git.as_deref().map(git::commit).transpose();
    let keys = match commit {
        Ok(commit) => commit.as_ref().map(commit_keys).unwrap_or_default(),
        Err(error) => {
            context
                .output
                .warning(format!("{error}; published without the commit"));
            Vec::new()
        }
    };
    let own = [
        ("status".to_owned(), quoted(status)),
        ("start_time".to_owned(), quoted(&timestamp(finished.start))),
        ("end_time".to_owned(), quoted(&timestamp(finished.end))),
    ];
    Deployment::empty()
        .with(&keys)
        .with(&own)
        .with(&of_fields(&arguments.fields))
}
