//! What a template writes, by the hook's own content type, and how values are inserted into it.

use std::borrow::Cow;

use minijinja::{AutoEscape, Error, Output, State, Value, escape_formatter};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::escape;

/// Everything but RFC 3986's unreserved characters.
pub(super) const RESERVED: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a template writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Syntax {
    /// JSON: a value brings its own quotes.
    Json,
    /// `application/x-www-form-urlencoded`: a value is percent-encoded.
    Form,
    /// Anything else: a value is text in which control characters are visible.
    Text,
}

impl Syntax {
    /// The syntax of a body that is sent with this `Content-Type`; without one it is JSON.
    pub(crate) fn of(content_type: Option<&str>) -> Self {
        let content_type = content_type.unwrap_or("application/json").to_ascii_lowercase();
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" => Self::Form,
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            _ => Self::Text,
        }
    }

    /// How the engine is told of it.
    pub(super) fn escaping(self) -> AutoEscape {
        match self {
            Self::Json => AutoEscape::Json,
            Self::Form | Self::Text => AutoEscape::Custom("ours".into()),
        }
    }

    /// Writes a value into a template's output. What the template calls safe goes in as it is.
    pub(super) fn write(
        self,
        out: &mut Output,
        state: &mut State,
        value: &Value,
    ) -> Result<(), Error> {
        if !matches!(state.auto_escape(), AutoEscape::Custom(_)) {
            return escape_formatter(out, state, value);
        }
        let text = text(value);
        if value.is_safe() {
            out.write_str(&text)?;
        } else if self == Self::Form {
            write!(out, "{}", utf8_percent_encode(&text, &RESERVED))?;
        } else {
            out.write_str(&escape::printable(&text))?;
        }
        Ok(())
    }
}

/// A value as text: nothing for null and missing, otherwise its JSON unless it is text itself.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value.as_str() {
        Some(text) => text.into(),
        None if value.is_none() || value.is_undefined() => "".into(),
        // Only a key that is a list has no JSON, and such a value no text.
        None => serde_json::to_string(value).unwrap_or_default().into(),
    }
}
