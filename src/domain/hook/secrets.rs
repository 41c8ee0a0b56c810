//! A hook's signing secrets, and how they are replaced (docs/design.md §6).

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Hook;
use crate::domain::time;
use crate::security::signature::Secret;

/// How long a replaced secret goes on signing.
const ROTATION: TimeDelta = TimeDelta::hours(24);

/// A secret and how long it goes on signing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object with a secret")]
pub(crate) struct SigningSecret {
    /// The secret.
    pub(crate) secret: Secret,
    /// When a replaced secret stops signing; `None` for the present one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339")]
    until: Option<DateTime<Utc>>,
}

impl Hook {
    /// The secrets that sign at this moment, newest first.
    pub(crate) fn signing(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Secret> {
        self.secrets.iter().filter(move |s| s.signs_at(now)).map(|s| &s.secret)
    }

    /// Whether its deliveries are signed.
    pub(crate) fn is_signed(&self) -> bool {
        self.secrets.iter().any(|secret| secret.until.is_none())
    }

    /// Signs with `secret` from now on. A secret that it replaces goes on signing for 24 hours, so
    /// that the receiver can change over in its own time; those that have done so are forgotten.
    pub(crate) fn rotate(&mut self, secret: Secret, now: DateTime<Utc>) {
        let present = SigningSecret { secret, until: None };
        if self.secrets.first() == Some(&present) {
            return;
        }
        self.secrets.retain(|s| s.secret != present.secret && s.signs_at(now));
        for old in &mut self.secrets {
            old.until.get_or_insert(now + ROTATION);
        }
        self.secrets.insert(0, present);
    }
}

impl SigningSecret {
    fn signs_at(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A time, or none, in the registry's notation.
mod rfc3339 {
    use super::*;

    #[expect(clippy::ref_option, reason = "serde hands it over in this way")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(time::timestamp).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let time = text.map(|text| time::parse(&text).ok_or("`until` is not an RFC 3339 time"));
        time.transpose().map_err(D::Error::custom)
    }
}
