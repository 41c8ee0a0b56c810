//! The limits of a publish: by flag, else by environment, else the default.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::values;
use crate::domain::limits::Limits;
use crate::exit::Failure;

/// How long to try, and how many deliveries at once. What is not given comes from the environment,
/// where an empty variable counts as none, or is the default: see [`LimitOptions::settle`].
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitOptions {
    /// The longest that one attempt may take [env: HOOKS_TIMEOUT] [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    timeout: Option<Duration>,
    /// How often to try again after a failure that may pass [env: HOOKS_RETRIES] [default: 2]
    #[arg(long, value_name = "N", value_parser = values::retries)]
    retries: Option<u32>,
    /// The longest that everything together may take [env: HOOKS_DEADLINE] [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    deadline: Option<Duration>,
    /// The most deliveries in flight at once [env: HOOKS_JOBS] [default: 256]
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    jobs: Option<NonZeroUsize>,
}

impl LimitOptions {
    /// Looks into the environment for what no flag says. A wrong variable is handed to `on_wrong`, as an error that
    /// names it: where that is no end, the default is taken.
    pub(crate) fn settle(
        &self,
        on_wrong: impl Fn(Failure) -> Result<(), Failure>,
    ) -> Result<Limits, Failure> {
        let wrong = &on_wrong;
        Ok(Limits {
            timeout: settled(self.timeout, "HOOKS_TIMEOUT", values::duration, wrong)?
                .unwrap_or(Duration::from_secs(10)),
            retries: settled(self.retries, "HOOKS_RETRIES", values::retries, wrong)?.unwrap_or(2),
            deadline: settled(self.deadline, "HOOKS_DEADLINE", values::duration, wrong)?
                .unwrap_or(Duration::from_secs(30)),
            jobs: settled(self.jobs, "HOOKS_JOBS", values::jobs, wrong)?
                .or(NonZeroUsize::new(256))
                .unwrap_or(NonZeroUsize::MIN),
        })
    }
}

/// The flag, else the variable, else nothing. clap's own look into the environment takes an empty variable for a value.
fn settled<T, E: Display>(
    flag: Option<T>,
    variable: &str,
    parse: fn(&str) -> Result<T, E>,
    on_wrong: impl Fn(Failure) -> Result<(), Failure>,
) -> Result<Option<T>, Failure> {
    let text = std::env::var_os(variable).filter(|text| !text.is_empty() && flag.is_none());
    let Some(text) = text else {
        return Ok(flag);
    };
    match parse(&text.to_string_lossy()) {
        Ok(value) => Ok(Some(value)),
        Err(cause) => {
            let message = format!("wrong value in the environment for {variable}: {cause}");
            let hint = format!("set it right, or unset {variable}");
            on_wrong(Failure::usage(message).hint(hint)).map(|()| None)
        }
    }
}
