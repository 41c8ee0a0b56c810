//! The filters that templates have beside minijinja's own; docs/templates.md describes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta};
use minijinja::{Environment, Error, State, Value, context};

use super::bounded::Bounded;
use super::{escape, syntax};
use crate::domain::kudu;

/// So many that a message stays readable, and far from what any service allows.
const MAX_FACTS: usize = 10;

/// Of a list or an object in a message so many bytes of JSON are enough.
const MAX_JSON: usize = 4 * 1024;

/// Adds the filters to an environment.
pub(crate) fn register(environment: &mut Environment) {
    add_text(environment, "clean", |text, _| escape::clean(text));
    add_text(environment, "headline", |text, _| headline(text));
    add_text(environment, "short_commit", |text, _| short_commit(text));
    add_text(environment, "shorten", escape::shorten);
    add_text(environment, "slack", escape::slack);
    add_text(environment, "discord", escape::discord);
    add_text(environment, "teams", escape::teams);
    environment.add_filter("tone", tone);
    environment.add_filter(
        "duration",
        |state: &State, start: &Value, end: &Value| -> Result<String, Error> {
            Ok(duration(&text(state, start)?, &text(state, end)?))
        },
    );
    environment.add_filter("summary", summary);
    environment.add_filter("string", whole_text);
    // The engine's own would show the notation of its own values.
    environment.add_filter("pprint", whole_text);
    environment.add_filter("base64", |state: &State, value: &Value| -> Result<String, Error> {
        Ok(STANDARD.encode(whole_text(state, value)?))
    });
    environment.add_filter("timestamp", timestamp);
    environment.add_filter("facts", facts);
}

/// Adds a filter that makes text of any value, with or without a limit to its length.
fn add_text(environment: &mut Environment, name: &'static str, filter: fn(&str, usize) -> String) {
    environment.add_filter(
        name,
        move |state: &State, value: &Value, limit: Option<usize>| -> Result<String, Error> {
            Ok(filter(&text(state, value)?, limit.unwrap_or(usize::MAX)))
        },
    );
}

/// Any value as text: nothing for null and missing, the start of their JSON for lists and objects. It takes
/// fuel as minijinja's own filters do, or a loop could go on for minutes.
fn text(state: &State, value: &Value) -> Result<String, Error> {
    let (text, bytes_per_fuel) = match value.as_str() {
        Some(text) => (text.to_owned(), 64),
        None if value.is_none() || value.is_undefined() => (String::new(), 64),
        None => (start_of_json(value), 4),
    };
    state.consume_fuel(1 + text.len() as u64 / bytes_per_fuel)?;
    Ok(text)
}

/// Any value as text, of any length.
fn whole_text(state: &State, value: &Value) -> Result<String, Error> {
    let text = syntax::text(value).into_owned();
    state.consume_fuel(1 + text.len() as u64 / if value.as_str().is_some() { 64 } else { 4 })?;
    Ok(text)
}

fn start_of_json(value: &Value) -> String {
    let mut json = Bounded::new(MAX_JSON);
    // Being full is no error here: the start is all that is wanted.
    let _ = serde_json::to_writer(&mut json, value);
    String::from_utf8_lossy(&json.into_bytes()).into_owned()
}

fn key(deployment: &Value, name: &str) -> Value {
    deployment.get_attr(name).unwrap_or_default()
}

fn headline(text: &str) -> String {
    let line = text.trim_start().split(['\n', '\r']).next();
    line.unwrap_or_default().trim_end().to_owned()
}

fn short_commit(id: &str) -> String {
    // SHA-1 and SHA-256.
    let is_hash = [40, 64].contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
    id[..if is_hash { 7 } else { id.len() }].to_owned()
}

/// The time between two RFC 3339 times; empty when there is none to tell.
fn duration(start: &str, end: &str) -> String {
    let [Ok(start), Ok(end)] = [start, end].map(DateTime::parse_from_rfc3339) else {
        return String::new();
    };
    span(end.signed_duration_since(start))
}

