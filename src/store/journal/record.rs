//! The lines of the journal: one JSON object each, its one key saying what it records
//! (docs/design.md §5).

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::domain::hook::{Hook, HookId};
use crate::domain::outcome::Outcome;
use crate::domain::publication::Publication;

/// A line, read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Record<'a> {
    Publication(PublicationRecord<'a>),
    Redelivery(Claim),
    /// An [`OutcomeKey`] and an [`Outcome`] in one object.
    #[serde(borrow)]
    Outcome(&'a RawValue),
    Interrupted(Claim),
    Compacted(CompactedRecord),
}

/// A publication, written before the first byte is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PublicationRecord<'a> {
    pub(super) id: String,
    pub(super) time: DateTime<Utc>,
    pub(super) event: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) test: bool,
    /// The process that wrote it is at its deliveries until then.
    pub(super) deadline: DateTime<Utc>,
    /// Nobody is at its deliveries: they are to be sent later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) deferred: bool,
    pub(super) targets: Vec<Target<'a>>,
    /// The deployment's text as a JSON string: so it comes back byte for byte.
    pub(super) content: Box<RawValue>,
}

/// A hook that a publication is for, with its URL at that time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Target<'a> {
    pub(super) hook: HookId,
    pub(super) url: Cow<'a, str>,
    /// The hook was disabled: it is sent on request alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) held: bool,
}

impl<'a> Target<'a> {
    /// A hook as it is now.
    pub(super) fn new(hook: &'a Hook, held: bool) -> Self {
        Self { hook: hook.id, url: hook.url.as_str().into(), held }
    }
}

/// A process takes deliveries up (`redelivery`), or leaves them (`interrupted`): those of a publication to
/// these hooks or, without an id, whatever stands before this line and was not delivered to them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claim {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(super) time: DateTime<Utc>,
    /// Until when the process is at them; nothing where it leaves them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deadline: Option<DateTime<Utc>>,
    pub(super) hooks: Vec<HookId>,
    /// Those of the hooks that the publication was not for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) added: Vec<Target<'static>>,
}

impl Claim {
    /// Of a publication or, without an id, of whatever was not delivered to these hooks. Its times are set when it
    /// is written.
    pub(crate) fn new(id: Option<String>, hooks: Vec<HookId>) -> Self {
        Self { id, time: Utc::now(), deadline: None, hooks, added: Vec::new() }
    }

    /// Of a publication that was not for this hook.
    pub(crate) fn added(id: String, hook: &Hook) -> Self {
        let target = Target { hook: hook.id, url: hook.url.clone().into(), held: false };
        Self { added: vec![target], ..Self::new(Some(id), vec![hook.id]) }
    }
}

/// Which delivery an outcome belongs to.
#[derive(Debug, Deserialize)]
pub(super) struct OutcomeKey<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    pub(super) hook: HookId,
    /// How many tries have failed by now, where that is not one more than the lines before say.
    #[serde(default)]
    pub(super) tries: Option<u32>,
}

/// The first line of a compacted journal: its length then, so that one full of undelivered events is
/// not compacted again at each publish.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CompactedRecord {
    pub(super) time: DateTime<Utc>,
    pub(super) length: u64,
}

/// A record as a line, its newline included: JSON escapes every line end inside.
pub(super) fn line(kind: &str, record: &impl Serialize) -> String {
    // Strings, numbers and times always serialise.
    let json = serde_json::to_string(record).unwrap_or_default();
    format!("{{\"{kind}\":{json}}}\n")
}

/// The line of a new publication; without a deadline it is deferred.
pub(super) fn publication_line(
    publication: &Publication,
    targets: Vec<Target>,
    deadline: Option<DateTime<Utc>>,
) -> String {
    let Publication { id, event, time, deployment, test } = publication;
    let record = PublicationRecord {
        id: id.clone(),
        time: *time,
        event: event.clone(),
        test: *test,
        deadline: deadline.unwrap_or(*time),
        deferred: deadline.is_none(),
        targets,
        content: to_raw_value(deployment.as_str()).unwrap_or_default(),
    };
    line("publication", &record)
}

/// The line of an outcome of a publication to a hook.
pub(super) fn outcome_line(id: &str, hook: HookId, outcome: &Outcome) -> String {
    #[derive(Serialize)]
    struct OutcomeRecord<'a> {
        id: &'a str,
        hook: HookId,
        #[serde(flatten)]
        outcome: &'a Outcome,
    }
    line("outcome", &OutcomeRecord { id, hook, outcome })
}
