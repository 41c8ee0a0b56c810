//! Signals, as calls from a thread of their own.

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
#[cfg(unix)]
use signal_hook::iterator::exfiltrator::WithOrigin;
#[cfg(unix)]
use signal_hook::iterator::{Handle, SignalsInfo};
#[cfg(unix)]
use signal_hook::low_level::siginfo::{Cause, Origin};

#[cfg(unix)]
const CAUGHT: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// A signal that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caught {
    /// Its number.
    pub(crate) signal: i32,
    /// The terminal sent it, to every process in its foreground: Ctrl-C.
    pub(crate) from_terminal: bool,
}

/// Calls `handle` for each SIGINT and SIGTERM from now on, instead of ending the process. SIGHUP is
/// ignored from now on: a terminal or a push client that has gone is no reason to stop delivering.
///
/// Where signals cannot be had, they go on ending the process.
#[cfg(unix)]
pub(crate) fn on_interrupt(handle: impl Fn(Caught) + Send + 'static) {
    let _ = register(&CAUGHT, handle);
}

/// As [`on_interrupt`], for what has no reason to outlive its terminal: SIGHUP is handled, too.
#[cfg(unix)]
pub(crate) fn on_end(handle: impl Fn(Caught) + Send + 'static) {
    let _ = register_all(&CAUGHT, handle);
}

#[cfg(not(unix))]
pub(crate) fn on_end(_: impl Fn(Caught) + Send + 'static) {}

#[cfg(not(unix))]
pub(crate) fn on_interrupt(_: impl Fn(Caught) + Send + 'static) {}

/// As [`on_interrupt`], but signals that the caller of this process has ignored (`nohup`) stay so until
/// the returned function is called. A command that is started in between ignores them, too: a handler
/// does not outlive the start of a command, and neither would what it replaced.
#[cfg(unix)]
pub(crate) fn before_command(handle: impl Fn(Caught) + Send + 'static) -> Box<dyn FnOnce()> {
    let ignored = ignored();
    let (late, early): (Vec<i32>, Vec<i32>) = CAUGHT
        .into_iter()
        .partition(|signal| ignored & bit(*signal) != 0);
    let Some(registered) = register(&early, handle) else {
        return Box::new(|| {});
    };
    Box::new(move || {
        for signal in late {
            // It goes on being ignored then.
            let _ = registered.add_signal(signal);
        }
    })
}

#[cfg(unix)]
fn register(signals: &[i32], handle: impl Fn(Caught) + Send + 'static) -> Option<Handle> {
    register_all(signals, move |caught| {
        if caught.signal != SIGHUP {
            handle(caught);
        }
    })
}

/// Calls `handle` for these signals from a thread. Without one, a signal had better end the process as
/// ever, so the thread comes first.
#[cfg(unix)]
fn register_all(signals: &[i32], handle: impl Fn(Caught) + Send + 'static) -> Option<Handle> {
    let (sender, receiver) = std::sync::mpsc::channel::<SignalsInfo<WithOrigin>>();
    let caught = |origin: Origin| Caught {
        signal: origin.signal,
        from_terminal: origin.cause == Cause::Kernel,
    };
    let thread = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut signals = receiver.recv();
            for origin in signals.iter_mut().flatten() {
                handle(caught(origin));
            }
        });
    thread.ok()?;
    let signals = SignalsInfo::<WithOrigin>::new(signals).ok()?;
    let registered = signals.handle();
    sender.send(signals).ok()?;
    Some(registered)
}

#[cfg(not(unix))]
pub(crate) fn before_command(_: impl Fn(Caught) + Send + 'static) -> Box<dyn FnOnce()> {
    Box::new(|| {})
}

/// A file that would pass the size limit (`ulimit -f`) becomes a write that fails, as on a full disk,
/// instead of the end of the process.
#[cfg(unix)]
pub(crate) fn survive_file_size_limit() {
    // It keeps its old meaning then, which is no worse than before.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}

#[cfg(not(unix))]
pub(crate) fn survive_file_size_limit() {}

/// The signals that this process ignores, a bit each, as far as the system tells.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(unix)]
fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}
