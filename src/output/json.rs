//! The answers of `--json`: stable and complete (docs/design.md §2).

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::log::LogEntry;
use crate::domain::hook::json::{HookJson, View};
use crate::domain::hook::{Hook, HookId};
use crate::domain::outcome::{Outcome, milliseconds};
use crate::domain::publication::Publication;
use crate::domain::time::timestamp;
use crate::security::escape::is_hostile;
use crate::security::signature::Secret;
use crate::store::journal::State;

/// One hook; the secret only in the answer to `--generate-secret`.
pub(crate) fn hook(hook: &Hook, generated: Option<&Secret>) -> String {
    pretty(&HookJson(hook, View::Answer { generated }))
}

/// An array of hooks, `[]` when there is none.
pub(crate) fn hooks<'a>(hooks: impl Iterator<Item = &'a Hook>) -> String {
    let views = hooks.map(|hook| HookJson(hook, View::Answer { generated: None }));
    pretty(&views.collect::<Vec<_>>())
}

/// A publication and its deliveries; what was not tried has no result's keys.
#[derive(Debug, Serialize)]
pub(crate) struct PublicationView<'a> {
    id: &'a str,
    event: &'a str,
    deliveries: Vec<DeliveryView<'a>>,
}

#[derive(Debug, Serialize)]
struct DeliveryView<'a> {
    hook: HookId,
    url: &'a str,
    delivered: bool,
    state: &'a str,
    #[serde(flatten)]
    result: Option<ResultView<'a>>,
}

#[derive(Debug, Serialize)]
struct ResultView<'a> {
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a str>,
    attempts: u32,
    #[serde(rename = "duration_ms", serialize_with = "milliseconds::serialize")]
    duration: Duration,
}

impl<'a> ResultView<'a> {
    fn new(outcome: &'a Outcome) -> Self {
        Self {
            status: &outcome.status,
            code: outcome.code,
            reason: &outcome.reason,
            response: outcome.response.as_deref(),
            attempts: outcome.attempts,
            duration: outcome.duration,
        }
    }
}

impl<'a> PublicationView<'a> {
    /// The publication with these deliveries.
    pub(crate) fn new(
        publication: &'a Publication,
        deliveries: impl Iterator<Item = (&'a Hook, State, Option<&'a Outcome>)>,
    ) -> Self {
        let view = |(hook, state, outcome): (&'a Hook, State, Option<&'a Outcome>)| DeliveryView {
            hook: hook.id,
            url: &hook.url,
            delivered: state == State::Delivered,
            state: state.word(),
            result: outcome.map(ResultView::new),
        };
        Self {
            id: &publication.id,
            event: &publication.event,
            deliveries: deliveries.map(view).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct LogView<'a> {
    id: &'a str,
    event: &'a str,
    hook: HookId,
    url: &'a str,
    time: String,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<bool>,
    #[serde(flatten)]
    result: Option<ResultView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_try: Option<String>,
}

/// A line of `log --json`. A delivery that nobody saw the end of has no outcome's keys.
pub(crate) fn log_line(entry: &LogEntry) -> String {
    let outcome = entry.outcome();
    let view = LogView {
        id: &entry.publication.id,
        event: &entry.publication.event,
        hook: entry.delivery.hook,
        url: &entry.delivery.url,
        time: timestamp(entry.delivery.last_try),
        state: entry.state.word(),
        delivered: outcome.map(|outcome| outcome.delivered),
        result: outcome.map(ResultView::new),
        next_try: entry.next_try.map(timestamp),
    };
    harmless(serde_json::to_string(&view).unwrap_or_default())
}

/// Any of the views, indented.
pub(crate) fn pretty(view: &impl Serialize) -> String {
    // Strings and numbers alone always serialise.
    harmless(serde_json::to_string_pretty(view).unwrap_or_default())
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
