use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
}

fn publication() -> Publication {
    let time = at(0);
    Publication {
        time,
        ..Publication::new("PostDeployment", "{\"a\": 1e400}\n")
    }
}

fn begun(publication: &Publication) -> String {
    Record::publication(publication, &[(1, "http://h/")], at(1)).line()
}

#[test]
fn a_line_that_stands_twice_is_one_publication() {
    let publication = publication();
    let lines = begun(&publication).repeat(2) + &ended(&publication, 1, true);
    let history = History::parse(lines.as_bytes());
    assert_eq!(history.publications.len(), 1);
    assert_eq!(history.publications[0].lines, [1, 2, 3]);
    assert!(history.publications[0].deliveries[0].ever_delivered);
}

#[test]
fn a_turn_that_did_not_come_is_no_try() {
    let publication = publication();
    let failed = begun(&publication) + &ended(&publication, 1, false);
    let unattempted = ended(&publication, 9, false).replace("\"attempts\":1", "\"attempts\":0");
    let after = failed.clone() + &again(&publication, 8) + &unattempted + &unattempted;
    assert_eq!(delivery(&after).due(), delivery(&failed).due());
}

fn ended(publication: &Publication, minutes: i64, delivered: bool) -> String {
    let outcome = Outcome {
        time: at(minutes),
        delivered,
        status: "OK".to_owned(),
        code: Some(200),
        reason: String::new(),
        attempts: 1,
        duration: std::time::Duration::ZERO,
    };
    Record::outcome(&publication.id, 1, &outcome).line()
}

#[test]
fn an_interrupted_delivery_is_unfinished_before_its_deadline() {
    let publication = publication();
    let left = Record::interrupted(&publication.id, &[1], at(0)).line();
    let delivery = delivery(&(begun(&publication) + &left));
    assert_eq!(delivery.state(at(0)), State::Unfinished);
    assert!(delivery.due() <= at(0));
}

fn again(publication: &Publication, minutes: i64) -> String {
    let record = super::super::record::RedeliveryRecord::new(
        &publication.id,
        &[1],
        at(minutes),
        at(minutes + 1),
    );
    Record::Redelivery(record).line()
}

fn delivery(lines: &str) -> Delivery {
    let mut history = History::parse(lines.as_bytes());
    assert_eq!(history.damaged, [0; 0]);
    history.publications.remove(0).deliveries.remove(0)
}

#[test]
fn the_content_comes_back_byte_for_byte() {
    let publication = publication();
    let history = History::parse(begun(&publication).as_bytes());
    assert_eq!(history.publications[0].publication, publication);
}

#[test]
fn a_delivery_is_pending_until_its_deadline_and_unfinished_after_it() {
    let delivery = delivery(&begun(&publication()));
    assert_eq!(delivery.state(at(0)), State::Pending);
    assert_eq!(delivery.state(at(1)), State::Unfinished);
}

#[test]
fn the_schedule_counts_from_the_last_try() {
    let publication = publication();
    let mut lines = begun(&publication) + &ended(&publication, 0, false);
    for (minutes, wait) in [
        (1, 0),
        (10, 5),
        (50, 30),
        (200, 120),
        (600, 300),
        (1300, 600),
    ] {
        let delivery = delivery(&lines);
        assert_eq!(delivery.due() - delivery.last_try, TimeDelta::minutes(wait));
        assert!(delivery.is_undelivered(at(minutes)));
        lines += &(again(&publication, minutes) + &ended(&publication, minutes, false));
    }
}

#[test]
fn what_was_delivered_once_is_not_undelivered_again() {
    let publication = publication();
    let lines = begun(&publication) + &ended(&publication, 1, true) + &again(&publication, 2);
    let failed = lines + &ended(&publication, 3, false);
    let delivery = delivery(&failed);
    assert_eq!(delivery.state(at(9)), State::Failed);
    assert!(!delivery.is_undelivered(at(9)));
}

#[test]
fn a_redelivery_in_progress_is_pending_for_everybody_else() {
    let publication = publication();
    let lines = begun(&publication) + &ended(&publication, 1, false) + &again(&publication, 2);
    assert_eq!(delivery(&lines).state(at(2)), State::Pending);
    assert!(delivery(&lines).is_undelivered(at(3)));
}

#[test]
fn damaged_lines_swallow_nothing_else() {
    let publication = publication();
    let lines = format!("{{\"outc\n\n\u{0}garbage\n{}[1]\n", begun(&publication));
    let history = History::parse(lines.as_bytes());
    assert_eq!(history.damaged, [1, 3, 5]);
    assert_eq!(history.publications.len(), 1);
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
        let history = History::parse(&journal);
        // Whatever stands before it, a whole line is found.
        let found = history.find(&publication.id).map(|recorded| &recorded.publication);
        prop_assert_eq!(found, Some(&publication));
        let filled = journal.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
        prop_assert!(history.damaged.len() < filled);
        for delivery in history.publications.iter().flat_map(|recorded| &recorded.deliveries) {
            let _ = (delivery.state(at(0)), delivery.due());
        }
    }
}
