use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::domain::deployment::Deployment;

const TEXT: &str = r#"{"status":"failed","branch":"main","n":3,"big":12345678901234567890123,"nil":null,
    "build-id":7,"tags":["a","b"],"event":"mine","deep":{"a":{"b":[1]}}}"#;

fn of(condition: &str, text: &str) -> Result<bool, RenderError> {
    let deployment = Deployment::recorded(text.to_owned());
    holds(condition, &Publication::new("PostDeployment", deployment, DateTime::UNIX_EPOCH))
}

#[test]
fn a_condition_sees_the_keys_the_event_and_the_whole() {
    for condition in [
        r#"branch == "main" and status == "failed""#,
        "n > 2 and n < 4",
        r#"big == "12345678901234567890123""#,
        "event == 'PostDeployment'",
        r#"deployment["build-id"] == 7 and deployment.event == "mine""#,
        "'b' in tags",
        "deep.a.b[0] == 1",
        "branch is startingwith 'ma'",
        "branch|upper == 'MAIN'",
        "not gone",
        "branch",
    ] {
        assert_eq!(of(condition, TEXT), Ok(true), "{condition}");
    }
}

#[test]
fn what_is_missing_or_null_is_nothing_and_no_mistake() {
    for key in ["gone", "nil", "gone.x.y", "nil[0]", "deployment.gone", "branch.x"] {
        for (condition, expected) in [
            ("KEY", false),
            ("KEY == 'main'", false),
            ("KEY != 'main'", true),
            ("KEY is none", true),
            ("KEY is defined", false),
            ("KEY > 5", false),
            ("'a' in KEY", false),
            ("KEY|lower == 'a'", false),
            ("KEY|length > 0", false),
            ("KEY is startingwith 'a'", false),
            ("KEY|default('x') == 'x'", true),
        ] {
            let condition = condition.replace("KEY", key);
            assert_eq!(of(&condition, TEXT), Ok(expected), "{condition}");
        }
    }
}

#[test]
fn one_that_fails_says_how() {
    let why = |condition: &str| of(condition, TEXT).unwrap_err().to_string();
    assert_eq!(
        why("n + branch > 2"),
        "invalid operation: tried to use + operator on unsupported types number and string"
    );
    assert_eq!(why("branch = 'main'"), "syntax error: unexpected input after expression");
    assert_eq!(why("'x' * 1000000000 == branch"), "it takes too much work");
    assert_eq!(why(&format!("'{}'", "x".repeat(LONGEST))), "it has more than 4 KiB");
    let refused = of("branch", "[]").unwrap_err().to_string();
    assert!(refused.starts_with("the deployment is not one JSON object"), "{refused}");
}

#[test]
fn depth_and_size_are_no_danger() {
    let operators = vec!["1"; LONGEST / 2].join("+");
    assert_eq!(of(&operators, TEXT), Ok(true));
    for opening in ["(", "not ", "-", "[", "a.", "a[", "a|f(", "x if "] {
        let deep = opening.repeat(LONGEST / opening.len());
        let _ = of(&deep, TEXT);
        let _ = of(&format!("{}1", &deep[..deep.len() - opening.len()]), TEXT);
    }
    let large = format!(r#"{{"message":"{}"}}"#, "x".repeat(1_000_000));
    assert_eq!(of("'y' in message|lower", &large), Ok(false));
    let copies = vec!["message"; 400].join("~");
    assert_eq!(of(&copies, &large).unwrap_err().to_string(), "it takes too much work");
}

#[test]
fn a_mistake_is_refused_and_want_of_keys_is_not() {
    for good in ["duration + 1 > 2", "'x' in n", "true", "gone"] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        " ",
        "a b",
        "{{ a }}",
        "a = 1",
        "a|nosuch",
        "a is nosuch",
        "nosuch(1)",
        "status and a|nosuch",
    ] {
        assert!(check(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_true_false_or_a_mistake(
        condition in prop_oneof![any::<String>(), r#"[a-c0-9 .|()\[\]'"=<>!~+*/-]{0,40}"#],
    ) {
        let _ = of(&condition, TEXT);
    }
}
