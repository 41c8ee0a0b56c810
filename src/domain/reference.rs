//! How hooks and publications are named on the command line.

use std::fmt;
use std::str::FromStr;

use super::hook::{HookId, check_name};

/// A hook, as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HookReference {
    /// By its id.
    Id(HookId),
    /// By its name, in any case.
    Name(String),
}

/// A hook or a publication, as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// A hook.
    Hook(HookReference),
    /// A publication, by its `msg_…` id.
    Publication(String),
}

impl FromStr for HookReference {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        check_name(text)?;
        Ok(Self::Name(text.to_owned()))
    }
}

impl From<HookId> for HookReference {
    fn from(id: HookId) -> Self {
        Self::Id(id)
    }
}

impl fmt::Display for HookReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}
