//! The last deliveries as a row of bars: the higher, the longer it took; a cross is a failure.
//!
//! Each step is about three times as long as the one below it, so that the bars of a fast and of a slow
//! receiver can be compared: up to 3 ms, 10 ms, 30 ms, 100 ms, 300 ms, 1 s, 3 s, and longer.

use std::time::Duration;

use crate::domain::health::Ended;

/// The longest time of each bar but the last, in milliseconds.
const STEPS: [u128; 7] = [3, 10, 30, 100, 300, 1_000, 3_000];

/// The bars, and the cross.
const UTF8: ([char; 8], char) = (['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'], '×');
const ASCII: ([char; 8], char) = (['_', '.', ',', '-', '~', '=', '+', '#'], 'x');

/// The deliveries from left to right; in ASCII where the locale is not UTF-8.
pub(super) fn sparkline(deliveries: &[Ended], is_utf8: bool) -> String {
    let (bars, cross) = if is_utf8 { UTF8 } else { ASCII };
    let mark = |ended: &Ended| {
        if ended.delivered { bars[step(ended.duration)] } else { cross }
    };
    deliveries.iter().map(mark).collect()
}

fn step(duration: Duration) -> usize {
    let longer = |step: &&u128| duration.as_millis() > **step;
    STEPS.iter().take_while(longer).count()
}

/// Whether the locale is UTF-8, by the variables in POSIX's order. Where it cannot be told from them,
/// as on Windows, it is taken to be.
pub(super) fn is_utf8() -> bool {
    if cfg!(windows) {
        return true;
    }
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn ended(delivered: bool, milliseconds: u64) -> Ended {
        Ended {
            time: DateTime::UNIX_EPOCH,
            delivered,
            duration: Duration::from_millis(milliseconds),
            since: DateTime::UNIX_EPOCH,
            failures: 0,
        }
    }

    #[test]
    fn a_bar_is_as_high_as_the_time_is_long_and_a_failure_is_a_cross() {
        let times = [0, 3, 4, 30, 31, 300, 1_000, 3_000, 3_001, 30_000];
        let mut deliveries: Vec<Ended> = times.into_iter().map(|ms| ended(true, ms)).collect();
        deliveries.push(ended(false, 5));
        assert_eq!(sparkline(&deliveries, true), "▁▁▂▃▄▅▆▇██×");
        assert_eq!(sparkline(&deliveries, false), "__.,-~=+##x");
        assert_eq!(sparkline(&[], true), "");
    }
}
