//! A hook's JSON: in the registry file, and in the answers of `--json`.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Hook, LastDelivery, SigningSecret};
use crate::security::signature::Secret;

/// Whom a hook's JSON is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'a> {
    /// The registry file: everything.
    File,
    /// `--json`: header values as `***`, no secrets but one just generated.
    Answer {
        /// The secret that `--generate-secret` made, shown this once.
        generated: Option<&'a Secret>,
    },
}

/// A hook as it is written for someone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Viewed<'a>(pub(crate) &'a Hook, pub(crate) View<'a>);

impl Serialize for Viewed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(hook, view) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &hook.id)?;
        map.serialize_entry("url", &hook.url)?;
        map.serialize_entry("event", &hook.event)?;
        map.serialize_entry("insecure_ssl", &hook.insecure_ssl)?;
        if !hook.enabled {
            map.serialize_entry("enabled", &false)?;
        }
        optional(&mut map, "disabled_reason", hook.disabled_reason.as_ref())?;
        if !hook.status.is_empty() {
            map.serialize_entry("status", &hook.status)?;
        }
        optional(&mut map, "format", hook.format.as_ref())?;
        optional(&mut map, "template", hook.template.as_ref())?;
        if !hook.headers.is_empty() {
            let masked = matches!(view, View::Answer { .. });
            map.serialize_entry(
                "headers",
                &Headers {
                    headers: &hook.headers,
                    masked,
                },
            )?;
        }
        match (view, &hook.ca_file) {
            // A file edited by hand may hold a private key, too.
            (View::Answer { .. }, Some(pem)) => {
                map.serialize_entry("ca_file", &super::certificates_in(pem))?;
            }
            (_, pem) => optional(&mut map, "ca_file", pem.as_ref())?,
        }
        match view {
            View::File if hook.secrets.is_empty() => {}
            View::File => map.serialize_entry("secrets", &hook.secrets)?,
            View::Answer { .. } if hook.is_signed() => map.serialize_entry("signed", &true)?,
            View::Answer { .. } => {}
        }
        write_last(&mut map, &hook.last)?;
        match view {
            View::File => {
                for (key, value) in &hook.unknown {
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

fn write_last<M: SerializeMap>(map: &mut M, last: &LastDelivery) -> Result<(), M::Error> {
    optional(map, "last_datetime", last.datetime.as_ref())?;
    optional(map, "last_status", last.status.as_ref())?;
    optional(map, "last_code", last.code.as_ref())?;
    optional(map, "last_reason", last.reason.as_ref())?;
    optional(map, "last_context", last.context.as_ref())
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

#[derive(Serialize, Deserialize)]
#[serde(expecting = "an object with a secret")]
struct StoredSecret<'a> {
    secret: Cow<'a, Secret>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    until: Option<Cow<'a, str>>,
}

impl Serialize for SigningSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let until = self
            .until
            .map(|until| crate::domain::time::timestamp(until).into());
        StoredSecret {
            secret: Cow::Borrowed(&self.secret),
            until,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SigningSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = StoredSecret::deserialize(deserializer)?;
        let until = stored
            .until
            .as_deref()
            .map(DateTime::parse_from_rfc3339)
            .transpose();
        let until = until.map_err(|_| de::Error::custom("`until` is not an RFC 3339 time"))?;
        let until = until.map(|time| time.with_timezone(&Utc));
        Ok(Self {
            secret: stored.secret.into_owned(),
            until,
        })
    }
}

/// The keys of a hook; the last variant takes what this version does not know.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key<'a> {
    Id,
    Url,
    Event,
    InsecureSsl,
    Enabled,
    DisabledReason,
    Status,
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
        let mut hook = Hook::new(0, String::new(), String::new());
        while let Some(key) = map.next_key()? {
            match key {
                // Of two, the first would be lost at the next write.
                Key::Id if id.is_some() => return Err(de::Error::duplicate_field("id")),
                Key::Url if url.is_some() => return Err(de::Error::duplicate_field("url")),
                Key::Event if event.is_some() => return Err(de::Error::duplicate_field("event")),
                Key::Id => id = Some(map.next_value::<Id>()?.0),
                Key::Url => url = Some(map.next_value()?),
                Key::Event => event = Some(map.next_value()?),
                Key::InsecureSsl => hook.insecure_ssl = or_default(&mut map)?,
                Key::Enabled => hook.enabled = map.next_value::<Option<bool>>()?.unwrap_or(true),
                Key::DisabledReason => hook.disabled_reason = map.next_value()?,
                Key::Status => hook.status = or_default(&mut map)?,
                Key::Format => hook.format = map.next_value()?,
                Key::Template => hook.template = map.next_value()?,
                Key::Headers => {
                    hook.headers = map.next_value::<Option<HeaderMap>>()?.unwrap_or_default().0;
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

/// An id: a number, or as Kudu writes it a string of digits.
struct Id(u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id, a whole number")
            }
            fn visit_u64<E: de::Error>(self, id: u64) -> Result<Id, E> {
                Ok(Id(id))
            }
            fn visit_str<E: de::Error>(self, id: &str) -> Result<Id, E> {
                id.parse()
                    .map(Id)
                    .map_err(|_| E::custom("an id must be a whole number"))
            }
        }
        deserializer.deserialize_any(IdVisitor)
    }
}

/// Headers in the file's order, which a map type of the standard library would lose.
#[derive(Default)]
struct HeaderMap(Vec<(String, String)>);

impl<'de> Deserialize<'de> for HeaderMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;
        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = HeaderMap;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("headers, an object of strings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderMap, A::Error> {
                let mut headers = Vec::new();
                while let Some(header) = map.next_entry()? {
                    headers.push(header);
                }
                Ok(HeaderMap(headers))
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}
