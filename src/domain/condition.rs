//! A hook's condition: one expression that is true of a deployment or not (docs/design.md §11).

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::deployment::Deployment;
use super::stack;
use super::text::start_of;

/// The longest condition, in bytes.
const LONGEST: usize = 4 * 1024;

/// Work allowed: an instruction, or 64 bytes of text, is one. An ordinary condition takes some tens, and one
/// that looks through a deployment of 1 MiB some tens of thousands. All of it takes a few milliseconds, and
/// at most 13 MB.
const FUEL: u64 = 200_000;

/// The most that is kept of the engine's words, in bytes.
const LONGEST_DETAIL: usize = 120;

/// Why a condition is neither true nor false, or is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConditionError {
    /// It is too long.
    #[error("it has more than 4 KiB")]
    TooLong,
    /// It takes more than [`FUEL`].
    #[error("it takes too much work")]
    TooMuchWork,
    /// A mistake in it, or one that this deployment brought out: what kind, and where or what.
    #[error("{0}: {1}")]
    Engine(ErrorKind, String),
    /// The deployment is not one JSON object, as a journal that was changed by hand may hold.
    #[error("the deployment is not one JSON object")]
    Content,
    /// The system gave no thread to work in.
    #[error("the system gives no thread to work it out")]
    NoThread,
}

/// Whether a condition is true of a deployment that is published for this event.
pub(crate) fn holds(
    condition: &str,
    event: &str,
    deployment: &Deployment,
) -> Result<bool, ConditionError> {
    if condition.len() > LONGEST {
        return Err(ConditionError::TooLong);
    }
    let keys = deployment.values().map_err(|_| ConditionError::Content)?;
    let mut names = keys.clone();
    let whole = deployment.value().map_err(|_| ConditionError::Content)?;
    names.insert("deployment".to_owned(), whole);
    names.insert("event".to_owned(), event.into());
    let evaluated = stack::deep_enough_for(condition, || {
        let environment = environment();
        let expression = environment.compile_expression(condition)?;
        Ok(expression.eval(names)?.is_true())
    });
    evaluated.unwrap_or(Err(ConditionError::NoThread))
}

/// Checks a condition before it is stored, on these deployments. One that works on keys of the user's own
/// can fail for want of them: that is no reason to refuse it.
pub(crate) fn check(condition: &str, samples: &[Deployment]) -> Result<(), ConditionError> {
    for sample in samples {
        match holds(condition, "PostDeployment", sample) {
            Err(ConditionError::Engine(ErrorKind::InvalidOperation, _)) | Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    // Null and missing are the same here.
    environment.add_test("none", |value: &Value| value.is_none() || value.is_undefined());
    environment
}

impl From<minijinja::Error> for ConditionError {
    fn from(error: minijinja::Error) -> Self {
        if error.kind() == ErrorKind::OutOfFuel {
            return Self::TooMuchWork;
        }
        let detail = start_of(error.detail().unwrap_or("it fails"), LONGEST_DETAIL);
        Self::Engine(error.kind(), detail.replace('\n', " "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"{"status":"failed","branch":"main","n":3,"big":12345678901234567890123,"nil":null,
        "build-id":7,"tags":["a","b"],"event":"mine","deep":{"a":{"b":[1]}}}"#;

    fn of(condition: &str, text: &str) -> Result<bool, ConditionError> {
        holds(condition, "PostDeployment", &Deployment::recorded(text.to_owned()))
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
        assert_eq!(of("branch", "[]"), Err(ConditionError::Content));
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
        assert_eq!(of(&copies, &large), Err(ConditionError::TooMuchWork));
    }

    #[test]
    fn a_mistake_is_refused_and_want_of_keys_is_not() {
        let samples = ["{}", TEXT].map(|text| Deployment::recorded(text.to_owned()));
        for good in ["duration + 1 > 2", "'x' in n", "true", "gone"] {
            assert_eq!(check(good, &samples), Ok(()), "{good}");
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
            assert!(check(bad, &samples).is_err(), "{bad}");
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
}
