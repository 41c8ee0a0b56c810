//! The secrets that a template holds: a routing key, an account's token.

use std::ops::Range;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{MASK, is_token, secrets_in, url};

/// `text`, a template, with `***` for what looks like a token in its constant parts, and with the URLs there
/// masked as [`url`] does it. Its own code, such as `{{ deployment.step_12_seconds }}`, stays.
pub(crate) fn template(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for Word { place, is_url } in words(text) {
        let word = &text[place.clone()];
        out.push_str(&text[done..place.start]);
        if is_url {
            out.push_str(&url(word));
        } else {
            out.push_str(MASK);
        }
        done = place.end;
    }
    out.push_str(&text[done..]);
    out
}

/// What [`template`] masks, each as written and percent-encoded. For [`super::scrub`].
pub(crate) fn secrets_in_template(text: &str) -> Vec<String> {
    let words = words(text).into_iter();
    words
        .flat_map(|word| match (&text[word.place], word.is_url) {
            (url, true) => secrets_in(url),
            (token, false) => {
                vec![token.to_owned(), utf8_percent_encode(token, NON_ALPHANUMERIC).to_string()]
            }
        })
        .collect()
}

/// A part of a template's constants that holds a secret, or is a URL that may.
struct Word {
    place: Range<usize>,
    is_url: bool,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for constant in constants(text) {
        let mut at = constant.start;
        while at < constant.end {
            let rest = &text[at..constant.end];
            let is_url = rest.starts_with("http://") || rest.starts_with("https://");
            let length = if is_url { url_length(rest) } else { token_length(rest) };
            if is_url || is_token(&rest[..length]) {
                let place = at..at + length;
                words.push(Word { place, is_url });
            }
            at += length.max(rest.chars().next().map_or(1, char::len_utf8));
        }
    }
    words
}

fn url_length(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'<>{}|\\^`".contains(c);
    text.find(ends).unwrap_or(text.len())
}

/// Of Base64 in both alphabets, of a UUID, of any of them percent-encoded.
fn token_length(text: &str) -> usize {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "_-+/%".contains(c);
    let rest = text.trim_start_matches(belongs);
    let padding = rest.len() - rest.trim_start_matches('=').len();
    let length = text.len() - rest.len();
    length + if length > 0 { padding } else { 0 }
}

/// The text between the tags, and the quoted strings in them. What is no template is constant.
fn constants(text: &str) -> Vec<Range<usize>> {
    let mut constants = Vec::new();
    let mut start = 0;
    while let Some(tag) = find(text, start, &["{{", "{%", "{#"]) {
        constants.push(start..tag);
        start = tag + 2;
        if text[tag..].starts_with("{#") {
            let end = find(text, start, &["#}"]).unwrap_or(text.len());
            constants.push(start..end);
            start = end;
            continue;
        }
        let Some(end) = end_of_tag(text, start, &mut constants) else {
            constants.push(start..text.len());
            return constants;
        };
        let code = &text[start..end];
        start = end + 2;
        if code.trim_matches(|c: char| c.is_whitespace() || "-+".contains(c)) == "raw" {
            let end = find(text, start, &["endraw"]).unwrap_or(text.len());
            constants.push(start..end);
            start = end;
        }
    }
    constants.push(start..text.len());
    constants
}

/// Where the tag ends whose code begins at `at`; its quoted strings are constants.
fn end_of_tag(text: &str, mut at: usize, constants: &mut Vec<Range<usize>>) -> Option<usize> {
    loop {
        let next = find(text, at, &["'", "\"", "}}", "%}"])?;
        let quote @ (b'\'' | b'"') = text.as_bytes()[next] else {
            return Some(next);
        };
        let mut is_escaped = false;
        let is_end = |byte: &u8| {
            let ends = *byte == quote && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            ends
        };
        let length = text.as_bytes()[next + 1..].iter().position(is_end)?;
        constants.push(next + 1..next + 1 + length);
        at = next + length + 2;
    }
}

fn find(text: &str, from: usize, marks: &[&str]) -> Option<usize> {
    let found = |mark: &&str| text[from..].find(mark);
    marks.iter().filter_map(found).min().map(|at| from + at)
}

#[cfg(test)]
mod tests;
