//! The secrets that a template holds: a routing key, an account's token.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{is_token, masked, secrets_in, url_pieces};

/// `text`, a template, with `***` for what looks like a token in its constant parts, and with the URLs there
/// masked as [`super::url`] does it. Its own code, such as `{{ deployment.step_12_seconds }}`, stays.
pub(crate) fn template(text: &str) -> String {
    let secrets = |word| if is_url(word) { url_pieces(word) } else { vec![word] };
    masked(text, words(text).into_iter().flat_map(secrets))
}

/// What [`template`] masks, each as written and percent-encoded. For [`super::scrub`].
pub(crate) fn secrets_in_template(text: &str) -> Vec<String> {
    let spellings = |word| match word {
        url if is_url(url) => secrets_in(url),
        token => vec![token.to_owned(), utf8_percent_encode(token, NON_ALPHANUMERIC).to_string()],
    };
    words(text).into_iter().flat_map(spellings).collect()
}

/// The tokens in a template's constants, and the URLs, which may hold secrets.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for mut rest in constants(text) {
        while let Some(first) = rest.chars().next() {
            let length = if is_url(rest) { url_length(rest) } else { token_length(rest) };
            let (word, after) = rest.split_at(length.max(first.len_utf8()));
            if is_url(word) || is_token(word) {
                words.push(word);
            }
            rest = after;
        }
    }
    words
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
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
fn constants(text: &str) -> Vec<&str> {
    let mut constants = Vec::new();
    let mut start = 0;
    while let Some(tag) = find(text, start, &["{{", "{%", "{#"]) {
        let end = if text[tag..].starts_with("{#") {
            find(text, tag + 2, &["#}"]).unwrap_or(text.len())
        } else {
            constants.push(&text[start..tag]);
            start = tag + 2;
            let before = constants.len();
            let Some(end) = end_of_tag(text, start, &mut constants) else {
                // It has no end: all of it is constant, its quoted strings among it.
                constants.truncate(before);
                break;
            };
            let code =
                text[start..end].trim_matches(|c: char| c.is_whitespace() || "-+".contains(c));
            start = end + 2;
            match code {
                "raw" => find(text, start, &["endraw"]).unwrap_or(text.len()),
                _ => start,
            }
        };
        constants.push(&text[start..end]);
        start = end;
    }
    constants.push(&text[start..]);
    constants
}

/// Where the tag ends whose code begins at `at`; its quoted strings are constants.
fn end_of_tag<'a>(text: &'a str, mut at: usize, constants: &mut Vec<&'a str>) -> Option<usize> {
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
        constants.push(&text[next + 1..next + 1 + length]);
        at = next + length + 2;
    }
}

fn find(text: &str, from: usize, marks: &[&str]) -> Option<usize> {
    let found = |mark: &&str| text[from..].find(mark);
    marks.iter().filter_map(found).min().map(|at| from + at)
}

#[cfg(test)]
mod tests;
