//! How a delivery went, for people, on one line.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{BAD, GOOD, Output, plural};
use crate::domain::hook::Hook;
use crate::domain::outcome::Outcome;
use crate::security::escape::escape;

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
