//! From JSON text to the template engine's values, without losing numbers, half surrogates or depth.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Values nested deeper come as their own JSON text: every level is read once more for each level above it,
/// and what walks the values later does so by recursion.
const MAX_DEPTH: usize = 64;

/// The keys of a JSON object; of duplicates the last counts.
pub(super) fn object(json: &str) -> serde_json::Result<BTreeMap<String, Value>> {
    map(json, 1)
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

fn map(json: &str, depth: usize) -> serde_json::Result<BTreeMap<String, Value>> {
    let Entries(entries) = serde_json::from_str(json)?;
    entries.into_iter().map(|(key, raw)| Ok((key, value(raw.get(), depth)?))).collect()
}

fn list(json: &str, depth: usize) -> serde_json::Result<Vec<Value>> {
    let items: Vec<&RawValue> = serde_json::from_str(json)?;
    items.iter().map(|raw| value(raw.get(), depth)).collect()
}

fn value(json: &str, depth: usize) -> serde_json::Result<Value> {
    Ok(match json.as_bytes().first() {
        Some(b'{' | b'[') if depth >= MAX_DEPTH => json.into(),
        Some(b'{') => whole(map(json, depth + 1)?),
        Some(b'[') => whole(list(json, depth + 1)?),
        Some(b'"') => serde_json::from_str::<Text>(json)?.0.into(),
        Some(b't') => true.into(),
        Some(b'f') => false.into(),
        // Not none: that joins as the word, where a missing key joins as nothing.
        Some(b'n') => Value::UNDEFINED,
        _ => number(json),
    })
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
    let Some(spelled) = Decimal::parse(json) else {
        return false;
    };
    let is_fraction = json.contains(['.', 'e', 'E']);
    let is_precise = is_fraction && spelled.digits.len() <= 17 && double != 0.0;
    double.is_finite() && (is_precise || Decimal::parse(&format!("{double:e}")) == Some(spelled))
}

/// A number without its sign: the digits, without zeros at either end, and a power of ten.
#[derive(PartialEq)]
struct Decimal {
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn parse(number: &str) -> Option<Self> {
        let number = number.trim_start_matches('-');
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let all = all.trim_start_matches('0');
        let digits = all.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { digits: String::new(), exponent: 0 });
        }
        let zeros = i64::try_from(all.len() - digits.len()).ok()?;
        let places = i64::try_from(fraction.len()).ok()?;
        let exponent = exponent.parse::<i64>().ok()?;
        Some(Self {
            digits: digits.to_owned(),
            exponent: exponent.checked_add(zeros)?.checked_sub(places)?,
        })
    }
}

/// An object's entries, in order, with the values unread.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// A JSON string in which half a surrogate pair (`"\ud800"`, which JSON allows) becomes U+FFFD.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(without_surrogates(bytes).into_owned()))
            }
        }

        // As bytes, because as a string serde_json refuses the halves.
        deserializer.deserialize_bytes(Reader)
    }
}

/// `serde_json` writes a half as the three bytes that UTF-8 would have for it.
fn without_surrogates(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes) {
        return text.into();
    }
    let mut bytes = bytes.to_vec();
    for start in 0..bytes.len().saturating_sub(2) {
        if bytes[start] == 0xED && bytes[start + 1] >= 0xA0 {
            bytes[start..start + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(json: &str) -> String {
        let keys = object(&format!(r#"{{"k":{json}}}"#)).unwrap();
        serde_json::to_string(&keys["k"]).unwrap()
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
        let keys = object(r#"{"a":1,"b":{"c":1,"c":2},"a":"x"}"#).unwrap();
        assert_eq!(keys["a"].as_str(), Some("x"));
        assert_eq!(keys["b"].get_attr("c").unwrap(), Value::from(2));
    }

    #[test]
    fn as_text_an_object_is_its_json() {
        let json = r#"{"a":[1,{"b":"x\"y","c":[]}],"n":null,"t":true,"z":{}}"#;
        let keys = object(json).unwrap();
        assert_eq!(whole(keys.clone()).to_string(), json);
        assert_eq!(keys["a"].to_string(), r#"[1,{"b":"x\"y","c":[]}]"#);
        assert_eq!(keys["a"].get_item_by_index(1).unwrap().to_string(), r#"{"b":"x\"y","c":[]}"#);
        assert_eq!((keys["a"].len(), keys["z"].len()), (Some(2), Some(0)));
        assert_eq!(object("{\"l\":[1,2]}").unwrap()["l"], Value::from(vec![1, 2]));
    }

    #[test]
    fn half_surrogates_and_nul_come_through() {
        let keys = object(r#"{"\ud800k":"a\udc00\ud83d\ude00\u0000\ud800"}"#).unwrap();
        let value = keys["\u{FFFD}k"].as_str().unwrap();
        assert_eq!(value, "a\u{FFFD}\u{1F600}\0\u{FFFD}");
    }

    #[test]
    fn depth_ends_in_text() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let text = one(&deep);
        let start = format!("{}\"[[[", "[".repeat(MAX_DEPTH - 1));
        assert!(text.starts_with(&start), "{}", &text[..80]);
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place() {
        for (json, line, column) in [("[]", 1, 0), ("", 1, 0), ("{\"a\":\n?}", 2, 1)] {
            let refused = object(json).unwrap_err();
            assert_eq!((refused.line(), refused.column()), (line, column), "{json}");
        }
        assert!(object("{} x").is_err());
    }
}
