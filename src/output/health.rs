//! How the hooks are, for people and as JSON.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::outcome::duration;
use super::sparkline::{is_utf8, sparkline};
use super::table::{Column, Fit, Look};
use super::time::age;
use super::{Output, Table};
use crate::domain::health::{Ended, Health, State};
use crate::domain::hook::{Hook, HookId};
use crate::domain::outcome::milliseconds;
use crate::domain::time::timestamp;
use crate::security::escape::escape;

/// The hooks as a table.
pub(crate) fn table<'a>(
    output: Output,
    hooks: &[(&'a Hook, Health)],
    now: DateTime<Utc>,
) -> Table<'a> {
    let mut table = Table::new(&[
        Column::new("ID", Fit::Whole),
        Column::new("NAME", Fit::End(8)).optional(),
        Column::new("URL", Fit::Url).movable(),
        Column::new("STATE", Fit::Whole),
        Column::new("DELIVERED", Fit::Whole),
        Column::new("MEDIAN", Fit::Whole).optional(),
        Column::new("P95", Fit::Whole).optional(),
        Column::new("FAILING", Fit::Whole).optional().movable(),
        Column::new("OWED", Fit::Whole).optional().movable(),
        Column::new("LAST 20", Fit::Start(7)).optional(),
    ]);
    let is_utf8 = is_utf8();
    for (hook, health) in hooks {
        let time = |time: Option<Duration>| time.map(duration).unwrap_or_default().into();
        let cells = [
            hook.id.to_string().into(),
            escape(hook.name.as_deref().unwrap_or_default()),
            output.url(&hook.url).into(),
            health.state.word().into(),
            delivered(health).into(),
            time(health.median),
            time(health.p95),
            counted_since(health.consecutive_failures, health.failing_since, now).into(),
            counted_since(health.owed, health.oldest_owed, now).into(),
            sparkline(&health.last, is_utf8).into(),
        ];
        let look = match health.state {
            State::Ok if health.owed > 0 => Look::Bad(8),
            State::Ok => Look::Good(3),
            State::Failing => Look::Bad(3),
            State::Disabled => Look::Faint,
            State::Idle => Look::Plain,
        };
        table.row(cells, look);
    }
    table
}

/// `98% of 50`; less than all of them is never 100%.
fn delivered(health: &Health) -> String {
    let all = health.deliveries;
    match (health.delivered * 100).checked_div(all) {
        Some(percent) => format!("{percent}% of {all}"),
        None => "none".to_owned(),
    }
}

/// `5 in 3h`: so many, the first of them three hours ago.
fn counted_since(number: usize, since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    match since {
        Some(since) => format!("{number} in {}", age(now - since)),
        None => String::new(),
    }
}

#[derive(Debug, Serialize)]
struct HealthView<'a> {
    id: HookId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    url: &'a str,
    event: &'a str,
    state: &'a str,
    deliveries: usize,
    delivered: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    share_delivered: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    median_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p95_ms: Option<u128>,
    consecutive_failures: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<String>,
    owed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_owed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_owed_age_ms: Option<i64>,
    last: Vec<EndedView>,
}

/// One of the last deliveries.
#[derive(Debug, Serialize)]
struct EndedView {
    time: String,
    delivered: bool,
    #[serde(rename = "duration_ms", serialize_with = "milliseconds::serialize")]
    duration: Duration,
}

/// The hooks as a JSON array, `[]` when there is none.
pub(crate) fn json(hooks: &[(&Hook, Health)], now: DateTime<Utc>) -> String {
    let milliseconds = |time: Option<Duration>| time.map(|time| time.as_millis());
    let last = |ended: &Ended| EndedView {
        time: timestamp(ended.time),
        delivered: ended.delivered,
        duration: ended.duration,
    };
    let views = hooks.iter().map(|(hook, health)| HealthView {
        id: hook.id,
        name: hook.name.as_deref(),
        url: &hook.url,
        event: &hook.event,
        state: health.state.word(),
        deliveries: health.deliveries,
        delivered: health.delivered,
        share_delivered: health.share_delivered(),
        median_ms: milliseconds(health.median),
        p95_ms: milliseconds(health.p95),
        consecutive_failures: health.consecutive_failures,
        failing_since: health.failing_since.map(timestamp),
        owed: health.owed,
        oldest_owed: health.oldest_owed.map(timestamp),
        oldest_owed_age_ms: health.oldest_owed.map(|time| (now - time).num_milliseconds()),
        last: health.last.iter().map(last).collect(),
    });
    super::json::pretty(&views.collect::<Vec<_>>())
}
