//! A `CloudEvents` 1.0 envelope in structured mode, as a queue gives it (docs/design.md §12).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::deployment::{self, Deployment};
use super::json::JsonError;

/// The largest envelope, in bytes: a deployment in Base64, and room for the attributes.
pub(crate) const LIMIT: usize = 2 * deployment::LIMIT;

/// What an envelope holds.
#[derive(Debug, Clone)]
pub(crate) struct CloudEvent {
    /// The webhook-id: the same however often the event comes.
    pub(crate) id: String,
    /// Its `type`.
    pub(crate) event: String,
    /// Its `data`, byte for byte.
    pub(crate) deployment: Deployment,
}

impl CloudEvent {
    /// Reads an envelope of at most [`LIMIT`]. Attributes that are not needed may be anything.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, JsonError> {
        if bytes.len() > LIMIT {
            let what = "more than 2 MiB, the most that an envelope may be";
            return Err(JsonError::at(&bytes, LIMIT, what));
        }
        let envelope = Deployment::object(bytes)?;
        let text = |key| envelope.text_of(key).filter(|text| !text.is_empty());
        let wanted =
            |key| text(key).ok_or_else(|| wrong(&envelope, format!("the envelope has no {key}")));
        if wanted("specversion")? != "1.0" {
            return Err(wrong(&envelope, "the specversion is not 1.0"));
        }
        let (id, source) = (wanted("id")?, wanted("source")?);
        Ok(Self {
            id: webhook_id(&source, id),
            event: wanted("type")?,
            deployment: data(&envelope)?,
        })
    }
}

fn wrong(envelope: &Deployment, what: impl Into<String>) -> JsonError {
    JsonError::at(envelope.as_str().as_bytes(), 0, what)
}

fn data(envelope: &Deployment) -> Result<Deployment, JsonError> {
    let (key, bytes) = match ["data", "data_base64"].map(|key| envelope.last_value(key)) {
        [Some(data), None] => ("data", data.as_bytes().to_vec()),
        [None, Some(_)] => {
            let text = envelope.text_of("data_base64").unwrap_or_default();
            let decoded = STANDARD.decode(text);
            let bytes = decoded.map_err(|_| wrong(envelope, "data_base64 is not Base64"))?;
            ("data_base64", bytes)
        }
        [None, None] => return Err(wrong(envelope, "the envelope has no data")),
        [Some(_), Some(_)] => {
            return Err(wrong(envelope, "the envelope has both data and data_base64"));
        }
    };
    Deployment::parse(bytes).map_err(|error| wrong(envelope, format!("{key}: {error}")))
}

/// The id itself if it is one of ours, or one by Standard Webhooks; else a UUID of version 8 from `source` and
/// `id`, which together are unique.
fn webhook_id(source: &str, id: String) -> String {
    let is_ours = id.strip_prefix("msg_").is_some_and(|rest| {
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=64).contains(&rest.len()) && rest.bytes().all(is_word)
    });
    if is_ours {
        return id;
    }
    let hash = Sha256::digest([Sha256::digest(source), Sha256::digest(id)].concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    format!("msg_{}", uuid::Builder::from_custom_bytes(bytes).as_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(envelope: &str) -> String {
        let parsed = CloudEvent::parse(envelope.as_bytes().to_vec());
        parsed.unwrap_err().to_string()
    }

    #[test]
    fn an_id_is_kept_if_it_is_a_webhook_id_and_else_derived() {
        for id in ["msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "msg_01a2121c-0d8f-72e9-b13c-c421e67db941"] {
            assert_eq!(webhook_id("/a", id.to_owned()), id);
        }
        let derived = |source, id: &str| webhook_id(source, id.to_owned());
        let first = derived("/a", "1");
        assert_eq!(first, "msg_d2da4b4f-b76f-85a4-866a-c194994e0bed");
        let others = [
            ("/b", "1"),
            ("/a", "2"),
            ("/a1", ""),
            ("/a", "msg_"),
            ("/a", "msg_a b"),
            ("/a", "msg_\r\nx: y"),
        ];
        for (source, id) in others {
            let other = derived(source, id);
            assert_ne!(other, first, "{source} {id}");
            assert_eq!((other.len(), other.as_bytes()[18]), (40, b'8'), "{other}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_refused_by_its_part() {
        let whole = r#"{"specversion":"1.0","id":"1","source":"/s","type":"T","data":{}}"#;
        assert!(CloudEvent::parse(whole.into()).is_ok());
        for (part, without, why) in [
            (r#""specversion":"1.0","#, "", "the envelope has no specversion"),
            (r#""1.0""#, r#""0.3""#, "the specversion is not 1.0"),
            (r#""id":"1","#, "", "the envelope has no id"),
            (r#""id":"1""#, r#""id":"""#, "the envelope has no id"),
            (r#""/s""#, "7", "the envelope has no source"),
            (r#","type":"T""#, "", "the envelope has no type"),
            (r#","data":{}"#, "", "the envelope has no data"),
            ("{}}", r#"{},"data_base64":"e30="}"#, "the envelope has both data and data_base64"),
            (r#"data":{}"#, r#"data_base64":"e30""#, "data_base64 is not Base64"),
        ] {
            let broken = whole.replacen(part, without, 1);
            assert!(refusal(&broken).ends_with(why), "{broken}: {}", refusal(&broken));
        }
    }
}
