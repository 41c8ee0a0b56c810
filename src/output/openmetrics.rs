//! How the hooks are as metrics: text that `OpenMetrics` 1.0 and Prometheus' own format (0.0.4)
//! have in common, so that the textfile collector of `node_exporter` reads it.
//!
//! All are gauges: what has gone from the journal, or is older than `--since`, does not count any more.
//! Of a URL the host alone is told.

use std::fmt::{Display, Write as _};

use chrono::{DateTime, Utc};
use url::Url;

use crate::domain::health::{Health, State};
use crate::domain::hook::Hook;
use crate::security::escape::escape;

/// What a metric is of one hook; nothing where it has no value.
type Value = fn(&Health) -> Option<f64>;

/// The metrics with one value a hook: name, help, value.
const METRICS: [(&str, &str, Value); 9] = [
    (
        "hooks_deliveries",
        "Deliveries that have ended within the time that is looked at",
        |health| Some(count(health.deliveries)),
    ),
    ("hooks_delivered_ratio", "Share of those deliveries that arrived", Health::share_delivered),
    ("hooks_delivery_median_seconds", "Median of the time that those deliveries took", |health| {
        health.median.map(|time| time.as_secs_f64())
    }),
    (
        "hooks_delivery_p95_seconds",
        "95th percentile of the time that those deliveries took",
        |health| health.p95.map(|time| time.as_secs_f64()),
    ),
    (
        "hooks_consecutive_failures",
        "Tries that have failed since the last delivery that arrived",
        |health| Some(count(health.consecutive_failures)),
    ),
    (
        "hooks_failing_since_timestamp_seconds",
        "When the first of the tries ended that have failed since then",
        |health| health.failing_since.map(seconds),
    ),
    ("hooks_owed_deliveries", "Deliveries that are still to be sent", |health| {
        Some(count(health.owed))
    }),
    (
        "hooks_oldest_owed_timestamp_seconds",
        "When the oldest of the deliveries that are still to be sent was published",
        |health| health.oldest_owed.map(seconds),
    ),
    (
        "hooks_last_delivery_timestamp_seconds",
        "When the last try of the last delivery ended",
        |health| health.last.last().map(|ended| seconds(ended.time)),
    ),
];

/// The metrics of these hooks, of a registry with so many.
pub(crate) fn text(hooks: &[(&Hook, Health)], registered: usize) -> String {
    let mut out = String::new();
    head(&mut out, "hooks_registered", "Hooks in the registry");
    // A String takes everything, here and below.
    let _ = writeln!(out, "hooks_registered {registered}");
    let labels: Vec<String> = hooks.iter().map(|(hook, _)| labels(hook)).collect();
    let help = "How the hook is: 1 for its state, 0 for the others";
    head(&mut out, "hooks_state", help);
    for ((_, health), labels) in hooks.iter().zip(&labels) {
        for state in State::ALL {
            let labels = format!("{labels},state=\"{}\"", state.word());
            let is = u8::from(health.state == state);
            sample(&mut out, "hooks_state", &labels, is);
        }
    }
    for (name, help, value) in METRICS {
        head(&mut out, name, help);
        for ((_, health), labels) in hooks.iter().zip(&labels) {
            if let Some(value) = value(health) {
                sample(&mut out, name, labels, value);
            }
        }
    }
    out.push_str("# EOF");
    out
}

/// What a metric is. `OpenMetrics` wants its unit at the end of its name.
fn head(out: &mut String, name: &str, help: &str) {
    let _ = writeln!(out, "# TYPE {name} gauge");
    let last = name.rsplit('_').next();
    if let Some(unit @ ("seconds" | "ratio")) = last {
        let _ = writeln!(out, "# UNIT {name} {unit}");
    }
    let _ = writeln!(out, "# HELP {name} {help}");
}

fn sample(out: &mut String, name: &str, labels: &str, value: impl Display) {
    let _ = writeln!(out, "{name}{{{labels}}} {value}");
}

fn labels(hook: &Hook) -> String {
    let url = Url::parse(&hook.url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let name = hook.name.as_deref().unwrap_or_default();
    let (name, host) = (label_value(name), label_value(host));
    format!("hook=\"{}\",name=\"{name}\",host=\"{host}\"", hook.id)
}

/// A hand may have written anything. What a terminal would obey is spelled as elsewhere.
fn label_value(text: &str) -> String {
    escape(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// Unix seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "the years that a double counts in milliseconds are enough"
)]
fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "a double counts far enough")]
fn count(number: usize) -> f64 {
    number as f64
}
