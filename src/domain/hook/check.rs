//! What may stand in a hook: its URL, its event, its headers.

use std::fmt;

use url::Url;

/// Why a URL cannot be a hook's. The text never quotes the URL, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UrlError {
    /// It has a space, a tab, a line end or another control character.
    Character,
    /// It does not begin with `http://` or `https://` and a host.
    Start,
    /// It is longer than servers take.
    Length,
    /// The port is not a number from 1 to 65535.
    Port,
    /// Something else that no URL has; the crate url's words, which quote nothing.
    Syntax(url::ParseError),
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character => f.write_str("a URL has no white space and no control characters"),
            Self::Start => f.write_str("an absolute URL is wanted: http:// or https:// and a host"),
            Self::Length => write!(f, "a URL has at most {LONGEST_URL} bytes"),
            Self::Port => f.write_str("the port must be a number from 1 to 65535"),
            Self::Syntax(cause) => write!(f, "{cause}"),
        }
    }
}

/// Servers and proxies take no longer request lines than 8 KiB, if that.
const LONGEST_URL: usize = 8 * 1024;

/// Parses a hook's URL: `scheme://host` in the text, http or https, a port from 1 to 65535, no
/// control characters or white space (docs/design.md §8).
pub(crate) fn check_url(text: &str) -> Result<Url, UrlError> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(UrlError::Character);
    }
    if text.len() > LONGEST_URL {
        return Err(UrlError::Length);
    }
    // The crate url also takes `http:host` and `http:///host`, as browsers do.
    let after_scheme = ["http://", "https://"].iter().find_map(|scheme| {
        let head = text.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme)
            .then(|| &text[scheme.len()..])
    });
    if after_scheme.is_none_or(|rest| host(rest).starts_with([':', '\\']) || host(rest).is_empty())
    {
        return Err(UrlError::Start);
    }
    let url = Url::parse(text).map_err(|cause| match cause {
        url::ParseError::InvalidPort => UrlError::Port,
        cause => UrlError::Syntax(cause),
    })?;
    if url.port() == Some(0) {
        return Err(UrlError::Port);
    }
    Ok(url)
}

/// Host and port of what follows the scheme; user and password stand before them.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// Whether two URLs are the same for the registry: exactly, apart from the case of scheme and host.
pub(crate) fn same_url(a: &str, b: &str) -> bool {
    a == b || (a.eq_ignore_ascii_case(b) && comparable(a) == comparable(b))
}

fn comparable(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    format!(
        "{}://{user}{}{path}",
        scheme.to_ascii_lowercase(),
        host.to_ascii_lowercase()
    )
}

/// The certificates of a PEM text, without what else stands in it: such files often hold a private key.
pub(crate) fn certificates_in(pem: &str) -> String {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let block = |text: &str| Some(format!("{BEGIN}{}{END}\n", text.split_once(END)?.0));
    pem.split(BEGIN).skip(1).filter_map(block).collect()
}

/// Checks an event's name: 1 to 100 of `A-Z a-z 0-9 . _ : / -` (docs/design.md §1).
pub(crate) fn check_event(text: &str) -> Result<(), &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
    if (1..=100).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(());
    }
    Err("an event is 1 to 100 letters, digits or . _ : / -")
}

/// Why a header cannot be sent. The text never quotes the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// The name is not a token (RFC 9110, section 5.1).
    Name,
    /// The value has a control character or is not ASCII.
    Value,
    /// The tool sets this header itself.
    Owned(String),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("a header's name is letters, digits and -"),
            Self::Value => f.write_str("a header's value is printable ASCII on one line"),
            Self::Owned(name) => write!(f, "{name} is set by hooks itself"),
        }
    }
}

/// Checks an additional header; an empty value is allowed here, it clears in `edit`.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), HeaderError> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || name.len() > 100 || !name.bytes().all(token) {
        return Err(HeaderError::Name);
    }
    if !value
        .bytes()
        .all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
    {
        return Err(HeaderError::Value);
    }
    let name = name.to_ascii_lowercase();
    if is_owned(&name) {
        return Err(HeaderError::Owned(name));
    }
    Ok(())
}

