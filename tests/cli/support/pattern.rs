//! Compares a complete output with what a test expects, where the test may leave open what varies.
//!
//! A placeholder stands for one thing and only where the test wrote it; everything else must be equal.

use super::placeholder;

/// How many bytes at the start of a text a placeholder stands for, if the text begins with one of its kind.
type Taken = fn(&str) -> Option<usize>;

/// What a placeholder stands for.
const PLACEHOLDERS: [(&str, Taken); 7] = [
    ("[ID]", placeholder::webhook_id),
    ("[TIME]", placeholder::time),
    ("[MS]", placeholder::duration),
    ("[PORT]", placeholder::port),
    ("[NUMBER]", placeholder::number),
    ("[SECRET]", placeholder::secret),
    ("[LINE]", placeholder::rest_of_line),
];

/// Whether the whole of `actual` is what `expected` describes.
pub(crate) fn matches(expected: &str, actual: &str) -> bool {
    let (mut expected, mut actual) = (expected, actual);
    while !expected.is_empty() {
        let found = PLACEHOLDERS.iter().find(|(name, _)| expected.starts_with(name));
        if let Some((name, length)) = found {
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

/// Both texts line by line, `-` for what was expected and `+` for what came, lines that are the same once.
pub(crate) fn difference(
    expected: &str,
    actual: &str,
    same: impl Fn(&str, &str) -> bool,
) -> String {
    let (wanted, found): (Vec<_>, Vec<_>) = (lines(expected), lines(actual));
    let head = wanted.iter().zip(&found).take_while(|(w, f)| same(w, f)).count();
    let (wanted_rest, found_rest) = (&wanted[head..], &found[head..]);
    let tail = wanted_rest
        .iter()
        .rev()
        .zip(found_rest.iter().rev())
        .take_while(|(w, f)| same(w, f))
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

/// A comparison that could not fail would prove nothing.
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