/// An RFC 3339 time in Unix seconds; null when it is none.
fn timestamp(time: &Value) -> Value {
    let parsed = time.as_str().map(DateTime::parse_from_rfc3339);
    match parsed {
        Some(Ok(time)) => time.timestamp().into(),
        _ => Value::UNDEFINED,
    }
}

fn span(span: TimeDelta) -> String {
    let (ms, s) = (span.num_milliseconds(), span.num_seconds());
    let (m, h, d) = (span.num_minutes(), span.num_hours(), span.num_days());
    match ms {
        // `publish --git` gives the same time twice: nobody has measured it.
        ..=0 => String::new(),
        1..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{s}.{} s", ms % 1_000 / 100),
        _ if m == 0 => format!("{s} s"),
        _ if h == 0 => format!("{m} m {} s", s % 60),
        _ if d == 0 => format!("{h} h {} m", m % 60),
        _ => format!("{d} d {} h", h % 24),
    }
}

/// How a status is to be shown. Only a string is a status.
fn status(value: &Value) -> String {
    let status = value.as_str().unwrap_or_default();
    escape::shorten(&headline(status), 40)
}

fn tone(value: &Value) -> &'static str {
    match status(value).to_lowercase().as_str() {
        "success" => "good",
        "failed" => "bad",
        "pending" | "building" | "deploying" => "busy",
        _ => "plain",
    }
}

/// What happened, which commit, by whom, how long it took; of all this what the deployment tells.
fn summary(state: &State, deployment: &Value, event: &Value) -> Result<String, Error> {
    let of = |name| -> Result<String, Error> {
        let text = text(state, &key(deployment, name))?;
        Ok(escape::shorten(&headline(&text), 80))
    };
    let event = text(state, event)?;
    let mut summary = announcement(&status(&key(deployment, "status")), &event);
    let commit = short_commit(&of("id")?);
    let who = [of("deployer")?, of("author")?];
    let who = who.into_iter().find(|who| !who.is_empty());
    let took = duration(&of("start_time")?, &of("end_time")?);
    for (word, what) in [(": ", commit), (" by ", who.unwrap_or_default()), (" in ", took)] {
        if !what.is_empty() {
            summary.extend([word, &what]);
        }
    }
    Ok(summary)
}

fn announcement(status: &str, event: &str) -> String {
    let event = escape::shorten(event, 100);
    let what = if event.eq_ignore_ascii_case("PostDeployment") { "Deployment" } else { &event };
    match status.to_lowercase().as_str() {
        "success" => format!("✅ {what} succeeded"),
        "failed" => format!("❌ {what} FAILED"),
        "pending" => format!("⏳ {what} pending"),
        "building" => format!("🔨 {what} building"),
        "deploying" => format!("🚀 {what} under way"),
        "" => format!("🔔 {event}"),
        _ => format!("🔔 {what} {status}"),
    }
}

/// What else a message can show: the author if another deployed, a status that is no string, and the keys
/// that are not Kudu's.
fn facts(state: &State, deployment: &Value) -> Result<Vec<Value>, Error> {
    let mut facts = Vec::new();
    let author = key(deployment, "author");
    let deployer = text(state, &key(deployment, "deployer"))?;
    if !deployer.trim().is_empty() && text(state, &author)? != deployer {
        facts.extend(fact(state, "Author", &author)?);
    }
    let status = key(deployment, "status");
    if status.as_str().is_none() {
        facts.extend(fact(state, "status", &status)?);
    }
    for name in deployment.try_iter().into_iter().flatten() {
        if facts.len() >= MAX_FACTS {
            break;
        }
        let name = text(state, &name)?;
        if !kudu::KEYS.contains(&name.as_str()) {
            facts.extend(fact(state, &name, &key(deployment, &name))?);
        }
    }
    Ok(facts)
}

/// A name and a value to show, unless there is nothing to show: Discord refuses empty ones.
fn fact(state: &State, name: &str, value: &Value) -> Result<Option<Value>, Error> {
    let name = escape::shorten(&headline(name), 100);
    let value = escape::shorten(&text(state, value)?, 1_000);
    let name = if name.is_empty() { "?" } else { &name };
    Ok((!value.is_empty()).then(|| context! { name, value }))
}

#[cfg(test)]
mod tests;
