use std::io::Write as _;
use std::time::Duration;

use super::*;
use crate::domain::deployment::Deployment;
use crate::domain::hook::HookId;
use crate::domain::outcome::Outcome;
use crate::domain::publication::Publication;
use crate::store::journal::record::Target;

fn line(content: &str, age: TimeDelta, delivered: Option<bool>) -> String {
    let time = Utc::now() - age;
    let publication = Publication::new("E", Deployment::recorded(content.to_owned()), time);
    let hook = HookId(1);
    let target = Target {
        hook,
        url: "http://h/".into(),
    };
    let begun = record::publication_line(&publication, vec![target], time);
    let outcome = |delivered| Outcome {
        time,
        delivered,
        status: String::new(),
        code: None,
        reason: String::new(),
        attempts: 1,
        duration: Duration::ZERO,
    };
    let ended = delivered.map(|d| record::outcome_line(&publication.id, hook, &outcome(d)));
    begun + &ended.unwrap_or_default()
}

/// What is kept of a journal, without the head.
fn kept(journal: &str) -> String {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(journal.as_bytes()).unwrap();
    let text = String::from_utf8(kept_text(&mut file, Utc::now()).unwrap()).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    assert!(head.starts_with("{\"compacted\":"), "{head}");
    rest.to_owned()
}

#[test]
fn undelivered_events_stay_whatever_their_size_and_the_newest_others_fill_up() {
    let day = TimeDelta::days(1);
    let mega = "x".repeat(1024 * 1024);
    let mut journal = String::new();
    for _ in 0..10 {
        journal += &line(&mega, day, Some(false));
    }
    journal += "garbage\n";
    journal += &line("old failed", day * 8, Some(false));
    journal += &line("killed", day, None);
    journal += &line("delivered", day, Some(true));
    let kept = kept(&journal);
    let lines_with = |text: &str| kept.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines_with("xxxx"), 10);
    assert_eq!(lines_with("garbage"), 1);
    assert_eq!(lines_with("killed"), 1);
    // The undelivered alone are over half the limit, so nothing else is kept.
    assert_eq!(lines_with("\"delivered\","), 0);
    assert_eq!(lines_with("old failed"), 0);
}

#[test]
fn of_the_delivered_the_newest_half_stays_in_order() {
    let mega = "x".repeat(1024 * 1024);
    let delivered = |n: i64| line(&format!("{n}-{mega}"), TimeDelta::days(9 - n), Some(true));
    let lines: Vec<String> = (0..9).map(delivered).collect();
    assert_eq!(kept(&lines.concat()), lines[6..].concat());
}
