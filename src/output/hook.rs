//! A hook, for people.

use std::borrow::Cow;

use super::table::{Column, Look};
use super::time::{local_minute, local_time, shown};
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
        when,
        expect,
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
        line("insecure_ssl", "true (the receiver's certificate is not checked)");
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
    if let Some(when) = when {
        line("when", when);
    }
    if let Some(expect) = expect {
        line("expect", expect);
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
    let time = last.datetime.as_deref().map(|time| shown(time, local_time));
    let values = [
        ("last_datetime", time.as_deref()),
        ("last_status", last.status.as_deref()),
        ("last_code", code.as_deref()),
        ("last_reason", last.reason.as_deref()),
        ("last_context", last.context.as_deref().map(str::trim_end)),
    ];
    for (key, value) in values {
        if let Some(value) = value {
            line(key, value);
        }
    }
}

/// The hooks as a table.
pub(crate) fn table<'a>(output: Output, hooks: impl Iterator<Item = &'a Hook>) -> Table<'a> {
    let mut table = Table::new(&[
        Column::whole("ID"),
        Column::cut("NAME", 8).optional(),
        Column::cut("EVENT", 12),
        Column::url("URL").movable(),
        Column::whole("LAST DELIVERY"),
        Column::cut("RESULT", 12),
    ]);
    for hook in hooks {
        let event = match &hook.status[..] {
            [] => escape(&hook.event),
            wanted => escape(&format!("{} ({})", hook.event, wanted.join(","))).into_owned().into(),
        };
        let result = match &hook.disabled_reason {
            _ if hook.enabled => result(&hook.last),
            Some(reason) => format!("disabled: {}", escape(reason)).into(),
            None => "disabled".into(),
        };
        let when = match &hook.last.datetime {
            Some(time) => shown(time, local_minute),
            None => "never".into(),
        };
        let cells = [
            hook.id.to_string().into(),
            escape(hook.name.as_deref().unwrap_or_default()),
            event,
            output.url(&hook.url).into(),
            when,
            result,
        ];
        table.row(cells, look(hook));
    }
    table
}

fn look(hook: &Hook) -> Look {
    if !hook.enabled {
        return Look::Faint;
    }
    match hook.last.is_delivered() {
        None => Look::Plain,
        Some(true) => Look::Good(5),
        Some(false) => Look::Bad(5),
    }
}

/// `200 OK`, `404 Not Found: no such channel`, `connection refused`
fn result(last: &LastDelivery) -> Cow<'_, str> {
    let status = escape(last.status.as_deref().unwrap_or(""));
    let reason = escape(last.reason.as_deref().unwrap_or(""));
    match last.code {
        None if reason.is_empty() => status,
        None => reason,
        Some(code) if last.is_delivered() == Some(true) || reason == status => {
            format!("{code} {status}").into()
        }
        Some(code) => format!("{code} {status}: {reason}").into(),
    }
}
