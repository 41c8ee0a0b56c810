use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::deployment::Deployment;
use crate::domain::hook::HookId;
use crate::domain::outcome::Outcome;
use crate::domain::publication::Publication;
use crate::store::journal::record::{Claim, Target};

/// How long the journal may be with all that it can do without.
const MOST: u64 = 4000;

/// A content that is too long to be kept for its own sake.
fn long() -> String {
    "x".repeat(5000)
}

fn line(content: &str, age: TimeDelta, delivered: Option<bool>) -> String {
    let time = Utc::now() - age;
    let publication = Publication::new("E", Deployment::recorded(content.to_owned()), time);
    let hook = HookId(1);
    let target = Target { hook, url: "http://h/".into(), held: false };
    let begun = record::publication_line(&publication, vec![target], Some(time));
    let outcome = |delivered| Outcome {
        time,
        delivered,
        status: String::new(),
        code: None,
        reason: String::new(),
        attempts: 1,
        duration: Duration::ZERO,
        response: None,
        not_before: None,
    };
    let ended = delivered.map(|d| record::outcome_line(&publication.id, hook, &outcome(d)));
    begun + &ended.unwrap_or_default()
}

/// What a compaction at this moment leaves of a journal, without the head, and how many lines it sets aside.
fn compacted(journal: &[u8], now: DateTime<Utc>) -> (Vec<u8>, usize) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(journal).unwrap();
    let plan = Plan::of(&file, journal.len() as u64, MOST, now, &|| false);
    let plan = plan.unwrap().unwrap();
    let mut text = Vec::new();
    plan.write(&file, &mut text, &|| false).unwrap();
    let head = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    assert!(text.starts_with(b"{\"compacted\":"));
    (text[head..].to_vec(), plan.damaged.len())
}

fn kept(journal: &str) -> String {
    String::from_utf8(compacted(journal.as_bytes(), Utc::now()).0).unwrap()
}

#[test]
fn undelivered_events_stay_whatever_their_size_and_the_newest_others_fill_up() {
    let day = TimeDelta::days(1);
    let mut journal = String::new();
    for _ in 0..10 {
        journal += &line(&long(), day, Some(false));
    }
    journal += "garbage\n";
    journal += &line("killed", day, None);
    journal += &line("delivered", day, Some(true));
    journal += &line("newest", day, Some(true));
    let kept = kept(&journal);
    let lines_with = |text: &str| kept.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines_with("xxxx"), 10);
    assert_eq!(lines_with("garbage"), 0);
    assert_eq!(lines_with("killed"), 1);
    // The undelivered alone are too long, so nothing else is kept but the newest.
    assert_eq!(lines_with("\"delivered\","), 0);
    assert_eq!(lines_with("newest"), 1);
}

#[test]
fn of_the_delivered_the_newest_stay_in_order() {
    let part = "x".repeat(700);
    let delivered = |n: i64| line(&format!("{n}-{part}"), TimeDelta::hours(9 - n), Some(true));
    let lines: Vec<String> = (0..9).map(delivered).collect();
    assert_eq!(kept(&lines.concat()), lines[6..].concat());
}

#[test]
fn what_was_not_delivered_in_a_week_goes_and_what_is_held_or_deferred_stays_as_long() {
    let days = |n: i64| TimeDelta::days(n);
    let mut journal = line("old failed", days(8), Some(false));
    journal += &line("old sample", days(6), None).replace("\"event\"", "\"test\":true,\"event\"");
    journal += &line("held", days(6), None).replace("\"url\"", "\"held\":true,\"url\"");
    for day in (0..6).rev() {
        // Too long to be kept for its own sake.
        journal += &line(&long(), days(day), Some(true));
    }
    let kept = kept(&journal);
    assert!(!kept.contains("old") && kept.contains("held"));
}

#[test]
fn an_event_whose_age_is_in_doubt_stays() {
    let far = TimeDelta::days(365 * 5);
    let new = line("undelivered", TimeDelta::hours(1), Some(false));
    let delivered = |age| line(&long(), age, Some(true));
    let journal =
        new.clone() + &delivered(-far) + &delivered(far * 11) + &delivered(TimeDelta::zero());
    for now in [Utc::now(), Utc::now() + far, Utc::now() - far * 11] {
        let (kept, _) = compacted(journal.as_bytes(), now);
        assert!(kept.starts_with(new.as_bytes()), "at {now}");
    }
    // By a clock that had not been set, and by one that was ahead.
    for age in [far * 11, -far] {
        let wrong = line("undelivered", age, Some(false));
        let young = wrong.clone() + &delivered(TimeDelta::zero());
        assert!(kept(&young).starts_with(&wrong));
        let mut old = wrong;
        for day in (0..9).rev() {
            old += &delivered(TimeDelta::days(day));
        }
        assert!(!kept(&old).contains("undelivered"), "{age}");
    }
}

