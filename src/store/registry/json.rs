//! What stands in the registry file: version 1, or Kudu's bare array.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::hook::json::HookJson;
use crate::domain::hook::{Hook, HookId};
use crate::domain::reference::HookReference;

/// The version of the file format that this program writes, and the highest that it reads.
pub(super) const VERSION: u64 = 1;

/// The hooks of a registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistryFile {
    /// The hooks, in the file's order.
    pub(crate) hooks: Vec<Hook>,
    /// Above every id up to [`HookId::LARGEST_NUMBER`] that was ever used, unless the file was edited by
    /// hand.
    next_id: u64,
    /// Fields that this version does not know, kept on rewrite.
    unknown: Vec<(String, Box<RawValue>)>,
}

impl RegistryFile {
    /// Parses the file.
    pub(super) fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        // Checking the whole for UTF-8 at once is faster than string by string.
        match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(bytes),
        }
    }

    /// The version, if it is higher than this program understands. Such a file may be of any shape,
    /// so this is asked only when parsing has failed.
    pub(super) fn newer_version(bytes: &[u8]) -> Option<u64> {
        #[derive(Deserialize)]
        struct Probe {
            version: u64,
        }
        let probe: Probe = serde_json::from_slice(bytes).ok()?;
        (probe.version > VERSION).then_some(probe.version)
    }

    /// The file's text.
    pub(super) fn text(&self) -> Vec<u8> {
        // Numbers, strings and JSON that was parsed before always serialise.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// An id that no hook has or had, at most [`HookId::LARGEST_NUMBER`]; `None` when those are used up.
    pub(crate) fn take_id(&mut self) -> Option<HookId> {
        let id = self.next_id();
        if id > HookId::LARGEST_NUMBER {
            return None;
        }
        self.next_id = id + 1;
        Some(HookId(id))
    }

    /// The hook with this id or name.
    pub(crate) fn find(&self, reference: &HookReference) -> Option<&Hook> {
        self.hooks.iter().find(|hook| hook.is(reference))
    }

    /// Takes out the hooks that are named. Their ids are not used again.
    pub(crate) fn remove(&mut self, named: &[HookReference]) -> Vec<Hook> {
        self.next_id = self.next_id();
        let is_named = |hook: &mut Hook| named.iter().any(|reference| hook.is(reference));
        self.hooks.extract_if(.., is_named).collect()
    }

    /// Ids above the limit do not count: they are Kudu's, or were given by version 0.1.0 after Kudu's.
    fn next_id(&self) -> u64 {
        let ids = self.hooks.iter().map(|hook| hook.id.0);
        let highest = ids.filter(|id| *id <= HookId::LARGEST_NUMBER).max();
        self.next_id.max(highest.map_or(1, |id| id + 1))
    }
}

impl Serialize for RegistryFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("version", &VERSION)?;
        map.serialize_entry("next_id", &self.next_id())?;
        for (key, value) in &self.unknown {
            map.serialize_entry(key, value)?;
        }
        let whole = |hook| HookJson { hook, is_file: true, generated: None };
        let hooks: Vec<_> = self.hooks.iter().map(whole).collect();
        map.serialize_entry("hooks", &hooks)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for RegistryFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RegistryFileVisitor)
    }
}

struct RegistryFileVisitor;

impl<'de> Visitor<'de> for RegistryFileVisitor {
    type Value = RegistryFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a registry: an object with version, next_id and hooks, or an array of hooks")
    }

    /// Kudu's own `hooks` file, which can be copied into place.
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<RegistryFile, A::Error> {
        let hooks = HookList.visit_seq(seq)?;
        Ok(RegistryFile { hooks, ..RegistryFile::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RegistryFile, A::Error> {
        let (mut has_version, mut hooks) = (false, None);
        let mut file = RegistryFile::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "version" => {
                    let version: u64 = map.next_value()?;
                    if version != VERSION {
                        let what = format!("version {version} is not one that hooks understands");
                        return Err(de::Error::custom(what));
                    }
                    has_version = true;
                }
                "next_id" => {
                    let HookId(id) = map.next_value()?;
                    // One above the limit says that the ids are used up.
                    file.next_id = if id > HookId::LARGEST_NUMBER + 1 { 0 } else { id };
                }
                // The last would win, and the first be lost at the next write.
                "hooks" if hooks.is_some() => return Err(de::Error::duplicate_field("hooks")),
                "hooks" => hooks = Some(map.next_value_seed(HookList)?),
                _ => file.unknown.push((key, map.next_value()?)),
            }
        }
        if !has_version {
            return Err(de::Error::missing_field("version"));
        }
        file.hooks = hooks.ok_or_else(|| de::Error::missing_field("hooks"))?;
        Ok(file)
    }
}

struct HookList;

impl<'de> DeserializeSeed<'de> for HookList {
    type Value = Vec<Hook>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Hook>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for HookList {
    type Value = Vec<Hook>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of hooks")
    }

