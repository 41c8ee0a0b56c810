//! Secrets and signatures: Standard Webhooks 1.0, and GitHub's `x-hub-signature-256` (docs/design.md §6).

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

/// What a secret starts with (Standard Webhooks 1.0, "Signature scheme").
const PREFIX: &str = "whsec_";

/// Bytes that a secret may have (Standard Webhooks 1.0, "Signature scheme").
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Bytes of a generated secret: as many as SHA-256 gives; HMAC gains nothing from more (RFC 2104, 3).
const GENERATED_BYTES: usize = 32;

/// Seconds that a timestamp may be off, either way: what the Standard Webhooks libraries allow.
const TOLERANCE: u64 = 5 * 60;

/// A signing secret, `whsec_` + padded Base64 of 24 to 64 bytes. `Debug` prints `***`;
/// [`Secret::reveal`] gives the text. Serialized it is the text, for the registry file alone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    text: String,
    key: Vec<u8>,
}

impl Secret {
    /// Reads a secret; white space around it is dropped, as a file ends in a line feed. The error says what is wrong
    /// and never quotes the text, which may be a secret with a slip in it.
    pub(crate) fn parse(text: &str) -> Result<Secret, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("the secret is empty".to_owned());
        }
        if text.contains(['\n', '\r']) {
            return Err("the secret has more than one line".to_owned());
        }
        let Some(encoded) = text.strip_prefix(PREFIX) else {
            return Err(format!("the secret does not start with `{PREFIX}`"));
        };
        let Ok(key) = STANDARD.decode(encoded) else {
            return Err(format!("the secret is not padded Base64 after `{PREFIX}`"));
        };
        let (length, least, most) = (key.len(), KEY_BYTES.start(), KEY_BYTES.end());
        if !KEY_BYTES.contains(&length) {
            return Err(format!("the secret has {length} bytes, {least} to {most} are wanted"));
        }
        Ok(Secret { text: text.to_owned(), key })
    }

    /// A new secret of 32 random bytes. The error: the operating system gave none.
    pub(crate) fn generate() -> io::Result<Secret> {
        let mut key = vec![0; GENERATED_BYTES];
        getrandom::fill(&mut key)
            .map_err(|error| io::Error::other(format!("no random bytes to be had: {error}")))?;
        Ok(Secret { text: format!("{PREFIX}{}", STANDARD.encode(&key)), key })
    }

    /// The secret's text, prefix included. Nothing but the registry file, the answer to
    /// `--generate-secret` and [`github`] has a use for it.
    pub(crate) fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)
            // serde's own message quotes what it found
            .map_err(|_| D::Error::custom("the secret is not a string"))?;
        Secret::parse(&text).map_err(D::Error::custom)
    }
}

/// The header `webhook-signature`: `v1,BASE64` for each of `secrets`, newest first, separated by a space.
/// `timestamp` is in Unix seconds (Standard Webhooks 1.0, "Webhook headers" and "Signature scheme").
pub(crate) fn standard(secrets: &[&Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signature = |secret: &&Secret| {
        let signature = standard_hmac(secret, id, timestamp, body).finalize();
        format!("v1,{}", STANDARD.encode(signature.into_bytes()))
    };
    secrets.iter().map(signature).collect::<Vec<_>>().join(" ")
}

/// The header `x-hub-signature-256`: `sha256=HEX`, keyed with the secret's text, prefix included, as that
/// is what a person pastes into a receiver that checks GitHub's way (GitHub's documentation, "Validating
/// webhook deliveries").
pub(crate) fn github(secret: &Secret, body: &[u8]) -> String {
    format!("sha256={}", hmac_hex(secret.text.as_bytes(), body))
}

/// What a receiver finds out about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// One of its signatures is right, and it is recent.
    Valid,
    /// None of its signatures is right.
    Invalid,
    /// It lacks the id, the timestamp or the signature.
    Missing,
    /// Rightly signed, more than five minutes ago or ahead: perhaps a request that was recorded and sent
    /// again.
    Stale,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "signature valid",
            Self::Invalid => "signature wrong",
            Self::Missing => "not signed",
            Self::Stale => "signature right, but its timestamp is more than 5 minutes off",
        })
    }
}

/// Checks the headers `webhook-id`, `webhook-timestamp` and `webhook-signature` of a request, which `header`
/// looks up, against `secret`, in constant time; `now` is in Unix seconds (Standard Webhooks 1.0, "Verifying
/// webhook authenticity"). Signatures of other versions than `v1` are passed over.
pub(crate) fn verify<'a>(
    secret: &Secret,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    now: i64,
) -> Verdict {
    let given = |name| header(name).filter(|value| !value.is_empty());
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let [Some(id), Some(timestamp), Some(signatures)] = names.map(given) else {
        return Verdict::Missing;
    };
    let Ok(timestamp) = timestamp.trim().parse::<i64>() else {
        return Verdict::Invalid;
    };
    let expected = standard_hmac(secret, id, timestamp, body);
    let signed = signatures
        .split_ascii_whitespace()
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .any(|signature| expected.clone().verify_slice(&signature).is_ok());
    if !signed {
        return Verdict::Invalid;
    }
    if now.abs_diff(timestamp) > TOLERANCE { Verdict::Stale } else { Verdict::Valid }
}

fn standard_hmac(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
    let mut hmac = keyed(&secret.key);
    hmac.update(format!("{id}.{timestamp}.").as_bytes());
    hmac.update(body);
    hmac
}

fn hmac_hex(key: &[u8], body: &[u8]) -> String {
    let hmac = keyed(key).chain_update(body).finalize();
    format!("{:x}", hmac.into_bytes())
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests;