#[test]
fn the_age_of_an_event_is_known_after_many_compactions() {
    // Its hook fails, and each day's publications are dropped by a compaction on that day.
    let day = TimeDelta::days(1);
    let start = Utc::now() - day * 9;
    let mut journal = line("undelivered", day * 9, Some(false));
    for number in 0..9 {
        let big = line(&long(), day * (9 - number), Some(true));
        journal += &big;
        let text = compacted(journal.as_bytes(), start + day * number + TimeDelta::hours(1)).0;
        journal = String::from_utf8(text).unwrap();
        assert!(number > 6 || journal.contains("undelivered"), "day {number}");
    }
    assert!(!journal.contains("undelivered"));
}

#[test]
fn of_the_outcomes_those_stay_that_decide_and_the_schedule_goes_on() {
    let first = line("E", TimeDelta::hours(9), Some(false));
    let (begun, outcome) = first.split_once('\n').unwrap();
    let again = |number: u32| outcome.replace("\"attempts\":1", &format!("\"attempts\":{number}"));
    let tries: String = (1..=9).map(again).collect();
    let kept = kept(&format!("{begun}\n{tries}"));
    let numbered = again(9).replace("\"outcome\":{", "\"outcome\":{\"tries\":9,");
    assert_eq!(kept, format!("{begun}\n{}{numbered}", again(1)));
    assert_eq!(compacted(kept.as_bytes(), Utc::now()).0, kept.as_bytes());
    // One more, and it is the tenth.
    let more = compacted((kept + &again(10)).as_bytes(), Utc::now()).0;
    let more = String::from_utf8(more).unwrap();
    assert!(
        more.ends_with(&again(10).replace("\"outcome\":{", "\"outcome\":{\"tries\":10,")),
        "{more}"
    );
}

#[test]
fn damaged_lines_are_set_aside() {
    let whole = line("E", TimeDelta::zero(), Some(false));
    let journal = [b"torn\n", whole.as_bytes(), b"\xff\0\n\n{}\n"].concat();
    assert_eq!(compacted(&journal, Utc::now()), (whole.into_bytes(), 3));
}

/// A line of some journal: of one of two publications to two hooks, at some minute.
fn any_line(publications: [Publication; 2]) -> impl Strategy<Value = String> {
    let hooks =
        prop_oneof![Just(vec![HookId(1)]), Just(vec![HookId(2)]), Just(vec![HookId(1), HookId(2)])];
    let parts = (0..7_u8, 0..3_usize, hooks, -60..60_i64, 0..2_u32, any::<bool>());
    parts.prop_map(move |(kind, number, hooks, minute, attempts, delivered)| {
        let time = now() + TimeDelta::minutes(minute);
        let deadline = time + TimeDelta::minutes(20);
        let publication = publications.get(number);
        let id = publication.map(|p| p.id.clone());
        match (kind, publication) {
            (0, Some(publication)) => {
                let target = |hook: &HookId| Target {
                    hook: *hook,
                    url: "http://h/".into(),
                    held: delivered,
                };
                let targets = hooks.iter().map(target).collect();
                record::publication_line(publication, targets, Some(deadline))
            }
            (1, _) => record::line("interrupted", &Claim { time, ..Claim::new(id, hooks) }),
            (2, _) => {
                let deadline = Some(deadline);
                record::line("redelivery", &Claim { time, deadline, ..Claim::new(id, hooks) })
            }
            _ => {
                let id = publication.map_or("msg_unknown", |p| p.id.as_str());
                let outcome = Outcome {
                    time,
                    delivered,
                    status: String::new(),
                    code: None,
                    reason: String::new(),
                    response: None,
                    attempts,
                    duration: Duration::from_secs(60),
                    not_before: None,
                };
                record::outcome_line(id, hooks[0], &outcome)
            }
        }
    })
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// All that decides what becomes of the deliveries, in a journal as it is now.
fn decisive(journal: &[u8]) -> Vec<String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(journal).unwrap();
    let lines = ReverseLines::new(file, journal.len() as u64);
    let mut reader = Reader::new(Some(lines), now());
    let mut found = Vec::new();
    while let Some(recorded) = reader.next().unwrap() {
        for delivery in &recorded.deliveries {
            found.push(format!(
                "{} {:?} due {} last {} delivered {:?} tries {:?} outcome {:?}",
                recorded.id,
                delivery.state(now()),
                delivery.due(now()),
                delivery.last_try,
                delivery.delivered_at,
                delivery.tries.last().map(|line| line.number),
                delivery.outcome(),
            ));
        }
    }
    found
}

proptest! {
    #[test]
    fn a_compaction_changes_nothing_that_decides(
        lines in {
            let deployment = || Deployment::recorded("{}".to_owned());
            let publications = [0, 1].map(|_| Publication::new("E", deployment(), now()));
            vec(any_line(publications), 0..20)
        },
    ) {
        let journal = lines.concat();
        let (once, damaged) = compacted(journal.as_bytes(), now());
        prop_assert_eq!(damaged, 0);
        prop_assert_eq!(decisive(&once), decisive(journal.as_bytes()));
        let (twice, _) = compacted(&once, now());
        prop_assert_eq!(String::from_utf8(twice).unwrap(), String::from_utf8(once).unwrap());
    }
}
