//! A hook's signing secrets, and how they are replaced (docs/design.md §6).

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::time;
use crate::security::signature::Secret;

/// How long a replaced secret goes on signing.
const ROTATION: TimeDelta = TimeDelta::hours(24);

/// A secret and how long it goes on signing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SigningSecret {
    /// The secret.
    pub(crate) secret: Secret,
    /// When a replaced secret stops signing; `None` for the present one.
    pub(crate) until: Option<DateTime<Utc>>,
}

impl SigningSecret {
    /// Whether it signs at this moment.
    pub(super) fn signs_at(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Puts a new secret first; those that it replaces go on signing for [`ROTATION`], and those that have
/// done so are forgotten.
pub(super) fn rotate(secrets: &mut Vec<SigningSecret>, secret: Secret, now: DateTime<Utc>) {
    let is_present = |s: &SigningSecret| s.secret == secret && s.until.is_none();
    if secrets.first().is_some_and(is_present) {
        return;
    }
    secrets.retain(|s| s.secret != secret && s.signs_at(now));
    for old in &mut *secrets {
        old.until.get_or_insert(now + ROTATION);
    }
    let present = SigningSecret { secret, until: None };
    secrets.insert(0, present);
}

/// The registry's notation of a secret.
#[derive(Serialize, Deserialize)]
#[serde(expecting = "an object with a secret")]
struct StoredSecret<'a> {
    secret: Cow<'a, Secret>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    until: Option<Cow<'a, str>>,
}

impl Serialize for SigningSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = StoredSecret {
            secret: Cow::Borrowed(&self.secret),
            until: self.until.map(|until| time::timestamp(until).into()),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SigningSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StoredSecret { secret, until } = StoredSecret::deserialize(deserializer)?;
        let parsed = until.as_deref().map(time::parse);
        if parsed == Some(None) {
            return Err(D::Error::custom("`until` is not an RFC 3339 time"));
        }
        Ok(Self { secret: secret.into_owned(), until: parsed.flatten() })
    }
}
