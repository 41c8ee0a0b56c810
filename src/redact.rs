//! URLs and foreign text without their secrets (DESIGN §8).
//!
//! Chat services put the secret of a hook into its path, others into the query or the user name. Masking
//! works on the text as the user wrote it, so that a URL is recognised in a listing; the crate url only
//! decides whether that text can be trusted to be what it looks like.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::escape::escape;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// A path segment or user name of this many characters, letters and digits among them, is a token.
const TOKEN_CHARS: usize = 16;

/// Shorter secrets are not scrubbed: `?v=2` would turn each "2" of a message into `***`.
const SCRUBBED_CHARS: usize = 4;

/// Words of an Authorization header that are no secret, and stand in many messages.
const SCHEMES: [&str; 4] = ["Basic", "Bearer", "Digest", "Token"];

/// `text`, a URL, with `***` for its password, each query value, the fragment and whatever looks like a
/// token. The rest keeps its spelling. A text that is no URL, or one whose parts are in doubt, may hold a
/// secret anywhere: it becomes `scheme://***`, or `***` without a scheme.
pub fn url(text: &str) -> String {
    match split_scheme(text) {
        None => MASK.to_owned(),
        Some((scheme, rest)) if is_doubtful(text, rest) => format!("{scheme}://{MASK}"),
        Some((scheme, rest)) => format!("{scheme}://{}", Parts::split(rest).masked()),
    }
}

/// As [`url`], for a URL without scheme and host: a relative `Location`.
pub fn path(text: &str) -> String {
    Parts::split(text).masked()
}

/// The sensitive pieces of a URL, each as written, percent-decoded and as the crate url spells it, and
/// `user:password` in the Base64 of Basic authorization (RFC 7617); of a URL whose parts are in doubt, the
/// whole as well. For [`scrub`], as a receiver may send back what it got.
pub fn secrets_in(url: &str) -> Vec<String> {
    let mut secrets = Vec::new();
    // On the wire, a URL has the spelling that the parser gave it.
    let normal = Url::parse(url).map(String::from).unwrap_or_default();
    for text in [url, &normal] {
        let rest = split_scheme(text).map_or(text, |(_, rest)| rest);
        secrets.extend(Parts::split(rest).secrets());
        if is_doubtful(text, rest) {
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

/// The pieces of a header's value that a receiver may send back: the whole, as JSON writes it, and each
/// word, as in `Bearer TOKEN` or `Token token="TOKEN"`.
pub fn secrets_in_header(value: &str) -> Vec<String> {
    let words = value.split(|c: char| c.is_whitespace() || "\"'=,;:".contains(c));
    let words = words.filter(|word| !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(word)));
    let mut secrets: Vec<String> = words.map(str::to_owned).collect();
    secrets.push(value.to_owned());
    secrets.push(value.replace('\\', "\\\\").replace('"', "\\\""));
    secrets
}

/// `text` with `***` for each occurrence of each of `secrets` that has four characters or more.
/// Occurrences that touch or overlap become one `***`, so that no end of one stays behind.
pub fn scrub(text: &str, secrets: &[String]) -> String {
    let mut found: Vec<(usize, usize)> = secrets
        .iter()
        .filter(|secret| secret.chars().count() >= SCRUBBED_CHARS)
        .flat_map(|secret| occurrences(text, secret))
        .collect();
    found.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in found {
        if start > done || done == 0 {
            out.push_str(&text[done..start]);
            out.push_str(MASK);
        }
        done = done.max(end);
    }
    out.push_str(&text[done..]);
    out
}

/// Start and end of each occurrence, those that overlap included.
fn occurrences<'a>(text: &'a str, secret: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    text.char_indices()
        .map(|(at, _)| at)
        .filter(move |&at| text[at..].starts_with(secret))
        .map(move |at| (at, at + secret.len()))
}

/// The scheme of an absolute URL (RFC 3986, 3.1) and what follows its `://`.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some((scheme, rest))
}

