//! Times in text.

use chrono::{DateTime, SecondsFormat, Utc};

/// A moment in the notation of the registry, the journal and `--json`: RFC 3339, UTC, milliseconds.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A moment from RFC 3339 text of any zone; `None` where it is another notation.
pub(crate) fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}
