//! The exit codes, each with its meaning, and the error that carries one to `main`.

use std::io;

use crate::domain::reference::HookReference;
use crate::security::escape::escape;

/// How the program ends (docs/design.md §2). `main` alone turns it into a process status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for a publish: every matching hook accepted it, or none matched.
    Done,
    /// It could not be done: bad payload, I/O, unreadable registry.
    Failed,
    /// A wrong argument.
    Usage,
    /// At least one delivery failed; the registry and the journal are up to date all the same.
    Undelivered,
    /// The URL is registered already, for another event or with other options; or the name is.
    Conflict,
    /// No hook has that id or name.
    Unknown,
    /// The registry stayed locked by another process.
    Locked,
    /// Interrupted by this signal (SIGINT 2, SIGTERM 15); what had finished is recorded.
    Interrupted(u8),
    /// `run` ends as its command did.
    Command(u8),
}

impl Exit {
    /// Interrupted by the signal of this number.
    pub(crate) fn interrupted(signal: i32) -> Self {
        Self::Interrupted(u8::try_from(signal).unwrap_or_default())
    }

    /// The process status.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Undelivered => 3,
            Self::Conflict => 4,
            Self::Unknown => 5,
            Self::Locked => 6,
            Self::Interrupted(signal) => 128_u8.saturating_add(signal),
            Self::Command(code) => code,
        }
    }
}

/// An error that knows its exit code and the next step. It travels inside an `anyhow::Error`, also as the context of
/// another error; an error without one ends with [`Exit::Failed`].
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// The exit code it ends with.
    pub(crate) exit: Exit,
    message: String,
    /// The next step, if there is one to name.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// An error with this exit code.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// An argument that clap could not judge.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// There are no such hooks.
    pub(crate) fn unknown_hooks<'a>(hooks: impl IntoIterator<Item = &'a HookReference>) -> Self {
        let hooks: Vec<&HookReference> = hooks.into_iter().collect();
        let ids = hooks.iter().filter(|hook| matches!(hook, HookReference::Id(_))).count();
        let kind = match ids {
            0 => "name",
            _ if ids == hooks.len() => "id",
            _ => "id or name",
        };
        let named: Vec<String> = hooks.iter().map(ToString::to_string).collect();
        let message = format!("no hook has the {kind} {}", named.join(" or "));
        Self::new(Exit::Unknown, message).hint("see 'hooks list'")
    }

    /// There is no such publication.
    pub(crate) fn unknown_publication(id: &str) -> Self {
        let message = format!("no publication has the id {}", escape(id));
        Self::new(Exit::Unknown, message)
            .hint("see 'hooks log -v'; what is old and was delivered is not kept")
    }

    /// Adds the next step, printed as `hint: …`.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The failure in an error, also in its context or inside an [`io::Error`]: it decides the exit code and the hint.
    pub(crate) fn of(error: &anyhow::Error) -> Option<&Self> {
        error.downcast_ref().or_else(|| {
            let mut chain = error.chain();
            chain.find_map(|cause| cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref())
        })
    }
}
