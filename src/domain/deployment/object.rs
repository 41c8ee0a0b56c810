//! A JSON object's entries as they are spelled: `serde_json::Value` would lose big numbers, the
//! keys' order and duplicates.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::json::Complaint;

/// A key and its value, both as they are spelled.
type Entry<'a> = (&'a RawValue, &'a RawValue);

/// The entries of the object, or what is wrong with the text.
pub(super) fn entries(bytes: &[u8]) -> serde_json::Result<Vec<Entry<'_>>> {
    serde_json::from_slice::<Entries>(bytes).map(|entries| entries.0)
}

/// The last value of this key.
pub(super) fn last_value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let entries = entries(text.as_bytes()).ok()?;
    let (_, value) = entries.iter().rev().find(|(name, _)| is(name, key))?;
    Some(value.get())
}

pub(super) fn has(text: &str, key: &str) -> bool {
    last_value(text, key).is_some()
}

/// The object with these keys set: each stands where the key stood first, or at the end.
pub(super) fn with(text: &str, keys: &[(String, String)]) -> String {
    // The text was checked when it came in.
    let entries = entries(text.as_bytes()).unwrap_or_default();
    let mut set: Vec<(String, String)> = Vec::with_capacity(entries.len() + keys.len());
    for (name, value) in &entries {
        match keys.iter().rev().find(|(key, _)| is(name, key)) {
            Some((key, json)) => put(&mut set, crate::domain::deployment::quoted(key), json),
            None => set.push((name.get().to_owned(), value.get().to_owned())),
        }
    }
    for (key, json) in keys {
        put(&mut set, crate::domain::deployment::quoted(key), json);
    }
    let members: Vec<String> = set
        .iter()
        .map(|(name, json)| format!("{name}:{json}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn put(set: &mut Vec<(String, String)>, name: String, json: &str) {
    match set.iter_mut().find(|(present, _)| *present == name) {
        Some((_, value)) => json.clone_into(value),
        None => set.push((name, json.to_owned())),
    }
}

/// Whether a key as it is spelled is this one: `"st\u0061tus"` is status, too.
fn is(name: &RawValue, key: &str) -> bool {
    serde_json::from_str::<String>(name.get()).is_ok_and(|name| name == key)
}

/// Which other JSON type the text holds.
pub(super) fn other_type(bytes: &[u8]) -> Option<Complaint> {
    serde_json::from_slice::<&RawValue>(bytes).ok()?;
    let start = bytes.iter().position(|b| !b.is_ascii_whitespace())?;
    let found = match bytes[start] {
        b'[' => "an array",
        b'"' => "a string",
        b't' | b'f' => "a truth value",
        b'n' => "null",
        _ => "a number",
    };
    Some(Complaint::at(
        bytes,
        start,
        format!("{found}, where one JSON object is wanted"),
    ))
}

struct Entries<'a>(Vec<Entry<'a>>);

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
