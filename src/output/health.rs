//! How the hooks are, for people and as JSON.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::outcome::duration;
use super::sparkline::{is_utf8, sparkline};
use super::table::{Column, Fit, Look};
use super::time::age;
use super::{Output, Table};
use crate::domain::health::{Ended, Health, State};
use crate::domain::hook::Hook;
use crate::domain::json::put;
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

/// The hooks as a JSON array, `[]` when there is none.
pub(crate) fn json(hooks: &[(&Hook, Health)], now: DateTime<Utc>) -> String {
    let all = hooks.iter().map(|(hook, health)| HealthJson { hook, health, now });
    super::json::pretty(&all.collect::<Vec<_>>())
}

struct HealthJson<'a> {
    hook: &'a Hook,
    health: &'a Health,
    now: DateTime<Utc>,
}

impl Serialize for HealthJson<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { hook, health, now } = self;
        let milliseconds = |time: Duration| time.as_millis();
        let oldest_owed_age = health.oldest_owed.map(|time| (*now - time).num_milliseconds());
        let mut map = to.serialize_map(None)?;
        put(&mut map, "id", Some(hook.id))?;
        put(&mut map, "name", hook.name.as_ref())?;
        put(&mut map, "url", Some(&hook.url))?;
        put(&mut map, "event", Some(&hook.event))?;
        put(&mut map, "state", Some(health.state.word()))?;
        put(&mut map, "deliveries", Some(health.deliveries))?;
        put(&mut map, "delivered", Some(health.delivered))?;
        put(&mut map, "share_delivered", health.share_delivered())?;
        put(&mut map, "median_ms", health.median.map(milliseconds))?;
        put(&mut map, "p95_ms", health.p95.map(milliseconds))?;
        put(&mut map, "consecutive_failures", Some(health.consecutive_failures))?;
        put(&mut map, "failing_since", health.failing_since.map(timestamp))?;
        put(&mut map, "owed", Some(health.owed))?;
        put(&mut map, "oldest_owed", health.oldest_owed.map(timestamp))?;
        put(&mut map, "oldest_owed_age_ms", oldest_owed_age)?;
        put(&mut map, "last", Some(&health.last))?;
        map.end()
    }
}

/// One of the last deliveries.
impl Serialize for Ended {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        put(&mut map, "time", Some(timestamp(self.time)))?;
        put(&mut map, "delivered", Some(self.delivered))?;
        put(&mut map, "duration_ms", Some(self.duration.as_millis()))?;
        map.end()
    }
}
