use super::*;
use crate::domain::deployment::Deployment;

fn deployment(json: &str) -> Value {
    Deployment::recorded(json.to_owned()).values().unwrap().clone().into()
}

#[test]
fn a_span_is_short() {
    for (ms, text) in [
        (-5, ""),
        (0, ""),
        (412, "412 ms"),
        (1_046, "1.0 s"),
        (9_999, "9.9 s"),
        (59_999, "59 s"),
        (72_000, "1 m 12 s"),
        (7_500_000, "2 h 5 m"),
        (97_200_000, "1 d 3 h"),
    ] {
        assert_eq!(span(TimeDelta::milliseconds(ms)), text);
    }
}

#[test]
fn times_of_any_zone_and_precision_are_understood() {
    let kudu = duration("2013-06-06T01:24:16.5873293Z", "2013-06-06T01:24:17.63342Z");
    assert_eq!(kudu, "1.0 s");
    assert_eq!(duration("2013-06-06T01:00:00+01:00", "2013-06-06T00:01:12Z"), "1 m 12 s");
    assert_eq!(duration("yesterday", "2013-06-06T00:01:12Z"), "");
}

#[test]
fn only_a_hash_is_cut() {
    assert_eq!(short_commit("cd5bee7181e74ea38a3522e73253f6ebb8ed72fb"), "cd5bee7");
    assert_eq!(short_commit("release-2026-02-03"), "release-2026-02-03");
    assert_eq!(short_commit(&"é".repeat(20)), "é".repeat(20));
}

#[test]
fn a_headline_is_the_first_line_with_text() {
    assert_eq!(headline("\n \r\n My fix \r\n\nmore"), "My fix");
    assert_eq!(headline(" "), "");
}

#[test]
fn a_summary_says_what_is_known() {
    let failed = r#"{"id":"cd5bee7181e74ea38a3522e73253f6ebb8ed72fb","status":"Failed","author":"A",
        "deployer":" ","start_time":"2013-06-06T00:00:00Z","end_time":"2013-06-06T00:01:12Z"}"#;
    for (json, event, expected) in [
        (failed, "postdeployment", "❌ Deployment FAILED: cd5bee7 by A in 1 m 12 s"),
        ("{}", "PostDeployment", "🔔 PostDeployment"),
        (r#"{"status":4}"#, "PostDeployment", "🔔 PostDeployment"),
        (r#"{"status":"success"}"#, "Backup", "✅ Backup succeeded"),
        (r#"{"status":"rolled back"}"#, "PostDeployment", "🔔 Deployment rolled back"),
    ] {
        let environment = Environment::new();
        let state = environment.empty_state();
        let summary = summary(&state, &deployment(json), &event.into()).unwrap();
        assert_eq!(summary, expected);
    }
}

#[test]
fn facts_are_the_author_and_the_own_keys() {
    let json = r#"{"id":1,"author":"A","deployer":"D","status":4,"env":"prod","n":null,
        "list":[1,null],"":true,"blank":" "}"#;
    let environment = Environment::new();
    let facts = facts(&environment.empty_state(), &deployment(json)).unwrap();
    let facts = serde_json::to_value(facts).unwrap();
    let expected = serde_json::json!([
        {"name": "Author", "value": "A"},
        {"name": "status", "value": "4"},
        {"name": "?", "value": "true"},
        {"name": "env", "value": "prod"},
        {"name": "list", "value": "[1,null]"},
    ]);
    assert_eq!(facts, expected);
}
