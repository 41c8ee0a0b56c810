//! A JSON object's entries as they are spelled: `serde_json::Value` would lose big numbers, the
//! keys' order and duplicates.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::value::Text;
use crate::domain::json::{JsonError, quoted};

/// A key and its value, each with its place in the object's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The key, its escapes resolved: `"st\u0061tus"` is status.
    pub(super) key: String,
    /// Where the key stands, quotes included.
    pub(super) spelled: Range<usize>,
    /// Where the value stands.
    pub(super) value: Range<usize>,
}

/// The entries of an object's text, or what serde finds wrong with it.
pub(super) fn of(text: &str) -> serde_json::Result<Vec<Entry>> {
    let place = |raw: &RawValue| {
        // `raw` is a part of `text`.
        let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
        start..start + raw.get().len()
    };
    let Entries(entries) = serde_json::from_str(text)?;
    let entry = |(key, value): (&RawValue, &RawValue)| {
        Ok(Entry {
            key: serde_json::from_str::<Text>(key.get())?.0,
            spelled: place(key),
            value: place(value),
        })
    };
    entries.into_iter().map(entry).collect()
}

/// The object with these keys set, each to a JSON text: each stands where the key stood first, or at
/// the end.
pub(super) fn with(text: &str, entries: &[Entry], keys: &[(String, String)]) -> String {
    let mut set: Vec<(String, &str)> = Vec::with_capacity(entries.len() + keys.len());
    for entry in entries {
        match keys.iter().rev().find(|(key, _)| *key == entry.key) {
            Some((key, json)) => put(&mut set, quoted(key), json),
            None => set.push((text[entry.spelled.clone()].to_owned(), &text[entry.value.clone()])),
        }
    }
    for (key, json) in keys {
        put(&mut set, quoted(key), json);
    }
    let members: Vec<String> = set.iter().map(|(name, json)| format!("{name}:{json}")).collect();
    format!("{{{}}}", members.join(","))
}

fn put<'a>(set: &mut Vec<(String, &'a str)>, name: String, json: &'a str) {
    match set.iter_mut().find(|(present, _)| *present == name) {
        Some((_, value)) => *value = json,
        None => set.push((name, json)),
    }
}

/// Which other JSON type the text holds.
pub(super) fn other_type(text: &str) -> Option<JsonError> {
    serde_json::from_str::<&RawValue>(text).ok()?;
    let start = text.find(|c: char| !c.is_ascii_whitespace())?;
    let found = match text.as_bytes()[start] {
        b'[' => "an array",
        b'"' => "a string",
        b't' | b'f' => "a truth value",
        b'n' => "null",
        _ => "a number",
    };
    Some(JsonError::at(text.as_bytes(), start, format!("{found}, where one JSON object is wanted")))
}

/// An object's keys and values, unread, in their order.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;
        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntryVisitor)
    }
}
