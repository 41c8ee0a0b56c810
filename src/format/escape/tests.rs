use super::*;

const ALL: usize = usize::MAX;

#[test]
fn control_characters_become_visible() {
    assert_eq!(clean("\u{1b}[31mred\0\u{7f}"), "␛[31mred␀␡");
    assert_eq!(clean("a\u{202e}b\u{2066}c\u{9b}d"), "a\u{FFFD}b\u{FFFD}c\u{FFFD}d");
    assert_eq!(clean(" a\r\nb\rc\td\u{2028}e \n"), "a\nb␍c d\ne");
}

#[test]
fn printable_text_keeps_its_lines() {
    assert_eq!(printable(" a\tb\r\nc\n"), " a\tb\r\nc\n");
    assert_eq!(printable("a\rb\u{1b}[0m\0\u{7f}"), "a␍b␛[0m␀␡");
    assert_eq!(printable("\u{202e}\u{9b}é🚀"), "\u{FFFD}\u{FFFD}é🚀");
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
    assert_eq!(slack("<!channel> <@U1>", ALL), "&lt;!channel&gt; &lt;@\u{200B}U1&gt;");
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
    assert_eq!(slack("![a](b) [c]: d", ALL), "![a]\u{200B}(b) [c]\u{200B}: d");
    assert_eq!(slack("&lt;", ALL), "&amp;lt;");
}

#[test]
fn discord_escapes_markdown() {
    assert_eq!(discord("**a** <@1> -b", ALL), "\\*\\*a\\*\\* \\<@\u{200B}1\\> -b");
    assert_eq!(discord("# a: b\n- :c:", ALL), "\\# a: b\n\\- \\:c:");
    assert_eq!(discord(r"[a](https://b_c)\", ALL), r"\[a\](https\://b\_c)\\");
}

#[test]
fn teams_takes_tags_and_functions_apart() {
    assert_eq!(teams("<at>a</at> < b", ALL), "<\u{200B}at>a<\u{200B}/at> < b");
    assert_eq!(teams("{{DATE(x)}} ${y}", ALL), "{\u{200B}{DATE(x)}} $\u{200B}{y}");
    assert_eq!(teams("**a_b**", ALL), "**a_b**");
}
