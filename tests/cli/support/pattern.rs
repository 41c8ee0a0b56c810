//! Compares a complete output with what a test expects, where the test may leave open what varies.
//!
//! A placeholder stands for one thing and only where the test wrote it; everything else must be equal.

/// How many bytes at the start of a text a placeholder stands for, if the text begins with one of its kind.
type Taken = fn(&str) -> Option<usize>;

/// What a placeholder stands for.
const PLACEHOLDERS: [(&str, Taken); 7] = [
    ("[ID]", webhook_id),
    ("[TIME]", time),
    ("[MS]", duration),
    ("[PORT]", port),
    ("[NUMBER]", number),
    ("[SECRET]", secret),
    ("[LINE]", rest_of_line),
];

/// Whether the whole of `actual` is what `expected` describes.
pub(crate) fn matches(expected: &str, actual: &str) -> bool {
    let (mut expected, mut actual) = (expected, actual);
    while !expected.is_empty() {
        let placeholder = PLACEHOLDERS
            .iter()
            .find(|(name, _)| expected.starts_with(name));
        if let Some((name, length)) = placeholder {
            let Some(taken) = length(actual) else {
                return false;
            };
            (expected, actual) = (&expected[name.len()..], &actual[taken..]);
        } else {
            let (wanted, found) = (expected.chars().next(), actual.chars().next());
            if wanted != found {
                return false;
            }
            let width = wanted.map_or(0, char::len_utf8);
            (expected, actual) = (&expected[width..], &actual[width..]);
        }
    }
    actual.is_empty()
}

/// Both texts line by line, `-` for what was expected and `+` for what came, equal lines once.
pub(crate) fn difference(expected: &str, actual: &str) -> String {
    let (wanted, found): (Vec<_>, Vec<_>) = (lines(expected), lines(actual));
    let head = wanted
        .iter()
        .zip(&found)
        .take_while(|(w, f)| matches(w, f))
        .count();
    let (wanted_rest, found_rest) = (&wanted[head..], &found[head..]);
    let tail = wanted_rest
        .iter()
        .rev()
        .zip(found_rest.iter().rev())
        .take_while(|(w, f)| matches(w, f))
        .count();
    let mut out = String::new();
    let mut show = |mark: char, lines: &[&str]| {
        for line in lines {
            out.push_str(
                &format!("{mark} {}\n", line.escape_debug())
                    .replace("\\\"", "\"")
                    .replace("\\'", "'"),
            );
        }
    };
    show(' ', &found[..head]);
    show('-', &wanted_rest[..wanted_rest.len() - tail]);
    show('+', &found_rest[..found_rest.len() - tail]);
    show(' ', &found_rest[found_rest.len() - tail..]);
    out
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// How many bytes at the start of `text` hold for `allowed`.
fn run(text: &str, allowed: impl Fn(char) -> bool) -> usize {
    text.find(|c| !allowed(c)).unwrap_or(text.len())
}

/// `msg_` and a version 7 UUID.
fn webhook_id(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("msg_")?;
    let uuid = &rest[..run(rest, |c| c.is_ascii_hexdigit() || c == '-')];
    let digits: String = uuid.chars().filter(|c| *c != '-').collect();
    (digits.len() == 32 && digits.as_bytes()[12] == b'7').then_some(4 + uuid.len())
}

/// A date and a time, in RFC 3339 or with a space between them, with or without seconds and zone.
fn time(text: &str) -> Option<usize> {
    let shape = "dddd-dd-dd";
    let date = text.get(..10)?;
    let looks_right = date
        .chars()
        .zip(shape.chars())
        .all(|(c, s)| if s == 'd' { c.is_ascii_digit() } else { c == s });
    let separator = text.get(10..11)?;
    if !looks_right || !(separator == "T" || separator == " ") {
        return None;
    }
    let clock = run(&text[11..], |c| {
        c.is_ascii_digit() || matches!(c, ':' | '.')
    });
    let zone = zone(&text[11 + clock..]);
    (clock >= 5).then_some(11 + clock + zone)
}

/// The length of `Z`, ` +0200`, or nothing.
fn zone(text: &str) -> usize {
    let offset = text
        .strip_prefix(" +")
        .or_else(|| text.strip_prefix(" -"))
        .map(|digits| run(digits, |c| c.is_ascii_digit()));
    match offset {
        Some(4) => 6,
        _ => usize::from(text.starts_with('Z')),
    }
}

/// A duration as people write it: `12 ms`, `1.2 s`, `3s`.
fn duration(text: &str) -> Option<usize> {
    let digits = run(text, |c| c.is_ascii_digit() || c == '.');
    let space = usize::from(text[digits..].starts_with(' '));
    let unit = ["ms", "s"]
        .into_iter()
        .find(|unit| text[digits + space..].starts_with(unit))?;
    let end = digits + space + unit.len();
    let ends_a_word = !text[end..].starts_with(|c: char| c.is_ascii_alphanumeric());
    (digits > 0 && ends_a_word).then_some(end)
}

fn port(text: &str) -> Option<usize> {
    let digits = run(text, |c| c.is_ascii_digit());
    text[..digits]
        .parse::<u16>()
        .is_ok_and(|port| port > 0)
        .then_some(digits)
}

fn number(text: &str) -> Option<usize> {
    let digits = run(text, |c| c.is_ascii_digit());
    (digits > 0).then_some(digits)
}

/// A signing secret as the tool makes them: `whsec_` and 32 bytes in padded base64.
fn secret(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("whsec_")?;
    let base64 = run(rest, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
    });
    (base64 == 44).then_some(6 + base64)
}

/// All up to the end of the line, for words that are another program's.
fn rest_of_line(text: &str) -> Option<usize> {
    let length = run(text, |c| c != '\n');
    (length > 0).then_some(length)
}

/// The harness is what says that a test passed, so it is shown to say no.
mod tests {
    use super::matches;

    #[test]
    fn a_placeholder_stands_for_one_thing_and_the_rest_is_compared_whole() {
        assert!(matches("took [MS]\n", "took 12 ms\n"));
        assert!(matches("took [MS], [MS]\n", "took 1.25 s, 3s\n"));
        assert!(matches("[TIME] x", "2026-02-03T04:05:06.789Z x"));
        assert!(matches("at [TIME]", "at 2026-02-03 04:05"));
        assert!(matches("[TIME] x", "2026-02-03 04:05:06 +0530 x"));
        assert!(matches("[ID]", "msg_019a8b7c-1234-7abc-8def-0123456789ab"));
        assert!(!matches("[ID]", "msg_019a8b7c-1234-4abc-8def-0123456789ab"));
        assert!(!matches("took [MS]\n", "took 12 ms, at last\n"));
        assert!(!matches("took [MS]\n", "took 12 months\n"));
        assert!(!matches("took [MS]\n", "took 12 ms\nwarning: more\n"));
        assert!(!matches("", "warning: unexpected\n"));
        assert!(!matches("port [PORT]", "port 99999"));
        assert!(!matches("done\n", ""));
    }
}
