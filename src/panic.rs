//! A bug ends with a line that says so, not with a backtrace, whose messages may hold a secret.

use crate::exit::{Exit, Failure};

/// Replaces the standard library's report.
pub(crate) fn report_briefly() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        let version = env!("CARGO_PKG_VERSION");
        let bug = format!("hooks {version} has a bug at {place}");
        let hint =
            "please report this line and the command, without its secrets, to its maintainers";
        let failure = Failure::new(Exit::Failed, bug).hint(hint);
        crate::output::error(&failure.into());
    }));
}
