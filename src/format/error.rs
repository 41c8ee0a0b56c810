//! Why a publication could not be rendered.

use std::fmt;

use minijinja::ErrorKind;

use super::{MAX_TEMPLATE, escape};
use crate::domain::json::JsonError;

/// Why a publication could not be rendered, or a template is refused.
///
/// The text is one line. It has no source: what a library says could quote a whole value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RenderError {
    /// This version has no format of that name; a newer one may have.
    UnknownFormat(String),
    /// The deployment is not one JSON object: where reading it stopped.
    Content { line: usize, column: usize },
    /// The template is larger than 64 KiB: its size in bytes.
    TooLarge(usize),
    /// A mistake in the template, or one that this deployment brought out.
    Template {
        kind: ErrorKind,
        detail: Option<String>,
        line: Option<usize>,
    },
    /// The body would be larger than [`super::template::MAX_BODY`].
    BodyTooLarge,
    /// What the template yields is not JSON: where in its output, and why.
    NotJson(String),
    /// The system gave no thread to render in.
    NoThread,
}

impl RenderError {
    /// Keeps the kind, the line and the start of the detail.
    pub(super) fn from_engine(error: &minijinja::Error) -> Self {
        Self::Template {
            kind: error.kind(),
            detail: error.detail().map(|detail| escape::shorten(detail, 120)),
            line: error.line(),
        }
    }
}

impl RenderError {
    /// What to do about it.
    pub(super) fn hint(&self) -> Option<&'static str> {
        matches!(self, Self::NotJson(_)).then_some(
            "values bring their own quotes: {\"text\": {{ message }}}; for a form or plain text \
             also give --header 'Content-Type: …'",
        )
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFormat(name) => {
                let name = escape::shorten(&name.replace('\n', " "), 40);
                write!(f, "this version of hooks has no format `{name}`")
            }
            Self::Content { line, column } => write!(
                f,
                "the deployment is not one JSON object: line {line}, column {column}"
            ),
            Self::TooLarge(size) => write!(
                f,
                "the template has {size} bytes, more than the {MAX_TEMPLATE} allowed"
            ),
            Self::Template { kind, detail, line } => {
                f.write_str("the template fails")?;
                if let Some(line) = line {
                    write!(f, " in line {line}")?;
                }
                match (kind, detail) {
                    (ErrorKind::OutOfFuel, _) => f.write_str(": it takes too much work"),
                    (_, Some(detail)) => write!(f, ": {kind}: {}", detail.replace('\n', " ")),
                    (_, None) => write!(f, ": {kind}"),
                }
            }
            Self::BodyTooLarge => f.write_str("the template yields more than 4 MiB"),
            Self::NotJson(why) => write!(f, "the template yields no JSON: {why} of its output"),
            Self::NoThread => f.write_str("the system gives no thread to render the template in"),
        }
    }
}

impl std::error::Error for RenderError {}

impl From<&JsonError> for RenderError {
    /// Only where: what is wrong there could quote the deployment.
    fn from(error: &JsonError) -> Self {
        Self::Content {
            line: error.line,
            column: error.column,
        }
    }
}
