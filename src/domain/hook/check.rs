//! What may stand in a hook: its URL, its event, its headers.

use url::Url;

/// Why a URL cannot be a hook's. The text never quotes the URL, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    /// It stands in quotation marks or in brackets, as mails and chats write it.
    #[error("{0} are not part of a URL: write it without them")]
    Enclosed(&'static str),
    /// It has a space, a tab, a line end or another control character.
    #[error("a URL has no white space and no control characters")]
    Character,
    /// It begins with the host.
    #[error("the scheme is missing: write https:// (or http://) before the host")]
    NoScheme,
    /// It has a scheme, and not a colon and two slashes after it.
    #[error("after the scheme stands ://, as in https://HOST/PATH")]
    Slashes,
    /// It has a scheme that is not HTTP's.
    #[error("only http:// and https:// are spoken")]
    Scheme,
    /// No host follows the scheme.
    #[error("an absolute URL is wanted: http:// or https:// and a host")]
    NoHost,
    /// It is longer than servers take.
    #[error("a URL has at most {LONGEST_URL} bytes")]
    Length,
    /// The port is not a number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// Something else that no URL has; the crate url's words, which quote nothing.
    #[error("{0}")]
    Syntax(url::ParseError),
}

/// Servers and proxies take no longer request lines than 8 KiB, if that.
const LONGEST_URL: usize = 8 * 1024;

/// Parses a hook's URL: `scheme://host` in the text, http or https, a port from 1 to 65535, no
/// control characters or white space (docs/design.md §8).
pub(crate) fn check_url(text: &str) -> Result<Url, UrlError> {
    if let Some(marks) = enclosing(text.trim()) {
        return Err(UrlError::Enclosed(marks));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(UrlError::Character);
    }
    if text.len() > LONGEST_URL {
        return Err(UrlError::Length);
    }
    let rest = after_scheme(text)?;
    if host(rest).is_empty() || host(rest).starts_with([':', '\\']) {
        return Err(UrlError::NoHost);
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
fn after_scheme(text: &str) -> Result<&str, UrlError> {
    let (before, after) = text.split_once(':').unwrap_or(("", text));
    let is_http = ["http", "https"].iter().any(|known| before.eq_ignore_ascii_case(known));
    match after.strip_prefix("//") {
        Some(rest) if is_http => Ok(rest),
        None if is_http => Err(UrlError::Slashes),
        Some(_) if is_scheme(before) => Err(UrlError::Scheme),
        _ if text.starts_with("http//") || text.starts_with("https//") => Err(UrlError::Slashes),
        _ => Err(UrlError::NoScheme),
    }
}

/// Whether a text may be a URL's scheme (RFC 3986, 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
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

/// Why a header cannot be sent. The text never quotes the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeaderError {
    /// The name is not a token (RFC 9110, section 5.1).
    #[error("a header's name is letters, digits and -")]
    Name,
    /// The value has a control character or is not ASCII.
    #[error("a header's value is printable ASCII on one line")]
    Value,
    /// The tool sets this header itself.
    #[error("{0} is set by hooks itself")]
    Own(String),
    /// It is about the connection or the message's length (RFC 9110, section 7.6.1; RFC 9112, section 6).
    #[error("{0} is about the connection, which hooks makes itself")]
    Connection(String),
}

/// Checks an additional header; an empty value is allowed here, it clears in `edit`.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), HeaderError> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || name.len() > 100 || !name.bytes().all(token) {
        return Err(HeaderError::Name);
    }
    if !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
        return Err(HeaderError::Value);
    }
    let name = name.to_ascii_lowercase();
    if OWN.contains(&&*name) {
        return Err(HeaderError::Own(name));
    }
    if CONNECTION.contains(&&*name) {
        return Err(HeaderError::Connection(name));
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
