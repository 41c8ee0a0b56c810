//! A publication and the outcome of each of its deliveries (docs/design.md §1).

use std::time::Duration;

use chrono::{DateTime, Utc};

/// One call of `publish`, `run` or `test`: an event, its content, and an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publication {
    /// `msg_` and a UUID of version 7: the webhook-id, the same at each attempt and redelivery.
    pub(crate) id: String,
    /// The event's name.
    pub(crate) event: String,
    /// When it was published.
    pub(crate) time: DateTime<Utc>,
    /// The deployment's own JSON text.
    pub(crate) content: String,
    /// Whether it is a sample, which is never sent again by itself.
    pub(crate) test: bool,
}

impl Publication {
    /// A new publication of this content.
    pub(crate) fn new(event: &str, content: &str) -> Self {
        Self {
            id: format!("msg_{}", uuid::Uuid::now_v7()),
            event: event.to_owned(),
            time: Utc::now(),
            content: content.to_owned(),
            test: false,
        }
    }

    /// Marks it as a sample.
    #[must_use]
    pub(crate) fn marked_as_test(mut self) -> Self {
        self.test = true;
        self
    }
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// When.
    pub(crate) time: DateTime<Utc>,
    /// Whether the receiver accepted it (2xx).
    pub(crate) delivered: bool,
    /// The response's standard reason, such as "Not Found", or "Failure" without a response.
    pub(crate) status: String,
    /// The response's status code.
    pub(crate) code: Option<u16>,
    /// `delivered`, the start of the response's body, or what went wrong.
    pub(crate) reason: String,
    /// How many attempts were made.
    pub(crate) attempts: u32,
    /// From the start of the first attempt to the outcome.
    pub(crate) duration: Duration,
}

impl Outcome {
    /// Whether the receiver wants no more deliveries (410).
    pub(crate) fn is_gone(&self) -> bool {
        self.code == Some(410)
    }

    /// The duration in whole milliseconds.
    pub(crate) fn duration_ms(&self) -> u64 {
        u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX)
    }
}
