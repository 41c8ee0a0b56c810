//! The limits of a publish, settled: by flag, else by environment, else the default.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::values;
use crate::exit::Failure;

/// How long to try, and how many deliveries at once. What is not given comes from the environment,
/// where an empty variable counts as none, or is the default: see [`Limits::settle`].
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
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

/// The limits that hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettledLimits {
    /// The longest that one attempt may take.
    pub(crate) timeout: Duration,
    /// How often to try again.
    pub(crate) retries: u32,
    /// The longest that everything together may take.
    pub(crate) deadline: Duration,
    /// The most deliveries in flight at once.
    pub(crate) jobs: NonZeroUsize,
}

impl SettledLimits {
    /// With what is left of the deadline when this much of it is spent.
    #[must_use]
    pub(crate) fn less(self, spent: Duration) -> Self {
        let deadline = self.deadline.saturating_sub(spent);
        Self { deadline, ..self }
    }
}

impl Limits {
    /// Looks into the environment for what no flag says. The error names the variable.
    pub(crate) fn settle(&self) -> Result<SettledLimits, Failure> {
        let jobs = NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN);
        Ok(SettledLimits {
            timeout: settled(self.timeout, "HOOKS_TIMEOUT", values::duration)?
                .unwrap_or(Duration::from_secs(10)),
            retries: settled(self.retries, "HOOKS_RETRIES", values::retries)?.unwrap_or(2),
            deadline: settled(self.deadline, "HOOKS_DEADLINE", values::duration)?
                .unwrap_or(Duration::from_secs(30)),
            jobs: settled(self.jobs, "HOOKS_JOBS", values::jobs)?.unwrap_or(jobs),
        })
    }
}

fn settled<T>(
    flag: Option<T>,
    variable: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Failure> {
    let text = std::env::var_os(variable).filter(|text| !text.is_empty());
    match (flag, text) {
        (Some(flag), _) => Ok(Some(flag)),
        (None, None) => Ok(None),
        (None, Some(text)) => match parse(&text.to_string_lossy()) {
            Ok(value) => Ok(Some(value)),
            Err(cause) => {
                let message = format!("wrong value in the environment for {variable}: {cause}");
                Err(Failure::usage(message).hint(format!("set it right, or unset {variable}")))
            }
        },
    }
}
