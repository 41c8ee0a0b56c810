//! A journal as it would be after so much time, which no test can wait for.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::sandbox::Sandbox;

/// How long a run had for its deliveries.
const DEADLINE: TimeDelta = TimeDelta::seconds(30);

/// What has happened up to a moment.
pub(crate) struct Past {
    now: DateTime<Utc>,
    /// When each was written.
    records: Vec<(DateTime<Utc>, Value)>,
    publications: u32,
}

impl Past {
    /// Nothing has happened yet.
    pub(crate) fn before(now: DateTime<Utc>) -> Self {
        Self { now, records: Vec::new(), publications: 0 }
    }

    /// An event was published so many minutes ago, to these hooks. Gives its id.
    pub(crate) fn published(&mut self, minutes: i64, event: &str, hooks: &[&Value]) -> String {
        let time = self.now - TimeDelta::minutes(minutes);
        self.publications += 1;
        let id = format!("msg_01a2121c-0d8f-72e9-b13c-{:012}", self.publications);
        let targets: Vec<_> =
            hooks.iter().map(|hook| json!({"hook": hook["id"], "url": hook["url"]})).collect();
        let publication = json!({"publication": {
            "id": id, "time": written(time), "event": event, "deadline": written(time + DEADLINE),
            "targets": targets, "content": "{\"id\":\"42\",\"status\":\"success\"}",
        }});
        self.records.push((time, publication));
        id
    }

    /// A try at one of its deliveries ended so many minutes ago, after so many milliseconds; `None`: there
    /// was no response.
    pub(crate) fn ended(
        &mut self,
        id: &str,
        hook: &Value,
        minutes: i64,
        code: Option<u16>,
        ms: u64,
    ) {
        let time = self.now - TimeDelta::minutes(minutes);
        let (delivered, status, reason) = match code {
            Some(200) => (true, "OK", "delivered"),
            Some(404) => (false, "Not Found", "no such channel"),
            Some(_) => (false, "Bad Gateway", "upstream is restarting"),
            None => (false, "Failure", "connection refused"),
        };
        let mut outcome = json!({
            "id": id, "hook": hook["id"], "time": written(time), "delivered": delivered,
            "status": status, "reason": reason, "attempts": 1, "duration_ms": ms,
        });
        if let Some(code) = code {
            outcome["code"] = code.into();
        }
        self.records.push((time, json!({ "outcome": outcome })));
    }

    /// An event was published and delivered, or not, at once.
    pub(crate) fn delivered(&mut self, minutes: i64, hook: &Value, code: Option<u16>, ms: u64) {
        let id = self.published(minutes, "PostDeployment", &[hook]);
        self.ended(&id, hook, minutes, code, ms);
    }

    /// The publication was a sample of `test`.
    pub(crate) fn sample(&mut self, id: &str) {
        let mut records = self.records.iter_mut().map(|(_, record)| record);
        let publication = records.find(|record| record["publication"]["id"] == id);
        publication.expect("it was published")["publication"]["test"] = true.into();
    }

    /// Another record.
    pub(crate) fn record(&mut self, record: Value) {
        self.records.push((self.now, record));
    }

    /// Writes it beside the registry, in the order in which it happened.
    pub(crate) fn write(&mut self, sandbox: &Sandbox) {
        self.records.sort_by_key(|(time, _)| *time);
        let lines = self.records.iter().map(|(_, record)| format!("{record}\n"));
        sandbox.write("hooks.json.journal", lines.collect::<String>());
    }
}

/// A time of the journal.
fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}
