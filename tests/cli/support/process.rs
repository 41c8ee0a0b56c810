//! A running `hooks` process. It is killed at the end of its test, or when it hangs.

use std::process::{Child, ChildStdin};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::capture::Capture;
use super::output::Output;

/// How long to wait for an event, on a machine that may be busy.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// The signals that tests send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Interrupt,
    Terminate,
    Kill,
    HangUp,
    Stop,
    Continue,
}

/// A process that was started and not yet waited for.
pub(crate) struct Process {
    pub(crate) child: Child,
    /// Kept so that the pipe stays open for as long as the process runs.
    pub(crate) _held_stdin: Option<ChildStdin>,
    pub(crate) command: String,
    pub(crate) directory: String,
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
    pub(crate) started: Instant,
    pub(crate) limit: Duration,
}

impl Process {
    pub(crate) fn signal(&self, signal: Signal) {
        send(self.child.id(), signal);
    }

    /// Sends a signal, upon which the process has to end within this time.
    #[track_caller]
    pub(crate) fn end_by(self, signal: Signal, within: Duration) -> Output {
        let sent = Instant::now();
        self.signal(signal);
        let ended = self.wait();
        let took = sent.elapsed();
        assert!(took < within, "$ {}\nended {took:?} after the signal", ended.command);
        ended
    }

    /// Waits for a complete line on standard error that contains `needle`.
    #[track_caller]
    pub(crate) fn stderr_line(&self, needle: &str) -> String {
        self.stderr.line(needle, TIMEOUT)
    }

    /// Waits for a complete line on standard output that contains `needle`.
    #[track_caller]
    pub(crate) fn stdout_line(&self, needle: &str) -> String {
        self.stdout.line(needle, TIMEOUT)
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked whether it has ended").is_none()
    }

    /// Waits for the end; a process that hangs is killed and fails the test.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Output {
        let (ended, watch) = mpsc::channel::<()>();
        let (pid, limit) = (self.child.id(), self.limit);
        let watchdog = thread::spawn(move || {
            let hangs = watch
                .recv_timeout(limit)
                .is_err_and(|error| error == mpsc::RecvTimeoutError::Timeout);
            if hangs {
                send(pid, Signal::Kill);
            }
            hangs
        });
        let status = self.child.wait().expect("a child can be waited for");
        let elapsed = self.started.elapsed();
        drop(ended);
        let hung = watchdog.join().expect("the watchdog does not panic");
        // A grandchild may hold the pipes; what it says later is not this process's output.
        let grace = Duration::from_secs(5);
        let text = |capture: &Capture| {
            String::from_utf8_lossy(&capture.finish(grace)).replace(&self.directory, "[DIR]")
        };
        let finished = Output {
            command: self.command.clone(),
            status,
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
            elapsed,
        };
        assert!(
            !hung,
            "$ {}\nwas still running after {limit:?} and was killed\n--- stdout ---\n{}--- stderr ---\n{}---",
            finished.command, finished.stdout, finished.stderr
        );
        finished
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(unix)]
fn send(pid: u32, signal: Signal) {
    use rustix::process::{Pid, Signal as Unix, kill_process};
    let signal = match signal {
        Signal::Interrupt => Unix::INT,
        Signal::Terminate => Unix::TERM,
        Signal::Kill => Unix::KILL,
        Signal::HangUp => Unix::HUP,
        Signal::Stop => Unix::STOP,
        Signal::Continue => Unix::CONT,
    };
    let pid =
        i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a child has a valid process id");
    // The process may have ended a moment ago.
    let _ = kill_process(pid, signal);
}

#[cfg(not(unix))]
fn send(pid: u32, _: Signal) {
    let _ = std::process::Command::new("taskkill").args(["/F", "/PID", &pid.to_string()]).status();
}
