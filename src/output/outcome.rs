//! How deliveries went, for people: a line each, and the journal's table.

use std::time::Duration;

use anstyle::Style;
use chrono::{DateTime, Utc};

use super::hook::plural;
use super::table::{Column, Look};
use super::{BAD, GOOD, Output, Table};
use crate::domain::deployment;
use crate::domain::hook::Hook;
use crate::domain::publication::Outcome;
use crate::security::escape::escape;
use crate::store::journal::{Delivery, Recorded, State};

/// `delivered  hook 1  https://example.com/cb  200 OK  34 ms`
pub(crate) fn line(output: Output, hook: &Hook, outcome: &Outcome) -> String {
    let (style, word) = if outcome.delivered {
        (GOOD, "delivered")
    } else {
        (BAD, "failed   ")
    };
    let attempts = match outcome.attempts {
        1 => String::new(),
        n => format!("{n} attempt{}, ", plural(n as usize)),
    };
    let insecure = if hook.insecure_ssl && hook.url.to_ascii_lowercase().starts_with("https:") {
        ", certificate not checked"
    } else {
        ""
    };
    format!(
        "{style}{word}{style:#}  hook {}  {}  {} ({attempts}{}{insecure})",
        hook.id,
        output.url(&hook.url),
        result(outcome),
        duration(outcome.duration),
    )
}

/// `200 OK`, `404 Not Found: no such channel`, `connection refused`
pub(crate) fn result(outcome: &Outcome) -> String {
    let reason = escape(&outcome.reason);
    match outcome.code {
        None => reason.into_owned(),
        Some(code) if outcome.delivered || outcome.reason == outcome.status => {
            format!("{code} {}", outcome.status)
        }
        Some(code) => format!("{code} {}: {reason}", outcome.status),
    }
}

/// The journal's deliveries, as given: a line each.
pub(crate) fn table(deliveries: &[(&Recorded, &Delivery)], now: DateTime<Utc>) -> Table {
    let mut table = Table::new(&[
        Column::Whole("TIME"),
        Column::Whole("STATE"),
        Column::Whole("HOOK"),
        Column::Cut("EVENT"),
        Column::Cut("DEPLOYMENT"),
        Column::Cut("RESULT"),
    ]);
    for (recorded, delivery) in deliveries {
        let state = delivery.state(now);
        let cells = vec![
            readable_time(delivery.last_try),
            state.word().to_owned(),
            delivery.hook.to_string(),
            event(recorded),
            deployment(&recorded.publication.content),
            last_result(delivery, state),
        ];
        let look = match state {
            State::Delivered => Look::Good(1),
            State::Failed | State::Unfinished => Look::Bad(1),
            State::Pending => Look::Plain,
        };
        table.row(cells, look);
    }
    table
}

/// The journal's deliveries with everything that is known of them: three lines each.
pub(crate) fn blocks(
    output: Output,
    deliveries: &[(&Recorded, &Delivery)],
    now: DateTime<Utc>,
) -> String {
    let block = |(recorded, delivery): &(&Recorded, &Delivery)| {
        let state = delivery.state(now);
        let style = match state {
            State::Delivered => GOOD,
            State::Failed | State::Unfinished => BAD,
            State::Pending => Style::new(),
        };
        format!(
            "{}  {style}{}{style:#}  {}  {}\n    hook {}  {}  {}\n    {}",
            readable_time(delivery.last_try),
            state.word(),
            event(recorded),
            escape(&recorded.publication.id),
            delivery.hook,
            output.url(&delivery.url),
            last_result(delivery, state),
            escape(recorded.publication.content.trim_end()),
        )
    };
    deliveries.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn event(recorded: &Recorded) -> String {
    let marked = if recorded.publication.test {
        " (test)"
    } else {
        ""
    };
    format!("{}{marked}", escape(&recorded.publication.event))
}

fn last_result(delivery: &Delivery, state: State) -> String {
    match (state, &delivery.outcome) {
        (State::Delivered | State::Failed, Some(outcome)) => result(outcome),
        _ => String::new(),
    }
}

/// What was deployed, in short: `cd5bee7 success`.
fn deployment(content: &str) -> String {
    let id = deployment::text(content, "id").unwrap_or_default();
    let is_hash = matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
    let id = if is_hash {
        &id[..7]
    } else {
        &id[..id.floor_char_boundary(20)]
    };
    let status = deployment::status(content).unwrap_or_default();
    escape(format!("{id} {status}").trim()).into_owned()
}

/// `2026-11-24 03:40:12Z`
pub(crate) fn readable_time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `34 ms`, `4.1 s`
pub(crate) fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{} ms", duration.as_millis());
    }
    format!("{:.1} s", duration.as_secs_f64())
}
