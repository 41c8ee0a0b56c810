//! A hook's JSON: in the registry file, and in the answers of `--json`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Hook, HookId, LastDelivery};
use crate::domain::json::Entries;
use crate::security::{redact, signature::Secret};

/// Whom a hook's JSON is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'a> {
    /// The registry file: everything.
    File,
    /// `--json`: header values and the tokens of a template as `***`, no secrets but one just generated.
    Answer {
        /// The secret that `--generate-secret` made, shown this once.
        generated: Option<&'a Secret>,
    },
}

/// A hook as it is written for someone. The order of the keys is part of the interface
/// (docs/design.md §2 and §3).
#[derive(Debug, Clone, Copy)]
pub(crate) struct HookJson<'a>(pub(crate) &'a Hook, pub(crate) View<'a>);

impl Serialize for HookJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(hook, view) = self;
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
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", id)?;
        optional(&mut map, "name", name.as_ref())?;
        map.serialize_entry("url", url)?;
        map.serialize_entry("event", event)?;
        map.serialize_entry("insecure_ssl", insecure_ssl)?;
        if !enabled {
            map.serialize_entry("enabled", &false)?;
        }
        optional(&mut map, "disabled_reason", disabled_reason.as_ref())?;
        if !status.is_empty() {
            map.serialize_entry("status", status)?;
        }
        optional(&mut map, "when", when.as_ref())?;
        optional(&mut map, "expect", expect.as_ref())?;
        optional(&mut map, "format", format.as_ref())?;
        match view {
            View::File => optional(&mut map, "template", template.as_ref())?,
            View::Answer { .. } => {
                let masked = template.as_deref().map(redact::template);
                optional(&mut map, "template", masked.as_ref())?;
            }
        }
        if !headers.is_empty() {
            let masked = matches!(view, View::Answer { .. });
            map.serialize_entry("headers", &Headers { headers, masked })?;
        }
        match view {
            View::File => {
                optional(&mut map, "ca_file", ca_file.as_ref())?;
                if !secrets.is_empty() {
                    map.serialize_entry("secrets", secrets)?;
                }
            }
            View::Answer { .. } => {
                // A file edited by hand may hold a private key, too.
                let certificates = ca_file.as_deref().map(super::check::certificates_in);
                optional(&mut map, "ca_file", certificates.as_ref())?;
                if hook.is_signed() {
                    map.serialize_entry("signed", &true)?;
                }
            }
        }
        write_last(&mut map, last)?;
        match view {
            View::File => {
                for (key, value) in unknown {
                    map.serialize_entry(key, value)?;
                }
            }
            View::Answer { generated } => {
                optional(&mut map, "secret", generated.map(Secret::reveal).as_ref())?;
            }
        }
        map.end()
    }
}

impl Hook {
    /// The keys that it has otherwise than another, those of the last delivery and of a later version left
    /// out, by their names.
    pub(crate) fn keys_that_differ(&self, other: &Self) -> Vec<String> {
        let keys = |hook: &Self| {
            let hook = Self { last: LastDelivery::default(), unknown: Vec::new(), ..hook.clone() };
            // Strings, numbers and arrays of them always serialise.
            let json = serde_json::to_value(HookJson(&hook, View::File)).unwrap_or_default();
            json.as_object().cloned().unwrap_or_default()
        };
        let (own, others) = (keys(self), keys(other));
        let all: BTreeSet<&String> = own.keys().chain(others.keys()).collect();
        let differs = |key: &&String| own.get(*key) != others.get(*key);
        all.into_iter().filter(differs).cloned().collect()
    }
}

fn write_last<M: SerializeMap>(map: &mut M, last: &LastDelivery) -> Result<(), M::Error> {
    let LastDelivery { datetime, status, code, reason, context } = last;
    optional(map, "last_datetime", datetime.as_ref())?;
    optional(map, "last_status", status.as_ref())?;
    optional(map, "last_code", code.as_ref())?;
    optional(map, "last_reason", reason.as_ref())?;
    optional(map, "last_context", context.as_ref())
}

fn optional<M: SerializeMap, T: Serialize>(
    map: &mut M,
    key: &str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(key, value),
        None => Ok(()),
    }
}

struct Headers<'a> {
    headers: &'a [(String, String)],
    masked: bool,
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.headers.iter().map(|(name, value)| {
            let value = if self.masked { "***" } else { value.as_str() };
            (name, value)
        });
        serializer.collect_map(shown)
    }
}

/// The keys of a hook; the last variant takes what this version does not know.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key<'a> {
    Id,
    Name,
    Url,
    Event,
    InsecureSsl,
    Enabled,
    DisabledReason,
    Status,
    When,
    Expect,
    Format,
    Template,
    Headers,
    CaFile,
    Secrets,
    LastDatetime,
    LastStatus,
    LastCode,
    LastReason,
    LastContext,
    #[serde(borrow)]
    Unknown(Cow<'a, str>),
}

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
        let mut hook = Hook::new(HookId(0), String::new(), String::new());
        while let Some(key) = map.next_key()? {
            match key {
                // Of two, the first would be lost at the next write.
                Key::Id if id.is_some() => return Err(de::Error::duplicate_field("id")),
                Key::Url if url.is_some() => return Err(de::Error::duplicate_field("url")),
                Key::Event if event.is_some() => return Err(de::Error::duplicate_field("event")),
                Key::Id => id = Some(map.next_value()?),
                Key::Url => url = Some(map.next_value()?),
                Key::Event => event = Some(map.next_value()?),
                Key::Name => hook.name = filled(&mut map)?,
                Key::InsecureSsl => hook.insecure_ssl = or_default(&mut map)?,
                Key::Enabled => hook.enabled = map.next_value::<Option<bool>>()?.unwrap_or(true),
                Key::DisabledReason => hook.disabled_reason = map.next_value()?,
                Key::Status => hook.status = or_default(&mut map)?,
                Key::When => hook.when = filled(&mut map)?,
                Key::Expect => hook.expect = filled(&mut map)?,
                Key::Format => hook.format = map.next_value()?,
                Key::Template => hook.template = map.next_value()?,
                Key::Headers => {
                    let headers: Option<Entries<_, _>> = map.next_value()?;
                    hook.headers = headers.map(|Entries(headers)| headers).unwrap_or_default();
                }
                Key::CaFile => hook.ca_file = map.next_value()?,
                Key::Secrets => hook.secrets = or_default(&mut map)?,
                Key::LastDatetime => hook.last.datetime = map.next_value()?,
                Key::LastStatus => hook.last.status = map.next_value()?,
                Key::LastCode => hook.last.code = map.next_value()?,
                Key::LastReason => hook.last.reason = map.next_value()?,
                Key::LastContext => hook.last.context = map.next_value()?,
                Key::Unknown(key) => hook.unknown.push((key.into_owned(), map.next_value()?)),
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
