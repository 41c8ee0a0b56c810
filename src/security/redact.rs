//! URLs and foreign text without their secrets (docs/design.md §8).
//!
//! Chat services put the secret of a hook into its path, others into the query or the user name. Masking
//! works on the text as the user wrote it, so that a URL is recognised in a listing; the crate url only
//! decides whether that text can be trusted to be what it looks like.

mod header;
mod places;
mod template;

use std::borrow::Cow;
use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::security::escape::escape;

pub(crate) use header::header;
pub(crate) use places::is_host;
pub(crate) use template::{secrets_in_template, template};

/// What stands in place of a secret.
pub(crate) const MASK: &str = "***";

/// A path segment or user name of this many characters, letters and digits among them, is a token.
const TOKEN_CHARS: usize = 16;

/// Shorter secrets are not scrubbed: `?v=2` would turn each "2" of a message into `***`.
const SCRUBBED_CHARS: usize = 4;

/// Words of an Authorization header that are no secret, and stand in many messages.
const SCHEMES: [&str; 4] = ["Basic", "Bearer", "Digest", "Token"];

/// `text`, a URL, with `***` for its password, each query value, the fragment, whatever looks like a token,
/// and where a known service has its secret. The rest keeps its spelling. A text that is no URL, or one whose
/// parts are in doubt, may hold a secret anywhere: it becomes `scheme://***`, or `***` without a scheme.
pub(crate) fn url(text: &str) -> String {
    masked(text, url_pieces(text))
}

/// As [`url`], for a URL without scheme and host: a relative `Location`.
pub(crate) fn path(text: &str) -> String {
    masked(text, pieces(text, ""))
}

/// A host's name, with `***` for its first label where that is a service's secret.
pub(crate) fn host(name: &str) -> String {
    masked(name, secret_label(name, name))
}

/// The sensitive pieces of a URL, each as written, percent-decoded and as the crate url spells it, and
/// `user:password` in the Base64 of Basic authorization (RFC 7617); of a URL whose parts are in doubt, the
/// whole as well. For [`scrub`], as a receiver may send back what it got.
pub(crate) fn secrets_in(url: &str) -> Vec<String> {
    let mut secrets = Vec::new();
    // On the wire, a URL has the spelling that the parser gave it.
    let normal = Url::parse(url).map(String::from).unwrap_or_default();
    for text in [url, &normal] {
        let rest = split_scheme(text).map_or(text, |(_, rest)| rest);
        let site = site(text, rest);
        let pieces = pieces(rest, site.as_deref().unwrap_or_default());
        secrets.extend(pieces.into_iter().flat_map(spellings));
        if let Some((user, _)) = split_authority(rest).0.rsplit_once('@') {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            secrets.push(basic(user, password));
        }
        if site.is_none() {
            secrets.extend([text.to_owned(), rest.to_owned()]);
        }
    }
    // PHP writes `/` as `\/` in JSON.
    let escaped: Vec<String> = secrets.iter().map(|s| s.replace('/', "\\/")).collect();
    secrets.extend(escaped);
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

/// The pieces of a header's value that a receiver may send back: the whole, as JSON writes it, each word, as
/// in `Bearer TOKEN` or `Token token="TOKEN"`, and what a `Basic` value holds.
pub(crate) fn secrets_in_header(value: &str) -> Vec<String> {
    let words = value.split(|c: char| c.is_whitespace() || "\"'=,;:".contains(c));
    let words = words.filter(|word| !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(word)));
    let mut secrets: Vec<String> = words.map(str::to_owned).collect();
    secrets.push(value.to_owned());
    secrets.push(value.replace('\\', "\\\\").replace('"', "\\\""));
    secrets.extend(basic_credentials(value));
    secrets
}

/// The credentials of Basic authorization (RFC 7617) of a URL's user and password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    STANDARD.encode([decoded(user), b":".into(), decoded(password)].concat())
}

/// `user:password` of a Basic authorization, and of the two what is secret: the password or, where there is
/// none, the user, which is a token then.
fn basic_credentials(value: &str) -> Vec<String> {
    let encoded = match value.trim().split_once(char::is_whitespace) {
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("Basic") => encoded.trim(),
        _ => return Vec::new(),
    };
    // Programs read Base64 with or without its padding.
    let Ok(decoded) = STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')) else {
        return Vec::new();
    };
    let pair = String::from_utf8_lossy(&decoded).into_owned();
    let secret = match pair.split_once(':') {
        Some((user, "")) => user,
        Some((_, password)) => password,
        None => &pair,
    };
    let mut secrets = spellings(secret).to_vec();
    secrets.push(pair);
    secrets
}

/// `text` with `***` for each occurrence of each of `secrets` that has four characters or more.
pub(crate) fn scrub(text: &str, secrets: &[String]) -> String {
    let mut found = Vec::new();
    for secret in secrets.iter().filter(|secret| secret.chars().count() >= SCRUBBED_CHARS) {
        let places = text.char_indices().map(|(at, _)| at..at + secret.len());
        found.extend(places.filter_map(|place| text.get(place)).filter(|piece| piece == secret));
    }
    found.sort_unstable_by_key(|piece| piece.as_ptr());
    masked(text, found)
}

