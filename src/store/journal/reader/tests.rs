use std::io::Write as _;
use std::time::Duration;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::deployment::Deployment;
use crate::domain::publication::Publication;
use crate::store::journal::history::{RecordedDelivery, State};
use crate::store::journal::record::{self, Target};

const HOOK: HookId = HookId(1);

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
}

fn publication() -> Publication {
    let deployment = Deployment::recorded("{\"a\": 1e400}\n".to_owned());
    Publication::new("PostDeployment", deployment, at(0))
}

fn begun(publication: &Publication) -> String {
    let target = Target { hook: HOOK, url: "http://h/".into(), held: false };
    record::publication_line(publication, vec![target], Some(at(1)))
}

fn outcome(minutes: i64, delivered: bool) -> Outcome {
    Outcome {
        time: at(minutes),
        delivered,
        status: "OK".to_owned(),
        code: Some(200),
        reason: String::new(),
        attempts: 1,
        duration: Duration::ZERO,
        response: None,
        not_before: None,
    }
}

fn ended(publication: &Publication, minutes: i64, delivered: bool) -> String {
    record::outcome_line(&publication.id, HOOK, &outcome(minutes, delivered))
}

/// A process sends again what this names, for a minute.
fn claimed(publication: Option<&Publication>, minutes: i64) -> String {
    let claim = Claim::new(publication.map(|p| p.id.clone()), vec![HOOK]);
    let deadline = Some(at(minutes + 1));
    record::line("redelivery", &Claim { time: at(minutes), deadline, ..claim })
}

fn released(publication: Option<&Publication>, minutes: i64) -> String {
    let claim = Claim::new(publication.map(|p| p.id.clone()), vec![HOOK]);
    record::line("interrupted", &Claim { time: at(minutes), ..claim })
}

/// The publications that come out, and how many lines were damaged.
fn read(lines: &[u8], now: DateTime<Utc>) -> (Vec<Recorded>, usize) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(lines).unwrap();
    let mut reader = Reader::new(Some(ReverseLines::new(file, lines.len() as u64)), now);
    let mut found = Vec::new();
    while let Some(recorded) = reader.next().unwrap() {
        found.push(recorded);
    }
    (found, reader.damaged.len())
}

/// The only delivery, as it is known at this minute.
fn delivery(lines: &str, minutes: i64) -> RecordedDelivery {
    let (mut found, damaged) = read(lines.as_bytes(), at(minutes));
    assert_eq!((found.len(), damaged), (1, 0));
    found.remove(0).deliveries.remove(0)
}

#[test]
fn a_line_that_stands_twice_is_one_publication() {
    let publication = publication();
    let lines = begun(&publication).repeat(2) + &ended(&publication, 1, true);
    let delivery = delivery(&lines, 1);
    assert_eq!(delivery.delivered_at, Some(at(1)));
}

#[test]
fn the_newest_publication_comes_first_with_its_content_byte_for_byte() {
    let (old, new) = (publication(), publication());
    let lines = begun(&old) + &begun(&new) + &ended(&old, 1, true);
    let (found, _) = read(lines.as_bytes(), at(2));
    let ids: Vec<&str> = found.iter().map(|recorded| recorded.id.as_str()).collect();
    assert_eq!(ids, [new.id.as_str(), old.id.as_str()]);
    assert_eq!(found[0].deployment().as_str(), new.deployment.as_str());
    assert_eq!(found[1].age, TimeDelta::minutes(2));
}

#[test]
fn a_delivery_is_pending_until_its_deadline_and_unfinished_after_it() {
    let lines = begun(&publication());
    assert_eq!(delivery(&lines, 0).state(at(0)), State::Pending);
    assert_eq!(delivery(&lines, 1).state(at(1)), State::Unfinished);
}

#[test]
fn an_interrupted_delivery_is_unfinished_before_its_deadline() {
    let publication = publication();
    let lines = begun(&publication) + &released(Some(&publication), 0);
    let delivery = delivery(&lines, 0);
    assert_eq!(delivery.state(at(0)), State::Unfinished);
    assert!(delivery.due(at(0)) <= at(0));
}

#[test]
fn a_turn_that_did_not_come_is_no_try() {
    let publication = publication();
    let failed = begun(&publication) + &ended(&publication, 1, false);
    let unattempted = ended(&publication, 9, false).replace("\"attempts\":1", "\"attempts\":0");
    let after = failed.clone() + &claimed(Some(&publication), 8) + &unattempted + &unattempted;
    let due = |lines: &str| delivery(lines, 9).due(at(9));
    assert_eq!(due(&after), due(&failed));
}

