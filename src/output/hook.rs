//! A hook, for people.

use std::borrow::Cow;

use super::outcome::result_of;
use super::table::{Column, Fit, Look};
use super::time::{local_minute, local_time, shown};
use super::{Output, Table, plural};
use crate::domain::hook::{Hook, LastDelivery};
use crate::security::signature::Secret;
use crate::security::{escape::escape, redact};

/// The hook, whole: a line for each key that does not hold its default.
pub(crate) fn whole<'a>(output: Output, hook: &'a Hook, generated: Option<&'a Secret>) -> String {
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
    let text = |text: &'a Option<String>| text.as_deref().map(Cow::from);
    let insecure = "true (the receiver's certificate is not checked)";
    let own = [
        ("id", Some(id.to_string().into())),
        ("name", text(name)),
        ("url", Some(output.url(url).into())),
        ("event", Some(event.into())),
        ("insecure_ssl", insecure_ssl.then(|| insecure.into())),
        ("enabled", (!enabled).then(|| "false".into())),
        ("disabled_reason", text(disabled_reason)),
        ("status", (!status.is_empty()).then(|| status.join(",").into())),
        ("when", text(when)),
        ("expect", text(expect)),
        ("format", text(format)),
        ("template", template.as_deref().map(|template| shown_template(output, template))),
    ];
    let headers = headers.iter().map(|(name, _)| ("header", Some(format!("{name}: ***").into())));
    let certificates = |pem: &String| {
        let count = pem.matches("-----BEGIN CERTIFICATE-----").count();
        format!("{count} certificate{}", plural(count)).into()
    };
    let rest = [
        ("ca_file", ca_file.as_ref().map(certificates)),
        ("signed", hook.is_signed().then(|| "true".into())),
        ("secret", generated.map(|secret| secret.reveal().into())),
        ("last_datetime", last.datetime.as_deref().map(|time| shown(time, local_time))),
        ("last_status", text(&last.status)),
        ("last_code", last.code.map(|code| code.to_string().into())),
        ("last_reason", text(&last.reason)),
        ("last_context", last.context.as_deref().map(|text| text.trim_end().into())),
    ];
    let line = |(key, value): (&str, Option<Cow<'_, str>>)| {
        value.map(|value| format!("{key:<15} {}", escape(&value)))
    };
    let lines: Vec<String> = own.into_iter().chain(headers).chain(rest).filter_map(line).collect();
    lines.join("\n")
}

fn shown_template(output: Output, template: &str) -> Cow<'_, str> {
    let template = template.trim_end();
    if output.reveal { template.into() } else { redact::template(template).into() }
}

/// The hooks as a table.
pub(crate) fn table<'a>(output: Output, hooks: impl Iterator<Item = &'a Hook>) -> Table<'a> {
    let mut table = Table::new(&[
        Column::new("ID", Fit::Whole),
        Column::new("NAME", Fit::End(8)).optional(),
        Column::new("EVENT", Fit::End(12)),
        Column::new("URL", Fit::Url).movable(),
        Column::new("LAST DELIVERY", Fit::Whole),
        Column::new("RESULT", Fit::End(12)),
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

fn result(last: &LastDelivery) -> Cow<'_, str> {
    let [status, reason] =
        [&last.status, &last.reason].map(|text| text.as_deref().unwrap_or_default());
    result_of(last.code, status, reason, last.is_delivered() == Some(true))
}
