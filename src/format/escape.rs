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
            self.after.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        });
        self.this == '@' && (!inside_word || is_loud)
    }
}

/// Text without control characters and bidi overrides: they become visible signs. Line breaks stay.
pub(crate) fn clean(text: &str) -> String {
    let sign = |c| match c {
        '\t' => ' ',
        '\u{2028}' | '\u{2029}' => '\n',
        c => visible(c),
    };
    text.trim().replace("\r\n", "\n").chars().map(sign).collect()
}

/// As [`clean`], but blanks, tabs and line ends stay as they are: for a text that is not only for people.
pub(crate) fn printable(text: &str) -> String {
    let mut rest = text.chars().peekable();
    let mut printable = String::with_capacity(text.len());
    while let Some(c) = rest.next() {
        let ends_line = c == '\r' && rest.peek() == Some(&'\n');
        printable.push(if ends_line || c == '\t' { c } else { visible(c) });
    }
    printable
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
            '<' => {
                place.next().is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(next))
            }
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
        let place = Place { before, this, after };
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
mod tests;
