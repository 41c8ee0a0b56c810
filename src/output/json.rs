//! The answers of `--json`: stable and complete (docs/design.md §2).

use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::log::LogEntry;
use crate::domain::hook::Hook;
use crate::domain::hook::json::HookJson;
use crate::domain::json::put;
use crate::domain::outcome::Outcome;
use crate::domain::time::timestamp;
use crate::security::escape::is_hostile;
use crate::security::signature::Secret;

/// One hook; the secret only in the answer to `--generate-secret`.
pub(crate) fn hook(hook: &Hook, generated: Option<&Secret>) -> String {
    pretty(&HookJson { hook, is_file: false, generated })
}

/// An array of hooks, `[]` when there is none.
pub(crate) fn hooks<'a>(hooks: impl Iterator<Item = &'a Hook>) -> String {
    let views = hooks.map(|hook| HookJson { hook, is_file: false, generated: None });
    pretty(&views.collect::<Vec<_>>())
}

/// Writes the keys that say how a delivery ended, if it has.
pub(crate) fn put_result<M: SerializeMap>(
    map: &mut M,
    outcome: Option<&Outcome>,
) -> Result<(), M::Error> {
    let Some(outcome) = outcome else {
        return Ok(());
    };
    put(map, "status", Some(&outcome.status))?;
    put(map, "code", outcome.code)?;
    put(map, "reason", Some(&outcome.reason))?;
    put(map, "response", outcome.response.as_ref())?;
    put(map, "attempts", Some(outcome.attempts))?;
    put(map, "duration_ms", Some(outcome.duration.as_millis()))
}

impl Serialize for LogEntry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let outcome = self.outcome();
        let mut map = to.serialize_map(None)?;
        put(&mut map, "id", Some(&self.publication.id))?;
        put(&mut map, "event", Some(&self.publication.event))?;
        put(&mut map, "hook", Some(self.delivery.hook))?;
        put(&mut map, "url", Some(&self.delivery.url))?;
        put(&mut map, "time", Some(timestamp(self.delivery.last_try)))?;
        put(&mut map, "state", Some(self.state.word()))?;
        put(&mut map, "delivered", outcome.map(|outcome| outcome.delivered))?;
        put_result(&mut map, outcome)?;
        put(&mut map, "next_try", self.next_try.map(timestamp))?;
        map.end()
    }
}

/// A line of `log --json`. A delivery that nobody saw the end of has no outcome's keys.
pub(crate) fn log_line(entry: &LogEntry) -> String {
    harmless(serde_json::to_string(entry).unwrap_or_default())
}

/// Any answer, indented.
pub(crate) fn pretty(answer: &impl Serialize) -> String {
    // Strings and numbers alone always serialise.
    harmless(serde_json::to_string_pretty(answer).unwrap_or_default())
}

/// JSON may spell any character of a string as an escape, so what would move a terminal's cursor is
/// spelled so: every reader gets the same value. All of it is in the basic plane, one escape each.
fn harmless(json: String) -> String {
    // The line feeds of the indentation stay; serde has escaped those inside strings.
    let hostile = |c: char| c != '\n' && is_hostile(c);
    // All of it but DEL is beyond ASCII.
    if !json.bytes().any(|byte| byte >= 0x7f) || !json.contains(hostile) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if hostile(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_characters_are_escaped_and_come_back_the_same() {
        let text = "a\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}\u{feff}ü\n";
        let json = pretty(&text);
        assert!(!json.chars().any(is_hostile), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
