//! What a remote server sent, made harmless for a terminal (docs/design.md §8).
//!
//! Text is stored as it came and escaped only where it is printed. Control characters could move the
//! cursor or hide what was printed before, and bidi controls show a text in an order it does not have.

use std::borrow::Cow;

/// `text` on one line: each control character, line break and bidi control becomes `\n`, `\r`, `\t` or
/// `\u{1b}`. Nothing else is changed, so a clean text is borrowed.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    // Most texts are plain ASCII, which is seen faster than that nothing hostile is in them.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    escape_where(text, is_hostile)
}

/// As [`escape`], but line feeds and tabs pass: for text that is laid out already, such as an indented
/// JSON body.
pub(crate) fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_where(text, |c| is_hostile(c) && c != '\n' && c != '\t')
}

fn escape_where(text: &str, hostile: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(&hostile) else {
        return Cow::Borrowed(text);
    };
    let (clean, rest) = text.split_at(first);
    let mut escaped = String::with_capacity(text.len() + 8);
    escaped.push_str(clean);
    for c in rest.chars() {
        match c {
            _ if !hostile(c) => escaped.push(c),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            _ => escaped.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(escaped)
}

/// Whether a character could move the cursor, hide, or reorder what is printed.
pub(crate) fn is_hostile(c: char) -> bool {
    // C0, DEL and C1
    c.is_control()
        || matches!(c,
            // bidi marks, embeddings, overrides and isolates
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // line and paragraph separator, which some terminals and log viewers break a line at
            | '\u{2028}' | '\u{2029}'
            // byte order mark, which is invisible
            | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn clean_text_is_borrowed() {
        let text = "502 Bad Gateway: naïve 漢字 🚀 \\n \u{200d} \u{a0}";
        assert!(matches!(escape(text), Cow::Borrowed(t) if t == text));
        assert!(matches!(escape_lines("a\n\tb"), Cow::Borrowed("a\n\tb")));
        assert!(matches!(escape(""), Cow::Borrowed("")));
    }

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(escape("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(escape("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(escape("\0\u{7f}"), "\\u{0}\\u{7f}");
        assert_eq!(escape("\u{80}\u{9b}31m\u{9f}"), "\\u{80}\\u{9b}31m\\u{9f}");
    }

    #[test]
    fn bidi_controls_and_separators_become_visible() {
        assert_eq!(escape("\u{61c}\u{200e}\u{200f}"), "\\u{61c}\\u{200e}\\u{200f}");
        assert_eq!(
            escape("\u{202a}x\u{202e}\u{2066}y\u{2069}"),
            "\\u{202a}x\\u{202e}\\u{2066}y\\u{2069}"
        );
        assert_eq!(escape("\u{2028}\u{2029}\u{feff}"), "\\u{2028}\\u{2029}\\u{feff}");
    }

    #[test]
    fn lines_keep_their_breaks_and_tabs_only() {
        assert_eq!(escape_lines("a\n\tb\r\n\u{1b}"), "a\n\tb\\r\n\\u{1b}");
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text in any::<String>()) {
            prop_assert!(!escape(&text).chars().any(is_hostile));
            let lines = escape_lines(&text);
            prop_assert!(!lines.chars().any(|c| is_hostile(c) && c != '\n' && c != '\t'));
        }

        // `\PC` is any character but Unicode's category "other", which holds every control
        #[test]
        fn clean_text_is_unchanged(text in "(\\PC|\\\\)*") {
            let text = text.replace(is_hostile, "");
            prop_assert_eq!(escape(&text), text.as_str());
            prop_assert_eq!(escape_lines(&text), text.as_str());
        }

        #[test]
        fn clean_characters_keep_their_order(text in any::<String>()) {
            let escaped = escape(&text);
            let mut rest = escaped.chars();
            prop_assert!(text.chars().filter(|&c| !is_hostile(c)).all(|c| rest.any(|e| e == c)));
        }
    }
}
