//! From the command line and standard input to the bytes to publish (docs/design.md §2).
//!
//! The bytes that are sent are the bytes that came in; only a flag that sets a key changes them.

mod object;

use crate::domain::json::{self, Complaint};

/// The largest deployment, in bytes.
pub(crate) const LIMIT: usize = 1024 * 1024;

/// One JSON object of at most 1 MiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deployment(String);

impl Deployment {
    /// The empty object, to be filled by flags.
    pub(crate) fn empty() -> Self {
        Self("{}".to_owned())
    }

    /// Checks that the bytes are one JSON object, and keeps them as they are.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Complaint> {
        if bytes.len() > LIMIT {
            return Err(Complaint::at(
                &bytes,
                LIMIT,
                "more than 1 MiB, the most that is published",
            ));
        }
        if let Some(complaint) = json::unreadable(&bytes) {
            return Err(complaint);
        }
        if let Err(error) = object::entries(&bytes) {
            return Err(object::other_type(&bytes).unwrap_or(json::complaint(&bytes, &error)));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            Complaint::at(error.as_bytes(), offset, "not valid UTF-8")
        })?;
        Ok(Self(text))
    }

    /// The JSON text, as it came in.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is no larger than what is published. Flags may have made it so.
    pub(crate) fn fits(&self) -> bool {
        self.0.len() <= LIMIT
    }

    /// Sets keys, each to a JSON text. The other keys keep their spelling.
    #[must_use]
    pub(crate) fn with(self, keys: &[(String, String)]) -> Self {
        if keys.is_empty() {
            self
        } else {
            Self(object::with(&self.0, keys))
        }
    }

    /// Sets those keys that the object does not have.
    #[must_use]
    pub(crate) fn filled(self, keys: &[(String, String)]) -> Self {
        let missing: Vec<_> = keys
            .iter()
            .filter(|(key, _)| !object::has(&self.0, key))
            .cloned()
            .collect();
        self.with(&missing)
    }
}

/// The `status` of a deployment's text: of duplicate keys the last counts, and one that is not a
/// string is no status.
pub(crate) fn status(content: &str) -> Option<String> {
    text(content, "status")
}

/// A key's value in a deployment's text, if that is a string.
pub(crate) fn text(content: &str, key: &str) -> Option<String> {
    serde_json::from_str(object::last_value(content, key)?).ok()
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Deployment {
        Deployment::parse(text.as_bytes().to_vec()).unwrap()
    }

    fn refusal(bytes: &[u8]) -> String {
        Deployment::parse(bytes.to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn the_text_is_kept_byte_for_byte() {
        let odd = " {\"b\":1e400,\"a\" :12345678901234567890123,\"b\":\"\\ud800\"}\n";
        assert_eq!(parse(odd).as_str(), odd);
        assert_eq!(parse(odd).with(&[]).as_str(), odd);
    }

    #[test]
    fn the_last_status_counts_and_only_as_a_string() {
        assert_eq!(
            status(parse(r#"{"status":"a","status":"b"}"#).as_str()).as_deref(),
            Some("b")
        );
        assert_eq!(
            status(parse(r#"{"status":"a","st\u0061tus":1}"#).as_str()),
            None
        );
        assert_eq!(status(parse("{}").as_str()), None);
    }

    #[test]
    fn setting_keys_keeps_the_others_spelling() {
        let set = |text: &str| {
            let keys = [
                ("a".to_owned(), "\"x\"".to_owned()),
                ("z".to_owned(), "1.0".to_owned()),
            ];
            parse(text).with(&keys).as_str().to_owned()
        };
        assert_eq!(set("{}"), r#"{"a":"x","z":1.0}"#);
        assert_eq!(
            set(r#"{ "\u0062" : 1.50, "a":1, "c":[ 1 ], "a":2 }"#),
            r#"{"\u0062":1.50,"a":"x","c":[ 1 ],"z":1.0}"#
        );
    }

    #[test]
    fn filling_leaves_what_is_there() {
        let filled =
            parse(r#"{"a":1}"#).filled(&[("a".into(), "2".into()), ("b".into(), "3".into())]);
        assert_eq!(filled.as_str(), r#"{"a":1,"b":3}"#);
    }

    #[test]
    fn anything_but_one_object_is_refused_with_its_place() {
        assert_eq!(refusal(b""), "line 1 column 1: it is empty");
        assert_eq!(
            refusal(b" [1]"),
            "line 1 column 2: an array, where one JSON object is wanted"
        );
        assert_eq!(
            refusal(b"\"x\""),
            "line 1 column 1: a string, where one JSON object is wanted"
        );
        assert!(refusal(b"{\"a\":1}\n{\"a\":2}").starts_with("line 2 column 1: trailing"));
        assert!(refusal(b"{\"a\":}").starts_with("line 1 column 6: expected value"));
        assert!(refusal(b"{'a':1}").starts_with("line 1 column 2: "));
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(LIMIT));
        assert!(refusal(large.as_bytes()).contains("more than 1 MiB"));
        let fits = format!("{{\"a\":\"{}\"}}", "x".repeat(LIMIT - 8));
        assert_eq!(parse(&fits).as_str().len(), LIMIT);
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
        assert_eq!(status(parse(&deep).as_str()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_deployment_as_they_are_or_an_error(bytes in any::<Vec<u8>>()) {
            if let Ok(deployment) = Deployment::parse(bytes.clone()) {
                prop_assert_eq!(deployment.as_str().as_bytes(), bytes);
            }
        }

        #[test]
        fn a_key_that_is_set_leaves_the_others_as_they_are(
            members in vec(("[a-d]{1,2}", "(-?[1-9][0-9]{0,30}(\\.[0-9]+)?|\"[^\"\\\\\\x00-\\x1f]*\")"), 0..8),
            space in "[ \t\n]{0,2}",
        ) {
            let spelled = |(key, value): &(String, String)| format!("{space}\"{key}\"{space}:{space}{value}");
            let text = format!("{{{}}}", members.iter().map(spelled).collect::<Vec<_>>().join(","));
            let set = [("a".to_owned(), "true".to_owned())];
            let after = parse(&text).with(&set).as_str().to_owned();
            prop_assert_eq!(object::last_value(&after, "a"), Some("true"));
            for (key, _) in members.iter().filter(|(key, _)| key != "a") {
                prop_assert_eq!(object::last_value(&after, key), object::last_value(&text, key));
            }
        }
    }
}