    /// Two hooks with one id or name are an error here, so that it comes with its line and column.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Hook>, A::Error> {
        let (mut hooks, mut ids, mut names) = (Vec::new(), HashSet::new(), HashSet::new());
        while let Some(hook) = seq.next_element::<Hook>()? {
            let id = hook.id;
            if !ids.insert(id) {
                return Err(de::Error::custom(format!("two hooks have the id {id}")));
            }
            let name = hook.name.as_ref().map(|name| name.to_ascii_lowercase());
            if name.is_some_and(|name| !names.insert(name)) {
                return Err(de::Error::custom(format!("two hooks have the name of hook {id}")));
            }
            hooks.push(hook);
        }
        Ok(hooks)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn rewrite(text: &str) -> String {
        let written = RegistryFile::parse(text.as_bytes()).unwrap().text();
        String::from_utf8(written).unwrap()
    }

    fn refusal(text: &str) -> String {
        RegistryFile::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn unknown_fields_are_kept_with_their_spelling() {
        let text = r#"{"x":1e400,"version":1,"hooks":[{"id":1,"url":"u","event":"e","n":1.50}]}"#;
        let written = rewrite(text);
        assert!(written.contains("\"x\": 1e400"), "{written}");
        assert!(written.contains("\"n\": 1.50"), "{written}");
        assert_eq!(rewrite(&written), written);
    }

    #[test]
    fn kudus_array_becomes_version_1_with_small_ids_to_come() {
        let text = r#"[{"id":"635119123456789012","url":"u","event":"e","last_status":null}]"#;
        let written = rewrite(text);
        assert!(written.contains("\"next_id\": 1,"), "{written}");
        assert!(written.contains("\"id\": \"635119123456789012\""), "{written}");
    }

    #[test]
    fn ids_are_never_used_again() {
        let mut file = RegistryFile::parse(br#"{"version":1,"next_id":7,"hooks":[]}"#).unwrap();
        assert_eq!(file.take_id(), Some(HookId(7)));
        assert_eq!(file.take_id(), Some(HookId(8)));
        assert_eq!(RegistryFile::default().take_id(), Some(HookId(1)));
        let mut edited = RegistryFile::parse(br#"[{"id":5,"url":"u","event":"e"}]"#).unwrap();
        edited.remove(&[HookId(5).into()]);
        assert_eq!(edited.take_id(), Some(HookId(6)));
        let last = r#"[{"id":9007199254740990,"url":"u","event":"e"}]"#;
        let mut last = RegistryFile::parse(last.as_bytes()).unwrap();
        assert_eq!(last.take_id(), Some(HookId(HookId::LARGEST_NUMBER)));
        assert_eq!(last.take_id(), None);
        let written = String::from_utf8(last.text()).unwrap();
        assert_eq!(RegistryFile::parse(written.as_bytes()).unwrap().take_id(), None);
    }

    #[test]
    fn other_shapes_are_refused_with_their_place() {
        assert!(refusal("{}").contains("missing field `version`"));
        assert!(refusal("{\"version\":1}").contains("missing field `hooks`"));
        assert!(
            refusal(r#"{"version":1,"hooks":[],"hooks":[]}"#).contains("duplicate field `hooks`")
        );
        let doubled = r#"[{"id":1,"url":"u","url":"v","event":"e"}]"#;
        assert!(refusal(doubled).contains("duplicate field `url`"));
        assert!(refusal("7").contains("expected a registry"));
        let twice = "[{\"id\":1,\"url\":\"u\",\"event\":\"e\"},\n{\"id\":\"1\",\"url\":\"v\",\"event\":\"e\"}]";
        assert!(refusal(twice).contains("two hooks have the id 1 at line 2"), "{}", refusal(twice));
        assert_eq!(RegistryFile::newer_version(br#"{"hooks":7,"version":2}"#), Some(2));
        assert_eq!(RegistryFile::newer_version(br#"{"hooks":7,"version":1}"#), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_registry_or_an_error(bytes in any::<Vec<u8>>()) {
            let _ = RegistryFile::parse(&bytes);
            let _ = RegistryFile::newer_version(&bytes);
        }

        #[test]
        fn what_was_parsed_is_written_back_equal(
            hooks in vec((any::<String>(), any::<String>(), any::<bool>(), json()), 0..5),
            unknown in json(),
        ) {
            let hook = |(id, (url, event, insecure, value)): (usize, (String, String, bool, String))| {
                let (url, event) = (quoted(&url), quoted(&event));
                format!(
                    r#"{{"x":{value},"id":{id},"url":{url},"event":{event},"insecure_ssl":{insecure}}}"#
                )
            };
            let hooks: Vec<String> = hooks.into_iter().enumerate().map(hook).collect();
            let text = format!(r#"{{"y":{unknown},"version":1,"hooks":[{}]}}"#, hooks.join(","));
            let written = rewrite(&text);
            prop_assert_eq!(rewrite(&written), written.clone());
            let (before, after): (Value, Value) =
                (serde_json::from_str(&text).unwrap(), serde_json::from_str(&written).unwrap());
            prop_assert_eq!(&before["hooks"], &after["hooks"]);
            prop_assert_eq!(&before["y"], &after["y"]);
        }
    }

    /// Values that `serde_json`'s own type holds exactly, so that it can compare them.
    fn json() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<i64>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| quoted(&text)),
            Just("[null, {\"a\": []}]".to_owned()),
        ]
    }

    fn quoted(text: &str) -> String {
        Value::from(text).to_string()
    }
}
