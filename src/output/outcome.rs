//! How a delivery went, for people, on one line.

use std::borrow::Cow;
use std::time::Duration;

use super::{BAD, GOOD, Output, plural};
use crate::domain::deployment::Deployment;
use crate::domain::hook::Hook;
use crate::domain::outcome::Outcome;
use crate::domain::text::start_of;
use crate::security::escape::escape;

/// `delivered  hook 1 (chat)  https://example.com/cb  200 OK  34 ms`
pub(crate) fn line(output: Output, hook: &Hook, outcome: &Outcome) -> String {
    let (style, word) = if outcome.delivered { (GOOD, "delivered") } else { (BAD, "failed   ") };
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
        "{style}{word}{style:#}  {}  {}  {} ({attempts}{}{insecure})",
        hook.label(),
        output.url(&hook.url),
        result(outcome),
        duration(outcome.duration),
    )
}

/// `deferred  hook 1  https://example.com/cb`
pub(crate) fn deferred(output: Output, hook: &Hook) -> String {
    format!("deferred   hook {}  {}", hook.id, output.url(&hook.url))
}

/// What was deployed, in short and escaped: `cd5bee7 success`.
pub(crate) fn deployed(deployment: &Deployment) -> String {
    let id = deployment.text_of("id").unwrap_or_default();
    let is_hash = matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
    let id = start_of(&id, if is_hash { 7 } else { 20 });
    let status = deployment.status().unwrap_or_default();
    escape(format!("{id} {status}").trim()).into_owned()
}

/// `200 OK`, `404 Not Found: no such channel`, `connection refused`
pub(crate) fn result(outcome: &Outcome) -> String {
    let Outcome { code, status, reason, delivered, .. } = outcome;
    result_of(*code, status, reason, *delivered).into_owned()
}

/// The same of what is kept of an outcome.
pub(super) fn result_of<'a>(
    code: Option<u16>,
    status: &'a str,
    reason: &'a str,
    delivered: bool,
) -> Cow<'a, str> {
    let (status, reason) = (escape(status), escape(reason));
    match code {
        None if reason.is_empty() => status,
        None => reason,
        Some(code) if delivered || reason == status => format!("{code} {status}").into(),
        Some(code) => format!("{code} {status}: {reason}").into(),
    }
}

/// `34 ms`, `4.1 s`
pub(crate) fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{} ms", duration.as_millis());
    }
    format!("{:.1} s", duration.as_secs_f64())
}