#[test]
fn each_failure_moves_the_schedule_on() {
    let publication = publication();
    let mut lines = begun(&publication) + &ended(&publication, 0, false);
    for (minutes, wait) in [(1, 0), (10, 5), (50, 30), (200, 120)] {
        let delivery = delivery(&lines, minutes);
        let due = delivery.due(at(minutes));
        assert_eq!(due - delivery.last_try, TimeDelta::minutes(wait));
        lines += &(claimed(Some(&publication), minutes) + &ended(&publication, minutes, false));
    }
}

#[test]
fn what_was_delivered_once_is_not_undelivered_again() {
    let publication = publication();
    let lines = begun(&publication) + &ended(&publication, 1, true);
    let failed = lines + &claimed(Some(&publication), 2) + &ended(&publication, 3, false);
    let delivery = delivery(&failed, 9);
    assert_eq!(delivery.state(at(9)), State::Failed);
    assert!(!delivery.is_undelivered(at(9)));
}

#[test]
fn a_process_that_was_stopped_says_nothing_of_what_another_has_delivered_since() {
    let publication = publication();
    let late = Outcome { duration: Duration::from_secs(540), ..outcome(9, false) };
    let lines = begun(&publication)
        + &claimed(Some(&publication), 2)
        + &ended(&publication, 3, true)
        + &record::outcome_line(&publication.id, HOOK, &late);
    assert_eq!(delivery(&lines, 9).state(at(9)), State::Delivered);
}

#[test]
fn a_redelivery_in_progress_is_pending_for_everybody_else() {
    let publication = publication();
    let failed = begun(&publication) + &ended(&publication, 1, false);
    for claim in [claimed(Some(&publication), 2), claimed(None, 2)] {
        let lines = failed.clone() + &claim;
        assert_eq!(delivery(&lines, 2).state(at(2)), State::Pending);
        assert!(delivery(&lines, 3).is_undelivered(at(3)));
    }
}

#[test]
fn a_redelivery_to_a_hook_ends_when_it_is_given_back_or_has_an_outcome() {
    let publication = publication();
    let claimed = begun(&publication) + &ended(&publication, 1, false) + &claimed(None, 2);
    for end in [released(None, 2), ended(&publication, 2, false)] {
        let lines = claimed.clone() + &end;
        assert_eq!(delivery(&lines, 2).state(at(2)), State::Failed);
    }
    // What is published later is not part of it.
    let lines = claimed + &begun(&self::publication());
    let (found, _) = read(lines.as_bytes(), at(2));
    assert_eq!(found[0].deliveries[0].state(at(2)), State::Unfinished);
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_up() {
    let mut future = publication();
    future.time = at(3_000_000);
    let target = Target { hook: HOOK, url: "http://h/".into(), held: false };
    let begun = record::publication_line(&future, vec![target], Some(at(3_000_001)));
    assert_eq!(delivery(&begun, 0).state(at(0)), State::Unfinished);
    let failed = begun + &ended(&future, 3_000_000, false) + &ended(&future, 3_000_000, false);
    assert!(delivery(&failed, 0).due(at(0)) <= at(0));
}

#[test]
fn damaged_lines_swallow_nothing_else() {
    let publication = publication();
    let lines = format!("{{\"outc\n\n\u{0}garbage\n{}[1]\n", begun(&publication));
    let (found, damaged) = read(lines.as_bytes(), at(0));
    assert_eq!((found.len(), damaged), (1, 3));
}

proptest! {
    #[test]
    fn any_lines_are_read_or_counted_as_damaged(
        lines in vec(prop_oneof![
            any::<Vec<u8>>(),
            "\\{\"(publication|outcome|redelivery|interrupted)\":.{0,40}".prop_map(String::into_bytes),
        ], 0..20),
    ) {
        let publication = publication();
        let mut journal = lines.join(&b'\n');
        journal.push(b'\n');
        journal.extend(begun(&publication).bytes());
        let (found, damaged) = read(&journal, at(0));
        // Whatever stands before it, a whole line is found.
        prop_assert_eq!(&found[0].id, &publication.id);
        let filled = journal.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
        prop_assert!(damaged < filled);
        for delivery in found.iter().flat_map(|recorded| &recorded.deliveries) {
            let _ = (delivery.state(at(0)), delivery.due(at(0)));
        }
    }
}
