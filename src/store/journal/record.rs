//! The lines of the journal: one JSON object each, its one key saying what it records.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::publication::{Outcome, Publication};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Record<'a> {
    #[serde(borrow)]
    Publication(PublicationRecord<'a>),
    Redelivery(RedeliveryRecord<'a>),
    Outcome(OutcomeRecord<'a>),
    Interrupted(InterruptedRecord<'a>),
    Compacted(CompactedRecord),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PublicationRecord<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) time: DateTime<Utc>,
    pub(crate) event: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) test: bool,
    pub(crate) deadline: DateTime<Utc>,
    pub(crate) targets: Vec<Target<'a>>,
    /// The deployment's text as a JSON string: so it comes back byte for byte.
    pub(crate) content: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Target<'a> {
    pub(crate) hook: u64,
    pub(crate) url: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RedeliveryRecord<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) time: DateTime<Utc>,
    pub(crate) deadline: DateTime<Utc>,
    pub(crate) hooks: Cow<'a, [u64]>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OutcomeRecord<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) hook: u64,
    pub(crate) time: DateTime<Utc>,
    pub(crate) delivered: bool,
    pub(crate) status: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<u16>,
    pub(crate) reason: Cow<'a, str>,
    pub(crate) attempts: u32,
    pub(crate) duration_ms: u64,
}

/// A process that was interrupted leaves these deliveries without an outcome.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InterruptedRecord<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) time: DateTime<Utc>,
    pub(crate) hooks: Cow<'a, [u64]>,
}

/// The first line of a compacted journal: its length then, so that one full of undelivered events is
/// not compacted again at each publish.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CompactedRecord {
    pub(crate) time: DateTime<Utc>,
    pub(crate) length: u64,
}

impl<'a> Record<'a> {
    pub(super) fn publication(
        publication: &'a Publication,
        targets: &[(u64, &'a str)],
        deadline: DateTime<Utc>,
    ) -> Self {
        let target = |&(hook, url): &(u64, &'a str)| Target {
            hook,
            url: url.into(),
        };
        Self::Publication(PublicationRecord {
            id: publication.id.as_str().into(),
            time: publication.time,
            event: publication.event.as_str().into(),
            test: publication.test,
            deadline,
            targets: targets.iter().map(target).collect(),
            content: publication.content.as_str().into(),
        })
    }

    pub(super) fn outcome(id: &'a str, hook: u64, outcome: &'a Outcome) -> Self {
        Self::Outcome(OutcomeRecord {
            id: id.into(),
            hook,
            time: outcome.time,
            delivered: outcome.delivered,
            status: outcome.status.as_str().into(),
            code: outcome.code,
            reason: outcome.reason.as_str().into(),
            attempts: outcome.attempts,
            duration_ms: outcome.duration_ms(),
        })
    }

    pub(super) fn interrupted(id: &'a str, hooks: &'a [u64], time: DateTime<Utc>) -> Self {
        Self::Interrupted(InterruptedRecord {
            id: id.into(),
            time,
            hooks: hooks.into(),
        })
    }

    /// The record as a line, its newline included: JSON escapes every line end inside.
    pub(super) fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

impl<'a> RedeliveryRecord<'a> {
    pub(super) fn new(
        id: &'a str,
        hooks: &'a [u64],
        time: DateTime<Utc>,
        deadline: DateTime<Utc>,
    ) -> Self {
        Self {
            id: id.into(),
            time,
            deadline,
            hooks: hooks.into(),
        }
    }
}

impl PublicationRecord<'_> {
    pub(super) fn to_publication(&self) -> Publication {
        Publication {
            id: self.id.to_string(),
            event: self.event.to_string(),
            time: self.time,
            content: self.content.to_string(),
            test: self.test,
        }
    }
}

impl OutcomeRecord<'_> {
    pub(super) fn to_outcome(&self) -> Outcome {
        Outcome {
            time: self.time,
            delivered: self.delivered,
            status: self.status.to_string(),
            code: self.code,
            reason: self.reason.to_string(),
            attempts: self.attempts,
            duration: Duration::from_millis(self.duration_ms),
        }
    }
}
