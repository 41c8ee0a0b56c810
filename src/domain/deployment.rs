//! A deployment: the JSON object that is published (docs/design.md §2).
//!
//! The bytes that are sent are the bytes that came in; only a flag that sets a key changes them. So keys and values
//! are known by their places: `serde_json::Value` would lose big numbers, the keys' order and duplicates.

mod value;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use minijinja::Value;
use serde_json::value::RawValue;

use super::json::{self, Entries, JsonError, quoted};

/// The largest deployment, in bytes.
pub(crate) const LIMIT: usize = 1024 * 1024;

/// A deployment's keys as a template sees them.
pub(crate) type Values = BTreeMap<String, Value>;

/// One JSON object of at most 1 MiB, as text. Its keys are read once, when they are first asked for.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    text: String,
    entries: OnceLock<Result<Vec<Entry>, JsonError>>,
    values: OnceLock<Values>,
}

/// A key and its value, each with its place in the object's text.
#[derive(Debug, Clone)]
struct Entry {
    /// The key, its escapes resolved: `"st\u0061tus"` is status.
    key: String,
    /// Where the key stands, quotes included.
    spelled: Range<usize>,
    /// Where the value stands.
    value: Range<usize>,
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
        // What is not UTF-8 has just been refused.
        let deployment = Self::recorded(String::from_utf8(bytes).unwrap_or_default());
        deployment.check().map_err(Clone::clone)?;
        Ok(deployment)
    }

    /// Whether it is one JSON object: the error says where it stops being one. Of what was parsed before, only a
    /// journal that was changed by hand can hold another text.
    pub(crate) fn check(&self) -> Result<(), &JsonError> {
        self.entries().map(drop)
    }

    /// The JSON text, as it came in.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is no larger than what is published. Flags may have made it so.
    pub(crate) fn fits(&self) -> bool {
        self.text.len() <= LIMIT
    }

    /// Sets keys, each to a JSON text: it stands where the key stood first, or at the end. The other keys keep
    /// their spelling.
    #[must_use]
    pub(crate) fn with(self, keys: &[(String, String)]) -> Self {
        if keys.is_empty() {
            return self;
        }
        let set = |name: &String| {
            let (key, json) = keys.iter().rfind(|(key, _)| key == name)?;
            Some(format!("{}:{json}", quoted(key)))
        };
        let mut members = Vec::new();
        for entry in self.entries().unwrap_or_default() {
            let kept = [&entry.spelled, &entry.value].map(|place| &self.text[place.clone()]);
            match set(&entry.key) {
                None => members.push(kept.join(":")),
                Some(member) if members.contains(&member) => {}
                Some(member) => members.push(member),
            }
        }
        for member in keys.iter().filter_map(|(key, _)| set(key)) {
            if !members.contains(&member) {
                members.push(member);
            }
        }
        Self::recorded(format!("{{{}}}", members.join(",")))
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

    /// The keys as a template sees them; of duplicates the last counts. For the error see [`Self::check`].
    pub(crate) fn values(&self) -> Result<&Values, &JsonError> {
        let entries = self.entries()?.iter();
        let read = |entry: &Entry| (entry.key.clone(), value::of(&self.text[entry.value.clone()]));
        Ok(self.values.get_or_init(|| entries.map(read).collect()))
    }

    /// The whole as a template sees it; for the error see [`Self::check`].
    pub(crate) fn value(&self) -> Result<Value, &JsonError> {
        self.values().map(|values| value::whole(values.clone()))
    }

    /// The last value of this key, as it is spelled.
    pub(super) fn last_value(&self, key: &str) -> Option<&str> {
        let entry = self.entries().ok()?.iter().rfind(|entry| entry.key == key)?;
        Some(&self.text[entry.value.clone()])
    }

    fn entries(&self) -> Result<&[Entry], &JsonError> {
        self.entries.get_or_init(|| entries(&self.text)).as_deref()
    }
}

fn entries(text: &str) -> Result<Vec<Entry>, JsonError> {
    let Entries(entries) =
        serde_json::from_str::<Entries<&RawValue, &RawValue>>(text).map_err(|error| {
            other_type(text).unwrap_or_else(|| json::explain(text.as_bytes(), &error))
        })?;
    let place = |raw: &RawValue| {
        // `raw` is a part of `text`.
        let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
        start..start + raw.get().len()
    };
    let entry = |(key, value): (&RawValue, &RawValue)| Entry {
        key: value::text(key.get()),
        spelled: place(key),
        value: place(value),
    };
    Ok(entries.into_iter().map(entry).collect())
}

/// Which other JSON type the text holds.
fn other_type(text: &str) -> Option<JsonError> {
    serde_json::from_str::<&RawValue>(text).ok()?;
    let start = text.find(|c: char| !c.is_ascii_whitespace())?;
    let found = match text.as_bytes()[start] {
        b'[' => "an array",
        b'"' => "a string",
        b't' | b'f' => "a truth value",
        b'n' => "null",
        _ => "a number",
    };
    Some(JsonError::at(text.as_bytes(), start, format!("{found}, where one JSON object is wanted")))
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
    fn of_a_key_that_is_set_twice_the_last_counts() {
        let keys = [("a", "1"), ("b", "2"), ("a", "3")];
        let keys = keys.map(|(key, json)| (key.to_owned(), json.to_owned()));
        assert_eq!(Deployment::empty().with(&keys).as_str(), r#"{"a":3,"b":2}"#);
        let kept = parse(r#"{"c":1,"b":0,"c":1}"#).with(&keys);
        assert_eq!(kept.as_str(), r#"{"c":1,"b":2,"c":1,"a":3}"#);
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
    fn what_is_recorded_and_no_object_is_refused_with_its_place() {
        for (json, line, column) in
            [("[]", 1, 1), ("", 1, 1), ("{\"a\":\n?}", 2, 1), ("{} x", 1, 4)]
        {
            let recorded = Deployment::recorded(json.to_owned());
            let refused = recorded.values().unwrap_err();
            assert_eq!((refused.line, refused.column), (line, column), "{json}");
        }
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
