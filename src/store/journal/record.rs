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
    #[serde(borrow)]
    Publication(PublicationRecord<'a>),
    #[serde(borrow)]
    Redelivery(RedeliveryRecord<'a>),
    /// An [`OutcomeKey`] and an [`Outcome`] in one object.
    #[serde(borrow)]
    Outcome(&'a RawValue),
    #[serde(borrow)]
    Interrupted(InterruptedRecord<'a>),
    Compacted(CompactedRecord),
}

/// A publication, written before the first byte is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PublicationRecord<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) time: DateTime<Utc>,
    pub(super) event: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) test: bool,
    /// The process that wrote it is at its deliveries until then.
    pub(super) deadline: DateTime<Utc>,
    /// Nobody is at its deliveries: they are to be sent later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) deferred: bool,
    pub(super) targets: Vec<Target<'a>>,
    /// The deployment's text as a JSON string: so it comes back byte for byte.
    pub(super) content: Cow<'a, RawValue>,
}

/// A hook that a publication is for, with its URL at that time.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Target<'a> {
    pub(super) hook: HookId,
    pub(super) url: Cow<'a, str>,
    /// The hook was disabled: it is sent on request alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) held: bool,
}

impl<'a> Target<'a> {
    /// These hooks, and those that it is held for.
    pub(super) fn all(hooks: &'a [Hook], held: &'a [Hook]) -> Vec<Self> {
        let hooks = hooks.iter().map(|hook| Self::new(hook, false));
        let held = held.iter().map(|hook| Self::new(hook, true));
        hooks.chain(held).collect()
    }

    /// A hook as it is now.
    fn new(hook: &'a Hook, held: bool) -> Self {
        Self { hook: hook.id, url: hook.url.as_str().into(), held }
    }
}

/// A process sends again until the deadline: a publication to these hooks or, without an id, whatever
/// stands before this line and was not delivered to them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RedeliveryRecord<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) time: DateTime<Utc>,
    pub(super) deadline: DateTime<Utc>,
    pub(super) hooks: Cow<'a, [HookId]>,
    /// Those of the hooks that the publication was not for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) added: Vec<Target<'a>>,
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

/// An outcome, to be written.
#[derive(Debug, Serialize)]
pub(super) struct OutcomeRecord<'a> {
    pub(super) id: &'a str,
    pub(super) hook: HookId,
    #[serde(flatten)]
    pub(super) outcome: &'a Outcome,
}

/// A process leaves deliveries without an outcome, or ends a redelivery: the hooks of a publication
/// or, without an id, of the last [`RedeliveryRecord`] without one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InterruptedRecord<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) time: DateTime<Utc>,
    pub(super) hooks: Cow<'a, [HookId]>,
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
    let content = to_raw_value(deployment.as_str()).unwrap_or_default();
    let record = PublicationRecord {
        id: id.into(),
        time: *time,
        event: event.into(),
        test: *test,
        deadline: deadline.unwrap_or(*time),
        deferred: deadline.is_none(),
        targets,
        content: Cow::Owned(content),
    };
    line("publication", &record)
}

/// The line of an outcome of a publication to a hook.
pub(super) fn outcome_line(id: &str, hook: HookId, outcome: &Outcome) -> String {
    line("outcome", &OutcomeRecord { id, hook, outcome })
}
