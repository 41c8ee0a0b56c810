//! Times for people: in the local zone (`TZ`, else the system's), written as `git log --date=iso` does.
//!
//! Each has its own offset from UTC, as a table may hold a time of the summer beside one of the winter.
//! Files and `--json` stay UTC.

use std::borrow::Cow;

use chrono::{DateTime, Datelike as _, Local, TimeDelta, Timelike as _, Utc};

use crate::domain::time;
use crate::security::escape::escape;

/// `2026-11-25 10:20:53 +0100`
pub(crate) fn local_time(time: DateTime<Utc>) -> String {
    written(time, true)
}

/// `2026-11-25 10:20 +0100`, for the column of a table.
pub(crate) fn local_minute(time: DateTime<Utc>) -> String {
    written(time, false)
}

/// By hand, as a hundred thousand hooks would feel what the general formatting takes.
fn written(time: DateTime<Utc>, with_seconds: bool) -> String {
    let time = time.with_timezone(&Local);
    let mut text = format!("{:04}", time.year());
    push(&mut text, "-", time.month());
    push(&mut text, "-", time.day());
    push(&mut text, " ", time.hour());
    push(&mut text, ":", time.minute());
    if with_seconds {
        push(&mut text, ":", time.second());
    }
    let offset = time.offset().local_minus_utc();
    let minutes = offset.unsigned_abs() / 60;
    push(&mut text, if offset < 0 { " -" } else { " +" }, minutes / 60);
    push(&mut text, "", minutes % 60);
    text
}

/// Adds a number of two digits.
fn push(text: &mut String, before: &str, number: u32) {
    text.push_str(before);
    text.extend([number / 10, number % 10].map(|n| char::from_digit(n, 10).unwrap_or('?')));
}

/// A time of the registry, which may be in another notation than ours: that stays, escaped.
pub(crate) fn shown(text: &str, written: fn(DateTime<Utc>) -> String) -> Cow<'_, str> {
    match time::parse(text) {
        Some(time) => written(time).into(),
        None => escape(text),
    }
}

/// How long ago something was, in one unit: `12s`, `5m`, `3h`, `2d`. From the future, it is now.
pub(crate) fn age(age: TimeDelta) -> String {
    let seconds = age.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit() {
        let ages = [-5, 0, 59, 60, 3_599, 3_600, 172_799, 172_800, 864_000];
        let ages = ages.map(|seconds| age(TimeDelta::seconds(seconds)));
        let wanted = ["0s", "0s", "59s", "1m", "59m", "1h", "47h", "2d", "10d"];
        assert_eq!(ages, wanted);
    }

    #[test]
    fn the_ends_of_the_calendar_can_be_written() {
        for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            local_time(time);
            local_minute(time);
        }
    }

    #[test]
    fn another_notation_stays() {
        assert_eq!(shown("last\nTuesday", local_time), "last\\nTuesday");
    }
}
