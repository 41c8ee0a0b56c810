//! Unix: signals, modes, limits, and how a process starts and ends.

mod folder;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

use super::Caught;

pub(crate) use folder::{
    Folder, facts_of, facts_of_link, facts_of_open, set_mode, set_owner, user,
};

/// The answer where a file that is no link is read as one.
pub(crate) const NOT_A_LINK: i32 = Errno::INVAL.raw_os_error();

/// Calls `handle` for each of these signals, from a thread of its own, instead of what they mean; gives what
/// adds one more signal, and None where that cannot be had. The thread is started first: a signal that nobody
/// handles had better go on ending the process.
pub(crate) fn catch(
    signals: &[i32],
    handle: impl Fn(Caught) + Send + 'static,
) -> Option<Box<dyn Fn(i32)>> {
    let (sender, receiver) = mpsc::channel::<SignalsInfo<WithOrigin>>();
    let caught = |origin: Origin| Caught {
        signal: origin.signal,
        from_terminal: origin.cause == Cause::Kernel,
    };
    let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut signals = receiver.recv();
        for origin in signals.iter_mut().flatten() {
            handle(caught(origin));
        }
    });
    thread.ok()?;
    let signals = SignalsInfo::<WithOrigin>::new(signals).ok()?;
    let handle = signals.handle();
    sender.send(signals).ok()?;
    // One that cannot be had keeps its meaning.
    Some(Box::new(move |signal| drop(handle.add_signal(signal))))
}

/// A file that would pass the size limit (`ulimit -f`) becomes a write that fails, as on a full disk,
/// instead of the end of the process.
pub(crate) fn survive_file_size_limit() {
    // It keeps its old meaning then, which is no worse than before.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Raises the soft limit of open files as far as it goes, and gives what it is then.
pub(crate) fn raise_file_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let all = Rlimit { current: maximum, maximum };
    let limit = match setrlimit(Resource::Nofile, all) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    limit.unwrap_or(u64::MAX)
}

/// Limits this process from now on: to so much memory in bytes, and to a time on the processor, in whole
/// seconds. What goes past it ends the process. Where the system knows no such limit, there is none.
pub(crate) fn limit_work(memory: usize, time: Duration) {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
    let seconds = used.unsigned_abs() + 1 + time.as_secs();
    limit(Resource::Cpu, seconds);
    limit(Resource::Data, memory as u64);
    limit(Resource::Core, 0);
}

/// Sets the soft limit, which can be raised again.
fn limit(resource: Resource, wanted: u64) {
    let Rlimit { maximum, .. } = getrlimit(resource);
    let current = Some(maximum.map_or(wanted, |maximum| maximum.min(wanted)));
    let _ = setrlimit(resource, Rlimit { current, maximum });
}

/// Waits at most this long until a stream can be written to. What is closed, or no pipe at all, takes it or
/// fails at once.
pub(crate) fn is_writable(stream: &impl AsFd, limit: Duration) -> bool {
    let mut descriptors = [PollFd::new(stream, PollFlags::OUT)];
    let until = Instant::now() + limit;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match poll(&mut descriptors, left.try_into().ok().as_ref()) {
            Ok(0) => return false,
            // A signal in the middle of the wait is no answer.
            Err(Errno::INTR) => {}
            _ => return true,
        }
    }
}

/// Starts a command: the program and its arguments. A text without a `#!` line is given to the shell, as
/// the shell itself does it.
pub(crate) fn spawn(command: &[OsString]) -> io::Result<Child> {
    let spawned = Command::new(&command[0]).args(&command[1..]).spawn();
    match spawned {
        Err(error) if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
            spawn_script(command, error)
        }
        spawned => spawned,
    }
}

/// Makes the command begin a process group, for [`kill_group`].
pub(crate) fn in_own_group(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// Kills a child that began a process group, and what it has started, as far as that is in the group.
pub(crate) fn kill_group(child: u32) {
    if let Some(group) = i32::try_from(child).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

/// Sends a signal to a child that has not been waited for. It may end at this moment, and then gets none.
pub(crate) fn send_signal(pid: u32, signal: i32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let (Some(pid), Some(signal)) = (pid, Signal::from_named_raw(signal)) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// How a command ended, as the shell tells it: its exit code, 128+n after signal n.
pub(crate) fn exit_code(status: ExitStatus) -> Option<u8> {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
}

/// Whether what is open is the file at this path.
pub(crate) fn is_same_file(open: &impl AsFd, path: &Path) -> bool {
    let (open, file) = (facts_of_open(open), facts_of(path));
    matches!((open, file), (Ok(open), Ok(file)) if open.identity == file.identity)
}

/// What follows a prefix in an argument of any bytes.
pub(crate) fn strip_prefix<'a>(text: &'a OsStr, prefix: &str) -> Option<&'a OsStr> {
    let rest = text.as_bytes().strip_prefix(prefix.as_bytes())?;
    Some(OsStr::from_bytes(rest))
}

/// Starts a script by the shell; `error` is why it could not be started by itself.
fn spawn_script(command: &[OsString], error: io::Error) -> io::Result<Child> {
    let Some(script) = find_command(&command[0]).filter(|script| is_text(script)) else {
        return Err(error);
    };
    Command::new("/bin/sh").arg(script).args(&command[1..]).spawn()
}

/// The file that a command's name stands for: one without a slash is looked up in PATH.
fn find_command(name: &OsStr) -> Option<PathBuf> {
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(name.into());
    }
    let path = std::env::var_os("PATH")?;
    let runnable = |file: &PathBuf| {
        file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(runnable)
}

/// Shells refuse a file with a NUL in its first line.
fn is_text(script: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(script).and_then(|file| file.take(256).read_to_end(&mut start));
    let first = start.split(|b| *b == b'\n').next().unwrap_or_default();
    read.is_ok() && !first.contains(&0)
}
