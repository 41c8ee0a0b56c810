//! How deliveries went, for people: a line each, and the journal's table.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::hook::plural;
use super::table::{Column, Look};
use super::{BAD, GOOD, Output, Table};
use crate::escape::escape;
use crate::hook::Hook;
use crate::journal::{Delivery, Recorded, State};
use crate::publication::Outcome;

/// `delivered  hook 1  https://example.com/cb  200 OK  34 ms`
pub fn line(output: Output, hook: &Hook, outcome: &Outcome) -> String {
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
pub fn result(outcome: &Outcome) -> String {
    let reason = escape(&outcome.reason);
    match outcome.code {
        None => reason.into_owned(),
        Some(code) if outcome.delivered || outcome.reason == outcome.status => {
            format!("{code} {}", outcome.status)
        }
        Some(code) => format!("{code} {}: {reason}", outcome.status),
    }
}

/// The journal's deliveries, as given.
pub fn table(output: Output, deliveries: &[(&Recorded, &Delivery)], now: DateTime<Utc>) -> Table {
    let mut columns = vec![
        Column::Whole("TIME"),
        Column::Whole("STATE"),
        Column::Whole("HOOK"),
        Column::Cut("EVENT"),
        Column::Cut("URL"),
        Column::Cut("RESULT"),
    ];
    // It is long, and needed only to send it again.
    if output.verbose {
        columns.push(Column::Whole("PUBLICATION"));
    }
    let mut table = Table::new(&columns);
    for (recorded, delivery) in deliveries {
        let state = delivery.state(now);
        let result = match (state, &delivery.outcome) {
            (State::Delivered | State::Failed, Some(outcome)) => result(outcome),
            _ => String::new(),
        };
        let marked = if recorded.publication.test {
            " (test)"
        } else {
            ""
        };
        let event = format!("{}{marked}", recorded.publication.event);
        let mut cells = vec![
            readable_time(delivery.last_try),
            state.word().to_owned(),
            delivery.hook.to_string(),
            escape(&event).into_owned(),
            output.url(&delivery.url),
            result,
        ];
        if output.verbose {
            cells.push(escape(&recorded.publication.id).into_owned());
        }
        let look = match state {
            State::Delivered => Look::Good(1),
            State::Failed | State::Unfinished => Look::Bad(1),
            State::Pending => Look::Plain,
        };
        table.row(cells, look);
    }
    table
}

/// `2026-11-24 03:40:12Z`
pub fn readable_time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `34 ms`, `4.1 s`
pub fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{} ms", duration.as_millis());
    }
    format!("{:.1} s", duration.as_secs_f64())
}
