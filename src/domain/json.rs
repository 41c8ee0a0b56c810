//! What is wrong with a JSON text, and where, in words that quote nothing of it; an object's entries in their order.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;

/// What is wrong with a JSON text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} column {column}: {what}")]
pub(crate) struct JsonError {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The column in bytes, counted from 1; 0 at a line that has just begun.
    pub(crate) column: usize,
    /// What is wrong.
    pub(crate) what: String,
}

impl JsonError {
    /// What is wrong at the byte at `offset`.
    pub(crate) fn at(text: &[u8], offset: usize, what: impl Into<String>) -> Self {
        let before = &text[..offset];
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let line = before.split(|b| *b == b'\n').count();
        Self { line, column: offset - line_start + 1, what: what.into() }
    }
}

/// What makes these bytes no JSON text at all, whatever it is to hold: nothing there, a byte order
/// mark, a NUL, bytes that are not UTF-8.
pub(crate) fn unreadable(text: &[u8]) -> Option<JsonError> {
    let (offset, what) = if text.iter().all(u8::is_ascii_whitespace) {
        (0, "it is empty")
    } else if text.starts_with(b"\xEF\xBB\xBF") {
        (0, "a byte order mark (BOM) stands before the JSON; save it as UTF-8 without one")
    } else if text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF") {
        (0, "a byte order mark (BOM) of UTF-16; UTF-8 is wanted")
    } else if let Some(offset) = text.iter().position(|b| *b == 0) {
        (offset, "a NUL byte")
    } else {
        (str::from_utf8(text).err()?.valid_up_to(), "not valid UTF-8")
    };
    Some(JsonError::at(text, offset, what))
}

/// What serde found wrong in this text.
pub(crate) fn explain(text: &[u8], error: &serde_json::Error) -> JsonError {
    unreadable(text).unwrap_or_else(|| JsonError {
        line: error.line(),
        column: error.column(),
        what: quoteless(error),
    })
}

/// Writes a key of an object, unless it has no value.
pub(crate) fn put<M: SerializeMap>(
    map: &mut M,
    key: &str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(key, &value))
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An object's keys and values in their order, which a map type of the standard library would lose.
pub(crate) struct Entries<K, V>(pub(crate) Vec<(K, V)>);

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Entries<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor<K, V>(PhantomData<(K, V)>);

        impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for EntryVisitor<K, V> {
            type Value = Entries<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntryVisitor(PhantomData))
    }
}

/// serde's words without the position, and without a value of the wrong type: it may be a secret in
/// the wrong place.
fn quoteless(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    let parts = text.split_once(": ").zip(text.rsplit_once(", expected "));
    match parts {
        Some(((what @ ("invalid type" | "invalid value"), found), (_, expected))) => {
            let kind = match found.split([' ', ',']).next().unwrap_or_default() {
                "floating" => "number",
                kind => kind,
            };
            let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
            format!("{what}: {article} {kind}, expected {expected}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> String {
        let error = serde_json::from_str::<bool>(text).unwrap_err();
        explain(text.as_bytes(), &error).to_string()
    }

    #[test]
    fn a_string_of_the_wrong_type_is_not_quoted() {
        let said = parse("\n \"whsec_\\\", expected \"");
        assert_eq!(said, "line 2 column 22: invalid type: a string, expected a boolean");
    }

    #[test]
    fn a_number_of_the_wrong_type_is_not_quoted() {
        let said = parse("87654321");
        assert_eq!(said, "line 1 column 8: invalid type: an integer, expected a boolean");
        assert!(parse("1.5").contains("a number, expected"));
    }

    #[test]
    fn what_is_no_text_is_named() {
        let at = |bytes: &[u8]| unreadable(bytes).map(|c| c.to_string());
        assert_eq!(at(b" \n").unwrap(), "line 1 column 1: it is empty");
        assert!(at(b"\xEF\xBB\xBF{}").unwrap().contains("byte order mark"));
        assert_eq!(at(b"{\n\"a\0").unwrap(), "line 2 column 3: a NUL byte");
        assert_eq!(at(b"{\"\xFF\"}").unwrap(), "line 1 column 3: not valid UTF-8");
        assert_eq!(at(b"{}"), None);
    }
}
