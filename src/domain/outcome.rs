//! How a delivery ended, in the fan-out, in the journal and in `--json` (docs/design.md §4 and §5).

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The reason of a delivery that the receiver accepted.
pub(crate) const DELIVERED: &str = "delivered";

/// How a delivery ended. Its JSON is that of the journal's `outcome` records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// When.
    pub(crate) time: DateTime<Utc>,
    /// Whether the receiver accepted it (2xx).
    pub(crate) delivered: bool,
    /// The response's standard reason, such as "Not Found", or Kudu's "Failure" without a response.
    pub(crate) status: String,
    /// The response's status code; absent without a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<u16>,
    /// `delivered`, the start of the response's body, or what went wrong.
    pub(crate) reason: String,
    /// The start of the response's body, at most 1 KiB, masked; absent where it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) response: Option<String>,
    /// How many attempts were made.
    pub(crate) attempts: u32,
    /// From the start of the first attempt to the outcome; in JSON whole milliseconds.
    #[serde(rename = "duration_ms", with = "milliseconds")]
    pub(crate) duration: Duration,
    /// Before then the receiver wants no further try (`Retry-After`); absent where it said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<DateTime<Utc>>,
}

impl Outcome {
    /// Whether the receiver wants no more deliveries (410).
    pub(crate) fn is_gone(&self) -> bool {
        self.code == Some(410)
    }
}

/// A duration as a whole number of milliseconds.
pub(crate) mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    /// Writes it.
    pub(crate) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    /// Reads it.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
