//! A publication, and one delivery of it (docs/design.md §1).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid};

use super::deployment::Deployment;
use super::hook::Hook;

/// One call of `publish`, `run` or `test`: an event, the deployment, and an id.
#[derive(Debug, Clone)]
pub(crate) struct Publication {
    /// `msg_` and a UUID of version 7, or what came with it: the webhook-id, the same at each attempt and redelivery.
    pub(crate) id: String,
    /// The event's name.
    pub(crate) event: String,
    /// When it was published.
    pub(crate) time: DateTime<Utc>,
    /// What is published.
    pub(crate) deployment: Arc<Deployment>,
    /// Whether it is a sample, which is never sent again by itself.
    pub(crate) test: bool,
}

impl Publication {
    /// A new publication, made at this time.
    pub(crate) fn new(event: &str, deployment: Deployment, time: DateTime<Utc>) -> Self {
        let seconds = u64::try_from(time.timestamp()).unwrap_or_default();
        let stamp = Timestamp::from_unix(NoContext, seconds, time.timestamp_subsec_nanos());
        Self {
            id: format!("msg_{}", Uuid::new_v7(stamp)),
            event: event.to_owned(),
            time,
            deployment: Arc::new(deployment),
            test: false,
        }
    }
}

/// One publication to one hook; it may take several attempts.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// What is delivered.
    pub(crate) publication: Arc<Publication>,
    /// To whom.
    pub(crate) hook: Arc<Hook>,
}