/// `text` with `***` in place of these pieces of it, which come in their order. Those that touch or overlap
/// become one `***`, so that no end of one stays behind.
fn masked<'a>(text: &'a str, pieces: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for piece in pieces {
        let start = piece.as_ptr().addr() - text.as_ptr().addr();
        if start > done || done == 0 {
            out.push_str(&text[done..start]);
            out.push_str(MASK);
        }
        done = done.max(start + piece.len());
    }
    out.push_str(&text[done..]);
    out
}

/// What [`url`] masks, in its order.
fn url_pieces(text: &str) -> Vec<&str> {
    let Some((_, rest)) = split_scheme(text) else {
        return vec![text];
    };
    site(text, rest).map_or(vec![rest], |site| pieces(rest, &site))
}

/// The secret pieces of a URL without its scheme, in their order. `site` is the host as the parser reads it: the
/// service.
fn pieces<'a>(rest: &'a str, site: &str) -> Vec<&'a str> {
    let (authority, tail) = split_authority(rest);
    let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match userinfo.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (userinfo, None),
    };
    let (tail, fragment) = tail.split_once('#').unwrap_or((tail, ""));
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));

    let mut pieces = Vec::new();
    // Services that know only a token take it as the user name, without a password.
    let is_alone = !user.is_empty() && password.unwrap_or_default().is_empty();
    pieces.extend(Some(user).filter(|user| is_alone || is_token(user)));
    pieces.extend(password);
    pieces.extend(secret_label(host, site));
    let known = places::secrets(site, path);
    for (at, segment) in path.split('/').enumerate() {
        // An `@` shows a password that was cut by the slash in it.
        if segment.contains('@') || is_token(segment) || known.contains(&at) {
            pieces.push(segment);
        }
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some((name, value)) if is_token(name) => pieces.extend([name, value]),
            Some((_, value)) => pieces.push(value),
            None => pieces.push(pair),
        }
    }
    pieces.extend(Some(fragment).filter(|fragment| !fragment.is_empty()));
    pieces
}

/// The scheme of an absolute URL, and what follows its `://`.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    text.split_once("://").filter(|(scheme, _)| is_scheme(scheme))
}

/// Whether a text may be a URL's scheme (RFC 3986, 3.1).
pub(crate) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// The host of `text`, with `rest` after its `://`, in small letters; `None` if the parts of the text may be
/// others than they look like.
fn site(text: &str, rest: &str) -> Option<String> {
    // The parser drops tabs and line feeds, and takes a backslash for a slash.
    let is_odd = rest.contains('\\') || matches!(escape(rest), Cow::Owned(_));
    let (authority, tail) = split_authority(rest);
    // `user:12/34@host` has the password `12/34`, and parses as port 12 of the host `user`.
    let is_cut = authority.contains(':') && tail.contains('@');
    // `http:///user@host` parses as if it had two slashes.
    if is_odd || is_cut || authority.is_empty() {
        return None;
    }
    if let Some(host) = plain_host(authority) {
        return Some(host.to_owned());
    }
    let url = Url::parse(text).ok()?;
    let host = url.host_str().unwrap_or_default();
    Some(host.trim_end_matches('.').to_ascii_lowercase())
}

/// The host of an authority that the parser would take as it is. A listing of many hooks has many of these, and
/// parsing takes longer than all the rest.
fn plain_host(authority: &str) -> Option<&str> {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-.".contains(&c);
    let is_port = (1..5).contains(&port.len()) && port.bytes().all(|c| c.is_ascii_digit());
    let last = host.rsplit('.').next()?;
    let is_name = last.starts_with(|c: char| c.is_ascii_lowercase()) && !host.contains("xn--");
    let is_host = is_name || host.parse::<Ipv4Addr>().is_ok();
    (is_host && is_port && host.bytes().all(is_plain)).then_some(host)
}

/// User, password, host and port of what follows a URL's scheme, and the rest.
pub(crate) fn split_authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
}

/// The start of a host, if that is a secret of this service.
fn secret_label<'a>(host: &'a str, site: &str) -> Option<&'a str> {
    host.split('.').next().filter(|_| places::has_secret_label(site))
}

fn is_token(text: &str) -> bool {
    // Decoding makes no text longer.
    if text.len() < TOKEN_CHARS {
        return false;
    }
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    if decoded.chars().count() < TOKEN_CHARS {
        return false;
    }
    let count = |is: fn(&u8) -> bool| decoded.bytes().filter(is).count();
    let (digits, upper) = (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase));
    let letters = upper + count(u8::is_ascii_lowercase);
    // One without a digit, which chance makes, has about as many capitals as small letters; words have
    // fewer.
    let mixed = decoded.bytes().all(|b| b.is_ascii_alphabetic())
        && (letters / 4..=letters * 3 / 4).contains(&upper);
    letters > 0 && (digits > 0 || mixed)
}

/// How a receiver may spell `piece`: as it came, percent-decoded, and as a form value.
fn spellings(piece: &str) -> [String; 3] {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let form = decode(&piece.replace('+', " "));
    [piece.to_owned(), decode(piece), form]
}

#[cfg(test)]
mod tests;
