//! From JSON text to the template engine's values, without losing numbers, half surrogates or depth.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use crate::domain::json::Entries;

/// Values nested deeper come as their own JSON text: every level is read once more for each level above it,
/// and what walks the values later does so by recursion.
const MAX_DEPTH: usize = 64;

/// The value of a JSON text, which was read before: so nothing in it can be wrong.
pub(super) fn of(json: &str) -> Value {
    nested(json, 1)
}

fn nested(json: &str, depth: usize) -> Value {
    let inner = |raw: &RawValue| nested(raw.get(), depth + 1);
    match json.as_bytes().first() {
        Some(b'{' | b'[') if depth >= MAX_DEPTH => json.into(),
        Some(b'{') => {
            let Entries(entries) = read(json);
            let keys = entries.into_iter().map(|(Text(key), raw)| (key, inner(raw)));
            whole(keys.collect::<BTreeMap<_, _>>())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = read(json);
            whole(items.into_iter().map(inner).collect::<Vec<_>>())
        }
        Some(b'"') => text(json).into(),
        Some(b't') => true.into(),
        Some(b'f') => false.into(),
        // Not none: that joins as the word, where a missing key joins as nothing.
        Some(b'n') => Value::UNDEFINED,
        _ => number(json),
    }
}

fn read<'a, T: Deserialize<'a> + Default>(json: &'a str) -> T {
    serde_json::from_str(json).unwrap_or_default()
}

/// A JSON object or array as one value.
pub(super) fn whole<T: Object + Serialize + 'static>(values: T) -> Value {
    Value::from_object(Json(Arc::new(values)))
}

/// The engine's own map or list, but as text it is its JSON.
#[derive(Debug)]
struct Json<T>(Arc<T>);

impl<T: Object + Serialize + 'static> Object for Json<T> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        self.0.repr()
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get_value(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.0.enumerate()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&*self.0).map_err(|_| fmt::Error)?)
    }
}

fn number(json: &str) -> Value {
    if let Ok(number) = json.parse::<i64>() {
        return number.into();
    }
    if let Ok(number) = json.parse::<u64>() {
        return number.into();
    }
    match json.parse::<f64>() {
        Ok(double) if holds(double, json) => double.into(),
        _ => json.into(),
    }
}

/// Whether a double is as good as the spelling. Of a fraction 17 digits are as many as a double has, and
/// programs that print them all mean the double.
fn holds(double: f64, json: &str) -> bool {
    let spelled = digits(json);
    let is_fraction = json.contains(['.', 'e', 'E']);
    let is_precise = is_fraction && spelled.len() <= 17 && double != 0.0;
    double.is_finite() && (is_precise || digits(&format!("{double:e}")) == spelled)
}

/// The digits of a number, without zeros at either end. A double that has the same is the same number: the
/// powers of ten cannot differ, as it is the nearest.
fn digits(number: &str) -> String {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

/// The text of a JSON string.
pub(super) fn text(json: &str) -> String {
    read::<Text>(json).0
}

/// A JSON string in which half a surrogate pair (`"\ud800"`, which JSON allows) becomes U+FFFD.
#[derive(Default)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(without_surrogates(bytes)))
            }
        }

        // As bytes, because as a string serde_json refuses the halves.
        deserializer.deserialize_bytes(Reader)
    }
}

/// `serde_json` writes a half as the three bytes that UTF-8 would have for it.
fn without_surrogates(bytes: &[u8]) -> String {
    if let Ok(text) = str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut bytes = bytes.to_vec();
    for start in 0..bytes.len().saturating_sub(2) {
        if bytes[start] == 0xED && bytes[start + 1] >= 0xA0 {
            bytes[start..start + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(json: &str) -> String {
        serde_json::to_string(&of(json)).unwrap()
    }

    fn key(value: &Value, key: &str) -> Value {
        value.get_attr(key).unwrap()
    }

    #[test]
    fn numbers_come_through() {
        for exact in [
            "0",
            "-1",
            "9007199254740993",
            "-9223372036854775808",
            "18446744073709551615",
            "1.5",
            "0.1",
        ] {
            assert_eq!(one(exact), exact);
        }
        for too_big in [
            "12345678901234567890123",
            "1e400",
            "-1e400",
            "1e-400",
            "1e99999999999999999999",
            "3.14159265358979323846",
            "12345678901234567890123.0",
        ] {
            assert_eq!(one(too_big), format!("\"{too_big}\""));
        }
        assert_eq!(one("1e3"), "1000.0");
        assert_eq!(one("100000000000000000000").parse(), Ok(1e20));
        assert_eq!(one("0.10000000000000001"), "0.1");
        assert_eq!(one("-0.0"), "-0.0");
        assert_eq!(one("0e99999999999999999999"), "0.0");
    }

    #[test]
    fn of_duplicates_the_last_counts() {
        let keys = of(r#"{"a":1,"b":{"c":1,"c":2},"a":"x"}"#);
        assert_eq!(key(&keys, "a").as_str(), Some("x"));
        assert_eq!(key(&key(&keys, "b"), "c"), Value::from(2));
    }

    #[test]
    fn as_text_an_object_is_its_json() {
        let json = r#"{"a":[1,{"b":"x\"y","c":[]}],"n":null,"t":true,"z":{}}"#;
        let keys = of(json);
        assert_eq!(keys.to_string(), json);
        let a = key(&keys, "a");
        assert_eq!(a.to_string(), r#"[1,{"b":"x\"y","c":[]}]"#);
        assert_eq!(a.get_item_by_index(1).unwrap().to_string(), r#"{"b":"x\"y","c":[]}"#);
        assert_eq!((a.len(), key(&keys, "z").len()), (Some(2), Some(0)));
        assert_eq!(of("[1,2]"), Value::from(vec![1, 2]));
    }

    #[test]
    fn half_surrogates_and_nul_come_through() {
        let keys = of(r#"{"\ud800k":"a\udc00\ud83d\ude00\u0000\ud800"}"#);
        let value = key(&keys, "\u{FFFD}k");
        assert_eq!(value.as_str(), Some("a\u{FFFD}\u{1F600}\0\u{FFFD}"));
    }

    #[test]
    fn depth_ends_in_text() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let text = one(&deep);
        let start = format!("{}\"[[[", "[".repeat(MAX_DEPTH - 1));
        assert!(text.starts_with(&start), "{}", &text[..80]);
    }
}