/// Headers that frame the request or that receivers verify a delivery by.
fn is_owned(name: &str) -> bool {
    const OWNED: [&str; 10] = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "expect",
        "te",
        "trailer",
        "proxy-authorization",
        "x-hub-signature-256",
    ];
    OWNED.contains(&name) || name.starts_with("webhook-")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_are_absolute_http_with_a_host_and_a_port() {
        for good in [
            "http://h",
            "HTTPS://Example.com:65535/a?b=c#d",
            "http://user:p%40ss@127.0.0.1:1/",
            "http://[::1]:9000/cb",
            "https://:token@h/",
            "https://bücher.example/",
        ] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "h",
            "http:h/x",
            "http:/h",
            "http:///h",
            "http://",
            "http://:80/",
            "http://user@/",
            "http://user@:80/",
            "http://\\\\h/",
            "ftp://h/",
            "http://h:0/",
            "http://h:65536/",
            "http://h:x/",
            "http://h /",
            "http://h/\n",
            "http://h/\u{85}",
            "http://[::1/",
            "http://a b@h/",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn urls_compare_exactly_apart_from_scheme_and_host() {
        assert!(same_url("HTTP://Example.COM/a", "http://example.com/a"));
        assert!(!same_url("http://example.com/a", "http://example.com/A"));
        assert!(!same_url(
            "http://User@example.com/",
            "http://user@example.com/"
        ));
        assert!(!same_url("http://example.com", "http://example.com/"));
    }

    #[test]
    fn only_certificates_are_taken_from_a_pem_file() {
        let block = |kind: &str| format!("-----BEGIN {kind}-----\nabc\n-----END {kind}-----\n");
        let (key, certificate) = (block("PRIVATE KEY"), block("CERTIFICATE"));
        let both = format!("{key}{certificate}text\n{certificate}");
        assert_eq!(
            certificates_in(&both),
            format!("{certificate}{certificate}")
        );
        assert_eq!(certificates_in(&key), "");
    }

    #[test]
    fn events_are_short_names() {
        for good in ["PostDeployment", "a", "a.b_c:d/e-f", &"x".repeat(100)] {
            assert_eq!(check_event(good), Ok(()), "{good}");
        }
        for bad in ["", "*", "a b", "ü", "a\n", &"x".repeat(101)] {
            assert!(check_event(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn headers_cannot_break_out_or_forge() {
        assert_eq!(check_header("X-Token", "a b\tc"), Ok(()));
        assert_eq!(check_header("Authorization", "Bearer x"), Ok(()));
        assert_eq!(check_header("", "x"), Err(HeaderError::Name));
        assert_eq!(check_header("a b", "x"), Err(HeaderError::Name));
        assert_eq!(check_header("A", "x\r\nHost: y"), Err(HeaderError::Value));
        assert_eq!(check_header("A", "ü"), Err(HeaderError::Value));
        for owned in [
            "Host",
            "content-length",
            "Webhook-Id",
            "X-Hub-Signature-256",
        ] {
            assert!(
                matches!(check_header(owned, "x"), Err(HeaderError::Owned(_))),
                "{owned}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_passes_as_a_url_is_one(
            text in prop_oneof![any::<String>(), "(?i)https?://[a-z0-9:@/?#\\\\\\[\\].%-]{0,30}"],
        ) {
            let Ok(url) = check_url(&text) else { return Ok(()) };
            prop_assert!(matches!(url.scheme(), "http" | "https"));
            prop_assert!(url.host_str().is_some_and(|host| !host.is_empty()));
            prop_assert!(url.port_or_known_default().is_some_and(|port| port > 0));
            prop_assert!(!text.chars().any(|c| c.is_control() || c.is_whitespace()));
            prop_assert!(same_url(&text, &text));
        }

        #[test]
        fn what_passes_as_a_header_is_one_line(name in any::<String>(), value in any::<String>()) {
            if check_header(&name, &value).is_ok() {
                let line = [name, value].concat();
                prop_assert!(!line.contains(['\r', '\n', '\0']));
            }
        }
    }
}
