//! SIGINT, SIGTERM and SIGHUP, as calls from a thread of their own.

use crate::platform::{self, Caught, SIGHUP, SIGINT, SIGTERM};

const CAUGHT: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Calls `handle` for each SIGINT and SIGTERM from now on, instead of ending the process. SIGHUP is
/// ignored from now on: a terminal or a push client that has gone is no reason to stop delivering.
///
/// Where signals cannot be had, they go on ending the process.
pub(crate) fn on_interrupt(handle: impl Fn(Caught) + Send + 'static) {
    let _ = catch(&CAUGHT, handle);
}

/// As [`on_interrupt`], for what has no reason to outlive its terminal: SIGHUP is handled, too.
pub(crate) fn on_end(handle: impl Fn(Caught) + Send + 'static) {
    let _ = platform::catch(&CAUGHT, handle);
}

/// As [`on_interrupt`], but signals that the caller of this process has ignored (`nohup`) stay so until
/// the returned function is called. A command that is started in between ignores them, too: a handler
/// does not outlive the start of a command, and neither would what it replaced.
pub(crate) fn before_command(handle: impl Fn(Caught) + Send + 'static) -> impl FnOnce() {
    let (late, early): (Vec<i32>, Vec<i32>) =
        CAUGHT.into_iter().partition(|signal| platform::ignores(*signal));
    let catching = catch(&early, handle);
    move || {
        if let Some(catch) = catching {
            for signal in late {
                catch(signal);
            }
        }
    }
}

fn catch(signals: &[i32], handle: impl Fn(Caught) + Send + 'static) -> Option<Box<dyn Fn(i32)>> {
    platform::catch(signals, move |caught| {
        if caught.signal != SIGHUP {
            handle(caught);
        }
    })
}
