//! Times for people.

use chrono::{DateTime, Local, Utc};

/// A moment in the local zone (TZ, else the system's), as git shows it: `2026-07-28 14:03:22 +0200`.
pub(crate) fn local_time(time: DateTime<Utc>) -> String {
    let local = time.with_timezone(&Local);
    local.format("%Y-%m-%d %H:%M:%S %z").to_string()
}
