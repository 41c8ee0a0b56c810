//! Foreign text made harmless for the places where people read it.
//!
//! A mention is defused by a zero-width space after its `@`: the services that look for plain words
//! (Mattermost, Rocket.Chat) know no escape for it, and people see no difference.

const ZERO_WIDTH: char = '\u{200B}';
const ELLIPSIS: char = '…';

/// Words after an `@` that call many people, wherever they stand.
const LOUD: [&str; 4] = ["channel", "here", "all", "everyone"];

/// A character and what stands around it.
struct Place<'a> {
    before: Option<char>,
    this: char,
    after: &'a str,
}

impl Place<'_> {
    fn next(&self) -> Option<char> {
        self.after.chars().next()
    }

    fn starts_line(&self) -> bool {
        self.before.is_none_or(|before| before == '\n')
    }

    /// Whether this `@` could call someone. In a mail address it does not, unless it is made to look like one.
    fn calls(&self) -> bool {
        let inside_word = self.before.is_some_and(|c| c.is_ascii_alphanumeric());
        let is_loud = LOUD.iter().any(|word| {
            self.after
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        });
        self.this == '@' && (!inside_word || is_loud)
    }
}

/// Text without control characters and bidi overrides: they become visible signs. Line breaks stay.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.trim().chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\t' => clean.push(' '),
            '\u{2028}' | '\u{2029}' => clean.push('\n'),
            _ => clean.push(visible(c)),
        }
    }
    clean
}

fn visible(c: char) -> char {
    match c {
        '\n' => c,
        // The signs that Unicode has for U+0000 to U+001F begin at U+2400.
        '\0'..='\u{1F}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{FFFD}'),
        '\u{7F}' => '\u{2421}',
        '\u{80}'..='\u{9F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
        _ => c,
    }
}

/// [`clean`], cut to `limit` UTF-16 units.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    write(text, limit, |place, out| out.push(place.this))
}

/// For the `text` of Slack, Mattermost and Rocket.Chat, and for their attachments' fields.
pub(crate) fn slack(text: &str, limit: usize) -> String {
    write(text, limit, |place, out| match place.this {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        // Mattermost and Rocket.Chat read Markdown: a heading, and a link or an image.
        '#' if place.starts_line() => out.extend(['#', ZERO_WIDTH]),
        ']' if matches!(place.next(), Some('(' | '[' | ':')) => out.extend([']', ZERO_WIDTH]),
        '@' if place.calls() => out.extend(['@', ZERO_WIDTH]),
        c => out.push(c),
    })
}

/// For the title, the description and the fields of a Discord embed.
pub(crate) fn discord(text: &str, limit: usize) -> String {
    write(text, limit, |place, out| match place.this {
        c @ ('\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '[' | ']') => out.extend(['\\', c]),
        // An emoji's name or a link, in which a backslash would show.
        ':' if place.next().is_some_and(|next| !next.is_whitespace()) => out.push_str("\\:"),
        c @ ('#' | '-' | '+') if place.starts_line() => out.extend(['\\', c]),
        '@' if place.calls() => out.extend(['@', ZERO_WIDTH]),
        c => out.push(c),
    })
}

/// For a `TextRun` of an Adaptive Card: it has no Markdown, but `<at>` tags and `{{DATE(…)}}`.
pub(crate) fn teams(text: &str, limit: usize) -> String {
    write(text, limit, |place, out| {
        out.push(place.this);
        let starts_mark_up = match place.this {
            '<' => place
                .next()
                .is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(next)),
            '{' | '$' => place.next() == Some('{'),
            '@' => place.calls(),
            _ => false,
        };
        if starts_mark_up {
            out.push(ZERO_WIDTH);
        }
    })
}

/// Writes cleaned text character by character; `token` says how one is written. What is cut is cut between
/// tokens, so that no escape is ever halved.
fn write(text: &str, limit: usize, token: impl Fn(&Place, &mut String)) -> String {
    let text = clean(text);
    let mut out = String::new();
    let mut before = None;
    let mut units = 0;
    // Where to cut should the text turn out too long: the last place that leaves room for the ellipsis.
    let mut cut = 0;
    for (start, this) in text.char_indices() {
        let end = out.len();
        let after = &text[start + this.len_utf8()..];
        let place = Place {
            before,
            this,
            after,
        };
        token(&place, &mut out);
        units += out[end..].encode_utf16().count();
        if units > limit {
            out.truncate(cut);
            if limit > 0 {
                out.push(ELLIPSIS);
            }
            return out;
        }
        if units < limit {
            cut = out.len();
        }
        before = Some(this);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: usize = usize::MAX;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(clean("\u{1b}[31mred\0\u{7f}"), "␛[31mred␀␡");
        assert_eq!(
            clean("a\u{202e}b\u{2066}c\u{9b}d"),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d"
        );
        assert_eq!(clean(" a\r\nb\rc\td\u{2028}e \n"), "a\nb␍c d\ne");
    }

    #[test]
    fn a_cut_never_splits_a_character_or_an_escape() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abcdef", 5), "abcd…");
        assert_eq!(shorten("😀😀😀", 5), "😀😀…");
        assert_eq!(shorten("😀😀😀", 4), "😀…");
        assert_eq!(shorten("abc", 1), "…");
        assert_eq!(shorten("abc", 0), "");
        assert_eq!(slack("a<b", 5), "a…");
        assert_eq!(slack("a<b", 6), "a&lt;b");
        assert_eq!(discord("a*b", 3), "a…");
    }

    #[test]
    fn mentions_are_defused() {
        assert_eq!(
            slack("<!channel> <@U1>", ALL),
            "&lt;!channel&gt; &lt;@\u{200B}U1&gt;"
        );
        for escaped in [slack, discord, teams] {
            for word in ["here", "Channel", "everyone", "all", "some.one"] {
                let text = escaped(&format!("@{word}"), ALL);
                assert!(text.starts_with("@\u{200B}"), "{text}");
            }
            assert_eq!(escaped("x@here.", ALL), "x@\u{200B}here.");
            assert_eq!(escaped("é@x", ALL), "é@\u{200B}x");
            assert_eq!(escaped("a@example.com", ALL), "a@example.com");
        }
    }

    #[test]
    fn slack_takes_headings_and_links_apart() {
        assert_eq!(slack("# a #1\n#b", ALL), "#\u{200B} a #1\n#\u{200B}b");
        assert_eq!(
            slack("![a](b) [c]: d", ALL),
            "![a]\u{200B}(b) [c]\u{200B}: d"
        );
        assert_eq!(slack("&lt;", ALL), "&amp;lt;");
    }

    #[test]
    fn discord_escapes_markdown() {
        assert_eq!(
            discord("**a** <@1> -b", ALL),
            "\\*\\*a\\*\\* \\<@\u{200B}1\\> -b"
        );
        assert_eq!(discord("# a: b\n- :c:", ALL), "\\# a: b\n\\- \\:c:");
        assert_eq!(
            discord(r"[a](https://b_c)\", ALL),
            r"\[a\](https\://b\_c)\\"
        );
    }

    #[test]
    fn teams_takes_tags_and_functions_apart() {
        assert_eq!(
            teams("<at>a</at> < b", ALL),
            "<\u{200B}at>a<\u{200B}/at> < b"
        );
        assert_eq!(
            teams("{{DATE(x)}} ${y}", ALL),
            "{\u{200B}{DATE(x)}} $\u{200B}{y}"
        );
        assert_eq!(teams("**a_b**", ALL), "**a_b**");
    }
}
