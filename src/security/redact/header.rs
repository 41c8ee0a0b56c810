//! Headers of requests that others sent, without their secrets.

use std::borrow::Cow;

use super::{MASK, is_token, masked, url_pieces};

/// Parts of a name that say that the value is a secret, or is made with one.
const SECRET_NAMES: [&str; 9] =
    ["auth", "cookie", "credential", "key", "pass", "secret", "session", "signature", "token"];

/// Names whose values are no secrets, though they may look like tokens.
const OPEN_NAMES: [&str; 7] = [
    "accept",
    "accept-encoding",
    "content-type",
    "host",
    "user-agent",
    "webhook-event",
    "webhook-id",
];

/// The value of a header, with `***` for what is or may be a secret: the whole where the name says so, else
/// each word that looks like a token, and the sensitive parts of URLs.
pub(crate) fn header<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    let name = name.to_ascii_lowercase();
    if OPEN_NAMES.contains(&&*name) {
        return value.into();
    }
    if SECRET_NAMES.iter().any(|part| name.contains(part)) {
        return MASK.into();
    }
    let pieces = value.split(' ').flat_map(|word| match word {
        url if url.contains("://") => url_pieces(url),
        text => tokens(text),
    });
    masked(value, pieces).into()
}

fn tokens(text: &str) -> Vec<&str> {
    let ends_word = |c: char| c.is_whitespace() || "\"'=,;:()<>&?/".contains(c);
    text.split(ends_word).filter(|word| is_token(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "k3f9XzQ81mvB72pL";

    #[test]
    fn a_name_that_tells_of_a_secret_hides_the_whole() {
        for name in [
            "Authorization",
            "cookie",
            "X-Gitlab-Token",
            "x-hub-signature",
            "X-API-KEY",
            "x-amz-security-token",
        ] {
            assert_eq!(header(name, "short words"), MASK, "{name}");
        }
    }

    #[test]
    fn elsewhere_only_what_looks_like_a_token_is_hidden() {
        for (value, shown) in [
            ("no-cache, no-store", "no-cache, no-store"),
            ("203.0.113.7", "203.0.113.7"),
            ("for=192.0.2.60;proto=http", "for=192.0.2.60;proto=http"),
            (&format!("id={TOKEN};v=1"), "id=***;v=1"),
            (&format!("\"{TOKEN}\", {TOKEN}"), "\"***\", ***"),
            (&format!("/a/{TOKEN}/{TOKEN}"), "/a/***/***"),
            (
                &format!("https://example.com/{TOKEN}?a=b https://u:p@x/"),
                "https://example.com/***?a=*** https://u:***@x/",
            ),
            ("", ""),
        ] {
            assert_eq!(header("x-other", value), shown);
        }
    }

    #[test]
    fn what_a_request_is_told_apart_by_is_shown() {
        let id = "msg_019a8b7c-1234-7abc-8def-0123456789ab";
        assert_eq!(header("Webhook-Id", id), id);
    }
}
