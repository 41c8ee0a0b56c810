//! The whole retry policy: what may pass, how long to wait within a publish, and when a delivery is
//! due to be sent again (docs/design.md §4 and §5).

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// The wait before the second attempt; each further one is three times as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// No wait is longer than this, unless the receiver asks for it.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// After the n-th try that failed the next is due this many minutes later; the last goes on. Standard
/// Webhooks' schedule, in the steps that a cron line can keep.
const SCHEDULE: [i64; 6] = [0, 5, 30, 2 * 60, 5 * 60, 10 * 60];

/// For how long after its publication a delivery is sent again, unless `redeliver --since` says
/// otherwise.
pub(crate) const SENT_FOR: TimeDelta = TimeDelta::hours(24);

/// Whether another attempt may go better after this status code: 408, 429 and 5xx.
pub(crate) fn may_pass(code: u16) -> bool {
    matches!(code, 408 | 429 | 500..=599)
}

/// How long to wait after this many attempts within a publish: 1 s, 3 s, 9 s, … and ±20 %, so that
/// many senders do not come back at the same moment. `random` is any number, each as likely.
pub(crate) fn back_off(attempts: u32, random: u32) -> Duration {
    let factor = 3_u32.saturating_pow(attempts.saturating_sub(1));
    let wait = FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT);
    let share = f64::from(random) / f64::from(u32::MAX);
    wait.mul_f64(0.8 + 0.4 * share)
}

/// `Retry-After`: seconds, also with a fraction, which is rounded up, or a date in one of HTTP's three
/// forms (RFC 9110, sections 10.2.3 and 5.6.7). Nonsense is as if it were not there.
pub(crate) fn parse_retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(whole) && digits(fraction) {
        let up = u64::from(fraction.bytes().any(|b| b != b'0'));
        let seconds = whole.parse::<u64>().ok().and_then(|n| n.checked_add(up));
        return Some(seconds.map_or(Duration::MAX, Duration::from_secs));
    }
    let date = parse_http_date(value)?;
    Some((date - now).to_std().unwrap_or_default())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, and the obsolete forms of RFC 850 and of C's `asctime`.
fn parse_http_date(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.to_utc());
    }
    let bare = ["GMT", "UTC"].iter().find_map(|zone| text.strip_suffix(zone));
    let bare = bare.unwrap_or(text).trim_end();
    let forms = ["%a, %d %b %Y %H:%M:%S", "%A, %d-%b-%y %H:%M:%S", "%a %b %e %H:%M:%S %Y"];
    let parsed = |form: &&str| NaiveDateTime::parse_from_str(bare, form).ok();
    forms.iter().find_map(parsed).map(|date| date.and_utc())
}

/// When a delivery is due again that has failed this many times, the last time at `last_try`. At
/// once where it has not failed yet.
pub(crate) fn due(failures: u32, last_try: DateTime<Utc>) -> DateTime<Utc> {
    let step = usize::try_from(failures).unwrap_or(usize::MAX);
    let wait = SCHEDULE[step.saturating_sub(1).min(SCHEDULE.len() - 1)];
    // A journal that was edited by hand may be at the end of the calendar.
    last_try.checked_add_signed(TimeDelta::minutes(wait)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_grow_from_one_second_and_stay_within_a_fifth() {
        let waits = |random: u32| [1, 2, 3, 4, 5, 99].map(|n| back_off(n, random).as_millis());
        assert_eq!(waits(0), [800, 2_400, 7_200, 21_600, 48_000, 48_000]);
        assert_eq!(waits(u32::MAX), [1_200, 3_600, 10_800, 32_400, 72_000, 72_000]);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:30Z").unwrap().with_timezone(&Utc);
        let parse = |value| parse_retry_after(value, now);
        assert_eq!(parse("120"), Some(Duration::from_secs(120)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        for form in [
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(form), Some(Duration::from_secs(7)), "{form}");
        }
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        assert_eq!(parse("1.2"), Some(Duration::from_secs(2)));
        assert_eq!(parse("3.000"), Some(Duration::from_secs(3)));
        assert_eq!(parse("99999999999999999999999"), Some(Duration::MAX));
        for nonsense in ["", "-1", "1.", ".5", "1.5s", "soon", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        for code in [408, 429, 500, 502, 503, 599] {
            assert!(may_pass(code), "{code}");
        }
        for code in [200, 204, 301, 400, 401, 404, 410, 422, 999] {
            assert!(!may_pass(code), "{code}");
        }
    }

    #[test]
    fn the_schedule_counts_from_the_last_try() {
        let last = DateTime::UNIX_EPOCH;
        let minutes = |failures| (due(failures, last) - last).num_minutes();
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 6, 7, 99].map(minutes),
            [0, 0, 5, 30, 120, 300, 600, 600, 600]
        );
        assert_eq!(due(9, DateTime::<Utc>::MAX_UTC), DateTime::<Utc>::MAX_UTC);
    }

    proptest! {
        #[test]
        fn any_retry_after_is_a_wait_or_nothing(
            value in prop_oneof![any::<String>(), "[0-9]{0,30}", "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"],
            seconds in -1_000_000_000_000_i64..1_000_000_000_000,
        ) {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let digits = !value.trim().is_empty() && value.trim().bytes().all(|b| b.is_ascii_digit());
            prop_assert!(!digits || parse_retry_after(&value, now).is_some());
        }
    }
}
