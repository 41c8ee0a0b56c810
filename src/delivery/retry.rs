//! What is tried again, and when.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::attempt::Attempt;

/// The wait before the second attempt; each further one is three times as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// No wait is longer than this, unless the receiver asks for it.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How long to wait before the next attempt; `None`: there is none. `made` counts the attempts so
/// far, `left` is the time to the deadline: a wait that would pass it ends the attempts at once.
pub(super) fn wait(attempt: &Attempt, made: u32, retries: u32, left: Duration) -> Option<Duration> {
    if made > retries || !attempt.may_pass() {
        return None;
    }
    let wait = attempt
        .retry_after()
        .unwrap_or_else(|| jittered(back_off(made), random()));
    (wait < left).then_some(wait)
}

/// 1 s, 3 s, 9 s, … before jitter.
fn back_off(made: u32) -> Duration {
    let factor = 3_u32.saturating_pow(made.saturating_sub(1));
    FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT)
}

/// ±20 %, so that many senders do not come back at the same moment.
fn jittered(wait: Duration, random: u32) -> Duration {
    let share = f64::from(random) / f64::from(u32::MAX);
    wait.mul_f64(0.8 + 0.4 * share)
}

fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

/// `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). Nonsense is as if it were not there.
pub(super) fn parse_retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    Some(
        (date.with_timezone(&Utc) - now)
            .to_std()
            .unwrap_or(Duration::ZERO),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_grow_from_one_second_and_stay_within_a_fifth() {
        let seconds = |made| back_off(made).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 99].map(seconds), [1, 3, 9, 27, 60, 60]);
        assert_eq!(jittered(Duration::from_secs(10), 0), Duration::from_secs(8));
        assert_eq!(
            jittered(Duration::from_secs(10), u32::MAX),
            Duration::from_secs(12)
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:30Z")
            .unwrap()
            .with_timezone(&Utc);
        let parse = |value| parse_retry_after(value, now);
        assert_eq!(parse("120"), Some(Duration::from_mins(2)));
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Duration::from_secs(7))
        );
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        assert_eq!(parse("99999999999999999999999"), Some(Duration::MAX));
        for nonsense in ["", "-1", "1.5", "soon", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_wait_past_the_deadline_ends_the_attempts() {
        let failed = Attempt::failed("x".to_owned());
        let left = Duration::from_secs(2);
        assert!(wait(&failed, 1, 2, left).is_some());
        assert_eq!(wait(&failed, 2, 2, left), None);
        assert_eq!(wait(&failed, 3, 2, Duration::MAX), None);
        assert_eq!(wait(&Attempt::refused("x".to_owned()), 1, 2, left), None);
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