/// Whether the parts of `text`, with `rest` after its `://`, may be others than they look like.
fn is_doubtful(text: &str, rest: &str) -> bool {
    // The parser drops tabs and line feeds, and takes a backslash for a slash.
    let is_odd = rest.contains('\\') || matches!(escape(rest), Cow::Owned(_));
    let (authority, tail) = split_authority(rest);
    // `user:12/34@host` has the password `12/34`, and parses as port 12 of the host `user`.
    let is_cut = authority.contains(':') && tail.contains('@');
    // `http:///user@host` parses as if it had two slashes.
    is_odd || is_cut || authority.is_empty() || Url::parse(text).is_err()
}

fn split_authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
}

/// The parts of a URL as written, without the scheme.
struct Parts<'a> {
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(rest: &'a str) -> Parts<'a> {
        let (authority, tail) = split_authority(rest);
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, authority),
        };
        let (user, password) = match userinfo.and_then(|both| both.split_once(':')) {
            Some((user, password)) => (Some(user), Some(password)),
            None => (userinfo, None),
        };
        let (tail, fragment) = split_off(tail, '#');
        let (path, query) = split_off(tail, '?');
        Parts {
            user,
            password,
            host,
            path,
            query,
            fragment,
        }
    }

    fn masked(&self) -> String {
        let mut out = String::new();
        if let Some(user) = self.user {
            out.push_str(if self.user_is_secret() { MASK } else { user });
            if self.password.is_some() {
                out.push(':');
                out.push_str(MASK);
            }
            out.push('@');
        }
        out.push_str(self.host);
        out.push_str(&masked_each(self.path, '/', |segment| {
            is_secret_segment(segment).then(|| MASK.to_owned())
        }));
        if let Some(query) = self.query {
            out.push('?');
            out.push_str(&masked_each(query, '&', |pair| Some(masked_pair(pair))));
        }
        if let Some(fragment) = self.fragment {
            out.push('#');
            out.push_str(if fragment.is_empty() { "" } else { MASK });
        }
        out
    }

    fn secrets(&self) -> Vec<String> {
        let mut pieces: Vec<&str> = [self.password, self.fragment]
            .into_iter()
            .flatten()
            .collect();
        pieces.extend(self.user.filter(|_| self.user_is_secret()));
        pieces.extend(self.path.split('/').filter(|s| is_secret_segment(s)));
        for pair in self.query.into_iter().flat_map(|query| query.split('&')) {
            match pair.split_once('=') {
                Some((name, value)) => {
                    pieces.push(value);
                    pieces.extend(Some(name).filter(|name| is_token(name)));
                }
                None => pieces.push(pair),
            }
        }
        let mut secrets: Vec<String> = pieces.into_iter().flat_map(spellings).collect();
        secrets.extend(self.basic());
        secrets
    }

    /// The credentials of Basic authorization.
    fn basic(&self) -> Option<String> {
        let mut credentials: Vec<u8> = percent_decode_str(self.user?).collect();
        credentials.push(b':');
        credentials.extend(percent_decode_str(self.password.unwrap_or_default()));
        Some(STANDARD.encode(credentials))
    }

    /// Services that know only a token take it as the user name, without a password.
    fn user_is_secret(&self) -> bool {
        let alone = self.password.unwrap_or_default().is_empty();
        self.user
            .is_some_and(|user| !user.is_empty() && (alone || is_token(user)))
    }
}

/// `text` before the first `mark`, and what follows it.
fn split_off(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// `text` with each piece between `separator`s replaced where `mask` gives something.
fn masked_each(text: &str, separator: char, mask: impl Fn(&str) -> Option<String>) -> String {
    let pieces: Vec<String> = text
        .split(separator)
        .map(|piece| mask(piece).unwrap_or_else(|| piece.to_owned()))
        .collect();
    pieces.join(separator.encode_utf8(&mut [0; 4]))
}

/// A piece of a query: its name stays, unless there is nothing but it.
fn masked_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if !is_token(name) => format!("{name}={MASK}"),
        Some(_) => format!("{MASK}={MASK}"),
        None if pair.is_empty() => String::new(),
        None => MASK.to_owned(),
    }
}

