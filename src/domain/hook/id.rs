//! A hook's id.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// A hook's id: a whole number, in JSON a number or a string of digits. Both are read. Above
/// [`HookId::LARGEST_NUMBER`] a string is written, as Kudu does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HookId(pub(crate) u64);

impl HookId {
    /// The largest id that is a number in JSON: 2^53 − 1. jq and JavaScript round what is above.
    pub(crate) const LARGEST_NUMBER: u64 = (1 << 53) - 1;
}

impl fmt::Display for HookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for HookId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for HookId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 > Self::LARGEST_NUMBER {
            return serializer.collect_str(self);
        }
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for HookId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = HookId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id, a whole number")
            }
            fn visit_u64<E: de::Error>(self, id: u64) -> Result<HookId, E> {
                Ok(HookId(id))
            }
            fn visit_str<E: de::Error>(self, id: &str) -> Result<HookId, E> {
                id.parse().map_err(|_| E::custom("an id must be a whole number"))
            }
        }
        deserializer.deserialize_any(IdVisitor)
    }
}
