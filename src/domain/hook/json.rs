//! A hook's JSON: in the registry file, and in the answers of `--json`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Hook, HookId, LastDelivery, certificates_in};
use crate::domain::json::{Entries, put};
use crate::security::{redact, signature::Secret};

/// A hook as the registry file has it, whole, or as `--json` answers: header values and the tokens of a template as
/// `***`, and no secrets but one just generated. The order of the keys is part of the interface
/// (docs/design.md §2 and §3).
#[derive(Debug, Clone, Copy)]
pub(crate) struct HookJson<'a> {
    /// The hook.
    pub(crate) hook: &'a Hook,
    /// Whether it is for the registry file.
    pub(crate) is_file: bool,
    /// The secret that `--generate-secret` made, shown this once.
    pub(crate) generated: Option<&'a Secret>,
}

impl<'a> Serialize for HookJson<'a> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { hook, is_file, generated } = *self;
        // Without `..`: a new field must be written, and masked where it is a secret.
        let Hook {
            id,
            name,
            url,
            event,
            insecure_ssl,
            enabled,
            disabled_reason,
            status,
            when,
            expect,
            format,
            template,
            headers,
            ca_file,
            secrets,
            last,
            unknown,
        } = hook;
        let LastDelivery { datetime, status: last_status, code, reason, context } = last;
        let shown = |text: &'a Option<String>, mask: fn(&str) -> String| {
            let mask = |text| if is_file { Cow::Borrowed(text) } else { mask(text).into() };
            text.as_deref().map(mask)
        };

        let mut map = serializer.serialize_map(None)?;
        put(&mut map, "id", Some(id))?;
        put(&mut map, "name", name.as_ref())?;
        put(&mut map, "url", Some(url))?;
        put(&mut map, "event", Some(event))?;
        put(&mut map, "insecure_ssl", Some(insecure_ssl))?;
        put(&mut map, "enabled", Some(enabled).filter(|enabled| !**enabled))?;
        put(&mut map, "disabled_reason", disabled_reason.as_ref())?;
        put(&mut map, "status", Some(status).filter(|status| !status.is_empty()))?;
        put(&mut map, "when", when.as_ref())?;
        put(&mut map, "expect", expect.as_ref())?;
        put(&mut map, "format", format.as_ref())?;
        put(&mut map, "template", shown(template, redact::template))?;
        let headers = (!headers.is_empty()).then_some(Headers { headers, is_file });
        put(&mut map, "headers", headers)?;
        // A file edited by hand may hold a private key, too.
        put(&mut map, "ca_file", shown(ca_file, certificates_in))?;
        put(&mut map, "secrets", Some(secrets).filter(|all| is_file && !all.is_empty()))?;
        put(&mut map, "signed", (!is_file && hook.is_signed()).then_some(true))?;
        put(&mut map, "last_datetime", datetime.as_ref())?;
        put(&mut map, "last_status", last_status.as_ref())?;
        put(&mut map, "last_code", code.as_ref())?;
        put(&mut map, "last_reason", reason.as_ref())?;
        put(&mut map, "last_context", context.as_ref())?;
        for (key, value) in unknown.iter().filter(|_| is_file) {
            put(&mut map, key, Some(value))?;
        }
        put(&mut map, "secret", generated.map(Secret::reveal))?;
        map.end()
    }
}

struct Headers<'a> {
    headers: &'a [(String, String)],
    is_file: bool,
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = |value| if self.is_file { value } else { redact::MASK };
        serializer.collect_map(self.headers.iter().map(|(name, value)| (name, shown(value))))
    }
}

impl Hook {
    /// The keys that it has otherwise than another, those of the last delivery and of a later version left
    /// out, by their names.
    pub(crate) fn keys_that_differ(&self, other: &Self) -> Vec<String> {
        let keys = |hook: &Self| {
            let hook = Self { last: LastDelivery::default(), unknown: Vec::new(), ..hook.clone() };
            // Strings, numbers and arrays of them always serialise.
            let json = HookJson { hook: &hook, is_file: true, generated: None };
            let json = serde_json::to_value(json).unwrap_or_default();
            json.as_object().cloned().unwrap_or_default()
        };
        let (own, others) = (keys(self), keys(other));
        let all: BTreeSet<&String> = own.keys().chain(others.keys()).collect();
        let differs = |key: &&String| own.get(*key) != others.get(*key);
        all.into_iter().filter(differs).cloned().collect()
    }
}

/// A key, borrowed from the text where it can be.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// By hand instead of `#[serde(flatten)]`, which would buffer every hook and is several times slower.
impl<'de> Deserialize<'de> for Hook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HookVisitor)
    }
}

struct HookVisitor;

impl<'de> Visitor<'de> for HookVisitor {
    type Value = Hook;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hook, an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hook, A::Error> {
        let (mut id, mut url, mut event) = (None, None, None);
        let mut hook = Hook::new(HookId::default(), String::new(), String::new());
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                // Of two, the first would be lost at the next write.
                "id" if id.is_some() => return Err(de::Error::duplicate_field("id")),
                "url" if url.is_some() => return Err(de::Error::duplicate_field("url")),
                "event" if event.is_some() => return Err(de::Error::duplicate_field("event")),
                "id" => id = Some(map.next_value()?),
                "url" => url = Some(map.next_value()?),
                "event" => event = Some(map.next_value()?),
                "name" => hook.name = filled(&mut map)?,
                "insecure_ssl" => hook.insecure_ssl = or_default(&mut map)?,
                "enabled" => hook.enabled = map.next_value::<Option<bool>>()?.unwrap_or(true),
                "disabled_reason" => hook.disabled_reason = map.next_value()?,
                "status" => hook.status = or_default(&mut map)?,
                "when" => hook.when = filled(&mut map)?,
                "expect" => hook.expect = filled(&mut map)?,
                "format" => hook.format = map.next_value()?,
                "template" => hook.template = map.next_value()?,
                "headers" => hook.headers = or_default::<_, Entries<_, _>>(&mut map)?.0,
                "ca_file" => hook.ca_file = map.next_value()?,
                "secrets" => hook.secrets = or_default(&mut map)?,
                "last_datetime" => hook.last.datetime = map.next_value()?,
                "last_status" => hook.last.status = map.next_value()?,
                "last_code" => hook.last.code = map.next_value()?,
                "last_reason" => hook.last.reason = map.next_value()?,
                "last_context" => hook.last.context = map.next_value()?,
                _ => hook.unknown.push((key.into_owned(), map.next_value()?)),
            }
        }
        hook.id = id.ok_or_else(|| de::Error::missing_field("id"))?;
        hook.url = url.ok_or_else(|| de::Error::missing_field("url"))?;
        hook.event = event.ok_or_else(|| de::Error::missing_field("event"))?;
        Ok(hook)
    }
}

/// Kudu writes `null` where a field holds nothing.
fn or_default<'de, A: MapAccess<'de>, T: Deserialize<'de> + Default>(
    map: &mut A,
) -> Result<T, A::Error> {
    Ok(map.next_value::<Option<T>>()?.unwrap_or_default())
}

/// A text; an empty one is as good as none.
fn filled<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<String>, A::Error> {
    let text: Option<String> = map.next_value()?;
    Ok(text.filter(|text| !text.is_empty()))
}