/// An `@` shows a password that was cut by the slash in it.
fn is_secret_segment(segment: &str) -> bool {
    segment.contains('@') || is_token(segment)
}

fn is_token(text: &str) -> bool {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    decoded.chars().count() >= TOKEN_CHARS
        && decoded.contains(|c: char| c.is_ascii_alphabetic())
        && decoded.contains(|c: char| c.is_ascii_digit())
}

/// How a receiver may spell `piece`: as it came, percent-decoded, and as a form value.
fn spellings(piece: &str) -> [String; 3] {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    [
        piece.to_owned(),
        decode(piece),
        decode(&piece.replace('+', " ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_headers_words_are_secrets_and_its_scheme_is_not() {
        let secrets = secrets_in_header("Token token=\"abcd1234\"");
        let echo = r#"{"authorization":"Token token=\"abcd1234\""} Invalid Token abcd1234"#;
        let scrubbed = scrub(echo, &secrets);
        assert!(!scrubbed.contains("abcd1234"), "{scrubbed}");
        assert!(scrubbed.contains("Invalid Token"), "{scrubbed}");
    }

    #[test]
    fn urls_without_secrets_stay_as_written() {
        for text in [
            "https://example.com",
            "HTTPS://Example.COM:443/Hooks/../a%20b/",
            "http://[::1]:9000/cb",
            "https://bücher.example/naïve",
            "https://example.com/12345678901234567890/post-deployment-notifications",
            "https://example.com/?#",
        ] {
            assert_eq!(url(text), text);
        }
    }

    #[test]
    fn secrets_of_each_part_are_masked() {
        for (text, shown) in [
            ("https://bob:pw@h/", "https://bob:***@h/"),
            ("https://bob:p@w:x@h/", "https://bob:***@h/"),
            ("https://:pw@h/", "https://:***@h/"),
            ("https://ghp0token@h/", "https://***@h/"),
            ("https://ghp0token:@h/", "https://***:***@h/"),
            ("https://abcdefgh12345678:x@h", "https://***:***@h"),
            ("https://h/?k=s3&v=&flag", "https://h/?k=***&v=***&***"),
            ("https://h/cb?s3cret", "https://h/cb?***"),
            ("https://h?a=b=c&&", "https://h?a=***&&"),
            ("https://h?abcdefgh12345678=1", "https://h?***=***"),
            ("https://h/#s3", "https://h/#***"),
            ("https://h/@bob/x", "https://h/***/x"),
            (
                "https://hooks.slack.com/services/T0001/B0002/Xa1Xa2Xa3Xa4Xa5Xa6Xa7Xa8",
                "https://hooks.slack.com/services/T0001/B0002/***",
            ),
            ("https://h/%61bcdefgh1234567%38/x", "https://h/***/x"),
        ] {
            assert_eq!(url(text), shown, "{text}");
        }
    }

    #[test]
    fn doubtful_texts_are_masked_whole() {
        for (text, shown) in [
            ("", "***"),
            ("bob:pw@h", "***"),
            ("http:bob:pw@h", "***"),
            (" http://bob:pw@h", "***"),
            ("http://bob:p/w@h", "http://***"),
            ("http://bob:12/34@h", "http://***"),
            ("http:///bob:pw@h", "http://***"),
            ("http://h\\bob:pw@h", "http://***"),
            ("http://h/a\tb", "http://***"),
            ("http://h/\u{202e}", "http://***"),
            ("http://h:99999/", "http://***"),
        ] {
            assert_eq!(url(text), shown, "{text}");
        }
    }

    #[test]
    fn each_secret_is_listed_in_each_spelling() {
        let secrets = secrets_in("https://bob:p%40ss@h/a/abcdefgh%3112345678?k=a+%C3%BC&ü9#a/b");
        let listed = "p%40ss|p@ss|Ym9iOnBAc3M=|abcdefgh%3112345678|abcdefgh112345678\
                      |a+%C3%BC|a+ü|a ü|ü9|%C3%BC9|a/b|a\\/b";
        for secret in listed.split('|') {
            assert!(secrets.iter().any(|s| s == secret), "{secret} {secrets:?}");
        }
        assert!(secrets_in("https://example.com/cb").is_empty());
        assert!(secrets_in("http://bob:12/34@h").contains(&"bob:12/34@h".to_owned()));
        assert!(secrets_in("http://h:9000/?k=s3cret&by=a@b").contains(&"s3cret".to_owned()));
    }

    #[test]
    fn scrubbing_replaces_long_secrets_and_their_overlaps() {
        let scrubbed = |text: &str, secrets: &[&str]| {
            let secrets: Vec<String> = secrets.iter().map(|&s| s.to_owned()).collect();
            scrub(text, &secrets)
        };
        assert_eq!(scrubbed("no", &["secret"]), "no");
        assert_eq!(scrubbed("secret", &["secret"]), "***");
        assert_eq!(scrubbed("v2 is abc", &["2", "abc", ""]), "v2 is abc");
        assert_eq!(scrubbed("a secret2 b", &["secret", "secret2"]), "a *** b");
        assert_eq!(scrubbed("abcdefghi", &["abcdef", "defghi"]), "***");
        assert_eq!(scrubbed("aaaaa.aaaa", &["aaaa"]), "***.***");
        assert_eq!(scrubbed("ünïcöde ünïcöde", &["ünïcöde"]), "*** ***");
    }

    /// Texts full of what separates the parts of a URL.
    const ODD: &str = "([/?#@:\\\\%&=a1.\\[\\] \t]|\\PC){0,8}";

    proptest! {
        #[test]
        fn no_generated_secret_is_shown(
            password in "[A-Z]{4,12}", value in "[A-Z]{4,12}", token in "[A-Z]{8,12}[0-9]{8,12}",
            segment in "[a-z]{0,9}", fragment in "[A-Z]{4,9}",
        ) {
            let text = format!(
                "https://user:{password}@host/{segment}/{token}/{segment}?name={value}&{token}#{fragment}"
            );
            prop_assert_eq!(
                url(&text),
                format!("https://user:***@host/{segment}/***/{segment}?name=***&***#***")
            );
            let secrets = secrets_in(&text);
            let echo = scrub(&text, &secrets);
            for secret in [&password, &value, &token, &fragment] {
                prop_assert!(secrets.contains(secret));
                prop_assert!(!echo.contains(secret.as_str()));
            }
        }

        #[test]
        fn no_password_is_shown_however_odd_the_url(
            before in ODD, after in ODD, tail in ODD,
        ) {
            let text = format!("http://user:{before}NEEDLE{after}@host{tail}");
            prop_assert!(!url(&text).contains("NEEDLE"), "{}", url(&text));
            prop_assert!(!scrub(&text, &secrets_in(&text)).contains("NEEDLE"));
        }

        #[test]
        fn any_text_is_taken(text in any::<String>(), secrets in prop::collection::vec(any::<String>(), 3)) {
            url(&text);
            secrets_in(&text);
            scrub(&text, &secrets);
        }

        #[test]
        fn scrubbed_text_holds_no_secret(
            text in "[a-c]{0,40}", secrets in prop::collection::vec("[a-c]{4,6}", 0..4),
        ) {
            let scrubbed = scrub(&text, &secrets);
            prop_assert!(secrets.iter().all(|secret| !scrubbed.contains(secret.as_str())));
        }
    }
}
