//! Why a publication could not be rendered.

use minijinja::ErrorKind;

use super::{MAX_TEMPLATE, escape};
use crate::domain::json::JsonError;

/// Why a publication could not be rendered, or a template is refused.
///
/// The text is one line. It has no source: what a library says could quote a whole value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RenderError {
    /// This version has no format of that name; a newer one may have.
    #[error("this version of hooks has no format `{}`", escape::shorten(&.0.replace('\n', " "), 40))]
    UnknownFormat(String),
    /// The deployment is not one JSON object: where reading it stopped.
    #[error("the deployment is not one JSON object: line {line}, column {column}")]
    Content { line: usize, column: usize },
    /// The template is larger than 64 KiB: its size in bytes.
    #[error("the template has {0} bytes, more than the {MAX_TEMPLATE} allowed")]
    TooLarge(usize),
    /// A mistake in the template, or one that this deployment brought out.
    #[error("the template fails{}", why(*kind, detail.as_deref(), *line))]
    Template { kind: ErrorKind, detail: Option<String>, line: Option<usize> },
    /// The body would be larger than [`super::template::MAX_BODY`].
    #[error("the template yields more than 4 MiB")]
    BodyTooLarge,
    /// What the template yields is not JSON: where in its output, and why.
    #[error("the template yields no JSON: {0} of its output")]
    NotJson(String),
    /// The system gave no thread to render in.
    #[error("the system gives no thread to render the template in")]
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

    /// What to do about it.
    pub(super) fn hint(&self) -> Option<&'static str> {
        matches!(self, Self::NotJson(_)).then_some(
            "values bring their own quotes: {\"text\": {{ message }}}; for a form or plain text \
             also give --header 'Content-Type: …'",
        )
    }
}

fn why(kind: ErrorKind, detail: Option<&str>, line: Option<usize>) -> String {
    let place = line.map_or(String::new(), |line| format!(" in line {line}"));
    match (kind, detail) {
        (ErrorKind::OutOfFuel, _) => format!("{place}: it takes too much work"),
        (_, Some(detail)) => format!("{place}: {kind}: {}", detail.replace('\n', " ")),
        (_, None) => format!("{place}: {kind}"),
    }
}

impl From<&JsonError> for RenderError {
    /// Only where: what is wrong there could quote the deployment.
    fn from(error: &JsonError) -> Self {
        Self::Content { line: error.line, column: error.column }
    }
}
