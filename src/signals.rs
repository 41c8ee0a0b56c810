//! Signals, as calls from a thread of their own.

/// A signal that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caught {
    /// Its number.
    pub signal: i32,
    /// The terminal sent it, to every process in its foreground: Ctrl-C.
    pub from_terminal: bool,
}

/// Calls `handle` for each SIGINT and SIGTERM from now on, instead of ending the process. SIGHUP is
/// ignored from now on: a terminal or a push client that has gone is no reason to stop delivering.
///
/// Where signals cannot be had, they go on ending the process.
#[cfg(unix)]
pub fn on_interrupt(handle: impl Fn(Caught) + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::SignalsInfo;
    use signal_hook::iterator::exfiltrator::WithOrigin;
    use signal_hook::low_level::siginfo::{Cause, Origin};

    let Ok(mut signals) = SignalsInfo::<WithOrigin>::new([SIGINT, SIGTERM, SIGHUP]) else {
        return;
    };
    let caught = |origin: Origin| Caught {
        signal: origin.signal,
        from_terminal: origin.cause == Cause::Kernel,
    };
    std::thread::spawn(move || {
        for origin in &mut signals {
            if origin.signal != SIGHUP {
                handle(caught(origin));
            }
        }
    });
}

#[cfg(not(unix))]
pub fn on_interrupt(_: impl Fn(Caught) + Send + 'static) {}
