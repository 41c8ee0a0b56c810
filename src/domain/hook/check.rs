//! What may stand in a hook: its URL, its name, its event, its headers. A refusal never quotes a URL or a header's
//! value, which may be secrets.

use url::Url;

use crate::security::redact::{is_scheme, split_authority};

/// Servers and proxies take no longer request lines than 8 KiB, if that.
const LONGEST_URL: usize = 8 * 1024;

/// Parses a hook's URL: `scheme://host` in the text, http or https, a port from 1 to 65535, no
/// control characters or white space (docs/design.md §8). The error says why it cannot be one.
pub(crate) fn check_url(text: &str) -> Result<Url, String> {
    if let Some(marks) = enclosing(text.trim()) {
        return Err(format!("{marks} are not part of a URL: write it without them"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("a URL has no white space and no control characters".to_owned());
    }
    if text.len() > LONGEST_URL {
        return Err(format!("a URL has at most {LONGEST_URL} bytes"));
    }
    let authority = split_authority(after_scheme(text)?).0;
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with([':', '\\']) {
        return Err("an absolute URL is wanted: http:// or https:// and a host".to_owned());
    }
    match Url::parse(text) {
        Ok(url) if url.port() != Some(0) => Ok(url),
        Ok(_) | Err(url::ParseError::InvalidPort) => {
            Err("the port must be a number from 1 to 65535".to_owned())
        }
        // The crate url's words quote nothing.
        Err(cause) => Err(cause.to_string()),
    }
}

/// What stands around a URL that was pasted with it. None of these begins a URL; a few may end one.
fn enclosing(text: &str) -> Option<&'static str> {
    if text.starts_with(['"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»'])
        || text.ends_with(['"', '`', '“', '”', '»'])
    {
        return Some("quotation marks");
    }
    let is_bracketed = text.starts_with(['<', '(', '[', '{']) || text.ends_with('>');
    is_bracketed.then_some("brackets")
}

/// What follows `http://` or `https://`. The crate url also takes `http:host` and `http:///host`, as
/// browsers do.
fn after_scheme(text: &str) -> Result<&str, &'static str> {
    let (before, after) = text.split_once(':').unwrap_or(("", text));
    let is_http = ["http", "https"].iter().any(|known| before.eq_ignore_ascii_case(known));
    let lacks_colon = text.starts_with("http//") || text.starts_with("https//");
    match after.strip_prefix("//") {
        Some(rest) if is_http => Ok(rest),
        Some(_) if is_scheme(before) => Err("only http:// and https:// are spoken"),
        _ if is_http || lacks_colon => Err("after the scheme stands ://, as in https://HOST/PATH"),
        _ => Err("the scheme is missing: write https:// (or http://) before the host"),
    }
}

/// Whether two URLs are the same for the registry: exactly, apart from the case of scheme and host.
pub(crate) fn same_url(a: &str, b: &str) -> bool {
    a == b || (a.eq_ignore_ascii_case(b) && comparable(a) == comparable(b))
}

fn comparable(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = split_authority(rest);
    let (user, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    format!("{}://{user}{}{path}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
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

/// Checks a name: 1 to 64 of `A-Z a-z 0-9 . _ -`, first a letter, and not the start of a publication's id
/// or of a secret (docs/design.md §11).
pub(crate) fn check_name(text: &str) -> Result<(), &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if text.len() > 64
        || !text.starts_with(|c: char| c.is_ascii_alphabetic())
        || !text.bytes().all(allowed)
    {
        return Err("a name is 1 to 64 letters, digits or . _ -, the first a letter");
    }
    match text.to_ascii_lowercase() {
        name if name.starts_with("msg_") => {
            Err("a name that begins with msg_ would be a publication's id")
        }
        // Typed in the wrong place it is not to be said again.
        name if name.starts_with("whsec_") => Err("what begins with whsec_ is a secret"),
        _ => Ok(()),
    }
}

/// Checks an additional header; an empty value is allowed here, it clears in `edit`. The error says why it cannot be
/// sent.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), String> {
    // A token of RFC 9110, section 5.1.
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || name.len() > 100 || !name.bytes().all(token) {
        return Err("a header's name is letters, digits and -".to_owned());
    }
    if !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
        return Err("a header's value is printable ASCII on one line".to_owned());
    }
    let name = name.to_ascii_lowercase();
    if OWN.contains(&&*name) {
        return Err(format!("{name} is set by hooks itself"));
    }
    if CONNECTION.contains(&&*name) {
        return Err(format!("{name} is about the connection, which hooks makes itself"));
    }
    Ok(())
}

/// The headers that a delivery is verified by, and the two that no request is without (docs/design.md §4).
const OWN: [&str; 7] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-event",
    "webhook-signature",
    "x-hub-signature-256",
    "content-length",
    "host",
];

/// About the connection or the message's length (RFC 9110, section 7.6.1; RFC 9112, section 6).
const CONNECTION: [&str; 9] = [
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "upgrade",
    "expect",
    "te",
    "trailer",
];

#[cfg(test)]
mod tests;
