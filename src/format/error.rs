//! Why a template or a condition comes to nothing.

use minijinja::ErrorKind;
use serde::{Deserialize, Serialize};

use super::escape;
use crate::domain::json::JsonError;

/// Why a publication could not be rendered, a condition is neither true nor false, or one of the two is refused.
///
/// The text is one line. It has no source: what a library says could quote a whole value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct RenderError {
    pub(super) reason: String,
    /// The next step, where there is one.
    pub(crate) hint: Option<String>,
    /// Whether keys that the deployment lacks may be the cause.
    #[serde(skip)]
    pub(super) for_want_of_keys: bool,
}

impl RenderError {
    pub(super) fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None, for_want_of_keys: false }
    }

    /// A mistake in a template or a condition, or one that this deployment brought out, in words that follow `what`.
    pub(super) fn from_engine(what: &str, error: &minijinja::Error) -> Self {
        let kind = error.kind();
        let why = match error.detail() {
            _ if kind == ErrorKind::OutOfFuel => "it takes too much work".to_owned(),
            Some(detail) => format!("{kind}: {}", escape::shorten(detail, 120).replace('\n', " ")),
            None => kind.to_string(),
        };
        let for_want_of_keys = matches!(
            kind,
            ErrorKind::InvalidOperation
                | ErrorKind::UndefinedError
                | ErrorKind::NonPrimitive
                | ErrorKind::NonKey
                | ErrorKind::CannotUnpack
        );
        Self { for_want_of_keys, ..Self::because(format!("{what}{why}")) }
    }
}

impl From<&JsonError> for RenderError {
    /// Only where: what is wrong there could quote the deployment.
    fn from(JsonError { line, column, .. }: &JsonError) -> Self {
        let place = format!("line {line}, column {column}");
        Self::because(format!("the deployment is not one JSON object: {place}"))
    }
}
