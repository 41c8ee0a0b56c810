//! A hook, for people.

use std::borrow::Cow;

use super::table::{Column, RowStyle, shorter};
use super::{Output, Table, plural};
use crate::domain::hook::{Hook, LastDelivery};
use crate::security::signature::Secret;
use crate::security::{escape::escape, redact};

/// The hook, whole: a line for each key that does not hold its default.
pub(crate) fn whole(output: Output, hook: &Hook, generated: Option<&Secret>) -> String {
    // Without `..`: a new field must be shown, and masked where it is a secret.
    let Hook {
        id,
        name,
        url,
        event,
        insecure_ssl,
        enabled,
        disabled_reason,
        status,
        format,
        template,
        headers,
        ca_file,
        secrets: _,
        last,
        unknown: _,
    } = hook;
    let mut lines = Vec::new();
    let mut line = |key: &str, value: &str| lines.push(format!("{key:<15} {}", escape(value)));
    line("id", &id.to_string());
    if let Some(name) = name {
        line("name", name);
    }
    line("url", &output.url(url));
    line("event", event);
    if *insecure_ssl {
        line(
            "insecure_ssl",
            "true (the receiver's certificate is not checked)",
        );
    }
    if !enabled {
        line("enabled", "false");
    }
    if let Some(reason) = disabled_reason {
        line("disabled_reason", reason);
    }
    if !status.is_empty() {
        line("status", &status.join(","));
    }
    if let Some(format) = format {
        line("format", format);
    }
    if let Some(template) = template {
        let shown = if output.reveal {
            Cow::Borrowed(template.trim_end())
        } else {
            redact::template(template.trim_end()).into()
        };
        line("template", &shown);
    }
    for (name, _) in headers {
        line("header", &format!("{name}: ***"));
    }
    if let Some(pem) = ca_file {
        let count = pem.matches("-----BEGIN CERTIFICATE-----").count();
        line("ca_file", &format!("{count} certificate{}", plural(count)));
    }
    if hook.is_signed() {
        line("signed", "true");
    }
    if let Some(secret) = generated {
        line("secret", secret.reveal());
    }
    show_last(last, &mut line);
    lines.join("\n")
}

fn show_last(last: &LastDelivery, line: &mut dyn FnMut(&str, &str)) {
    let code = last.code.map(|code| code.to_string());
    let values = [
        ("last_datetime", last.datetime.as_deref()),
        ("last_status", last.status.as_deref()),
        ("last_code", code.as_deref()),
        ("last_reason", last.reason.as_deref()),
        ("last_context", last.context.as_deref()),
    ];
    for (key, value) in values {
        if let Some(value) = value {
            line(key, value);
        }
    }
}

/// The hooks as a table.
pub(crate) fn table<'a>(output: Output, hooks: impl Iterator<Item = &'a Hook>) -> Table {
    let mut table = Table::new(&[
        Column::Whole("ID"),
        Column::Cut("EVENT"),
        Column::Cut("URL"),
        Column::Whole("LAST DELIVERY"),
        Column::Cut("RESULT"),
    ]);
    for hook in hooks {
        let event = match &hook.status[..] {
            [] => escape(&hook.event).into_owned(),
            wanted => escape(&format!("{} ({})", hook.event, wanted.join(","))).into_owned(),
        };
        let result = match &hook.disabled_reason {
            _ if hook.enabled => result(&hook.last),
            Some(reason) => format!("disabled: {}", escape(reason)),
            None => "disabled".to_owned(),
        };
        let when = match &hook.last.datetime {
            Some(time) => escape(&to_the_minute(time)).into_owned(),
            None => "never".to_owned(),
        };
        let cells = vec![
            hook.id.to_string(),
            event,
            shorter(output.url(&hook.url)),
            when,
            result,
        ];
        table.row(cells, style(hook));
    }
    table
}

fn style(hook: &Hook) -> RowStyle {
    if !hook.enabled {
        return RowStyle::Faint;
    }
    // Kudu's own entries have no code.
    let accepted = match hook.last.code {
        Some(code) => (200..300).contains(&code),
        None => hook.last.status.as_deref() == Some("OK"),
    };
    match hook.last.status {
        None => RowStyle::Plain,
        Some(_) if accepted => RowStyle::Good(4),
        Some(_) => RowStyle::Bad(4),
    }
}

/// `200 OK, delivered`, `404 Not Found: no such channel`, `connection refused`
fn result(last: &LastDelivery) -> String {
    let status = escape(last.status.as_deref().unwrap_or(""));
    let reason = escape(last.reason.as_deref().unwrap_or(""));
    match last.code {
        None if reason.is_empty() => status.into_owned(),
        None => reason.into_owned(),
        Some(code) if reason == status => format!("{code} {status}"),
        Some(code) if (200..300).contains(&code) => format!("{code} {status}, {reason}"),
        Some(code) => format!("{code} {status}: {reason}"),
    }
}

/// `2026-11-24 03:40Z` instead of RFC 3339 with its fractions; what is not RFC 3339 stays.
fn to_the_minute(text: &str) -> Cow<'_, str> {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.to_utc().format("%Y-%m-%d %H:%MZ").to_string().into(),
        Err(_) => text.into(),
    }
}
