//! A deployment: the JSON object that is published (docs/design.md §2).
//!
//! The bytes that are sent are the bytes that came in; only a flag that sets a key changes them.

mod entries;
mod value;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use minijinja::Value;

use crate::domain::json::{self, JsonError};
use entries::Entry;

/// The largest deployment, in bytes.
pub(crate) const LIMIT: usize = 1024 * 1024;

/// A deployment's keys as a template sees them.
pub(crate) type Values = BTreeMap<String, Value>;

/// One JSON object of at most 1 MiB, as text. Its keys are read once, when they are first asked for.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    text: String,
    entries: OnceLock<Vec<Entry>>,
    values: OnceLock<Result<Values, JsonError>>,
}

impl Deployment {
    /// The empty object, to be filled by flags.
    pub(crate) fn empty() -> Self {
        Self::recorded("{}".to_owned())
    }

    /// A deployment as the journal has it. It was checked when it was published; if the journal was
    /// changed by hand, it has no keys.
    pub(crate) fn recorded(text: String) -> Self {
        Self { text, entries: OnceLock::new(), values: OnceLock::new() }
    }

    /// Checks that the bytes are one JSON object of at most [`LIMIT`], and keeps them as they are.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, JsonError> {
        if bytes.len() > LIMIT {
            let what = "more than 1 MiB, the most that is published";
            return Err(JsonError::at(&bytes, LIMIT, what));
        }
        Self::object(bytes)
    }

    /// As [`Self::parse`], of any length: what holds a deployment is read in the same way.
    pub(super) fn object(bytes: Vec<u8>) -> Result<Self, JsonError> {
        if let Some(error) = json::unreadable(&bytes) {
            return Err(error);
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            JsonError::at(error.as_bytes(), offset, "not valid UTF-8")
        })?;
        let entries = entries::of(&text).map_err(|error| {
            entries::other_type(&text).unwrap_or_else(|| json::explain(text.as_bytes(), &error))
        })?;
        let deployment = Self::recorded(text);
        // The cell is new, so it takes what was just read.
        let _ = deployment.entries.set(entries);
        Ok(deployment)
    }

    /// The JSON text, as it came in.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is no larger than what is published. Flags may have made it so.
    pub(crate) fn fits(&self) -> bool {
        self.text.len() <= LIMIT
    }

    /// Sets keys, each to a JSON text. The other keys keep their spelling.
    #[must_use]
    pub(crate) fn with(self, keys: &[(String, String)]) -> Self {
        if keys.is_empty() {
            return self;
        }
        Self::recorded(entries::with(&self.text, self.entries(), keys))
    }

    /// Sets those keys that the object does not have.
    #[must_use]
    pub(crate) fn filled(self, keys: &[(String, String)]) -> Self {
        let missing: Vec<_> =
            keys.iter().filter(|(key, _)| self.last_value(key).is_none()).cloned().collect();
        self.with(&missing)
    }

    /// The `status`: of duplicate keys the last counts, and one that is not a string is no status.
    pub(crate) fn status(&self) -> Option<String> {
        self.text_of("status")
    }

    /// A key's value, if that is a string.
    pub(crate) fn text_of(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.last_value(key)?).ok()
    }

    /// The keys as a template sees them; of duplicates the last counts. The error says where the text
    /// stops being one JSON object, which only a journal that was changed by hand can hold.
    pub(crate) fn values(&self) -> Result<&Values, &JsonError> {
        let read =
            || value::object(&self.text).map_err(|e| json::explain(self.text.as_bytes(), &e));
        self.values.get_or_init(read).as_ref()
    }

    /// The whole as a template sees it; for the error see [`Self::values`].
    pub(crate) fn value(&self) -> Result<Value, &JsonError> {
        self.values().map(|values| value::whole(values.clone()))
    }

    /// The last value of this key, as it is spelled.
    pub(super) fn last_value(&self, key: &str) -> Option<&str> {
        let entry = self.entries().iter().rev().find(|entry| entry.key == key)?;
        Some(&self.text[entry.value.clone()])
    }

    fn entries(&self) -> &[Entry] {
        self.entries.get_or_init(|| entries::of(&self.text).unwrap_or_default())
    }
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
        let status = |text| parse(text).status();
        assert_eq!(status(r#"{"status":"a","status":"b"}"#).as_deref(), Some("b"));
        assert_eq!(status(r#"{"status":"a","st\u0061tus":1}"#), None);
        assert_eq!(status("{}"), None);
    }

    #[test]
    fn setting_keys_keeps_the_others_spelling() {
        let set = |text: &str| {
            let keys = [("a".to_owned(), "\"x\"".to_owned()), ("z".to_owned(), "1.0".to_owned())];
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
        assert_eq!(refusal(b" [1]"), "line 1 column 2: an array, where one JSON object is wanted");
        assert_eq!(refusal(b"\"x\""), "line 1 column 1: a string, where one JSON object is wanted");
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
        assert_eq!(parse(&deep).status(), None);
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
            let before = parse(&text);
            let after = parse(before.clone().with(&set).as_str());
            prop_assert_eq!(after.last_value("a"), Some("true"));
            for (key, _) in members.iter().filter(|(key, _)| key != "a") {
                prop_assert_eq!(after.last_value(key), before.last_value(key));
            }
        }
    }
}
