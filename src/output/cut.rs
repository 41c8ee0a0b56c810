//! Text cut to a number of terminal columns. Wide characters (CJK, emoji) take two, combining ones none.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What stands in place of what was cut.
const CUT: &str = "…";

/// How much of a URL is shown behind its host at least, in columns: hooks often differ in the end alone.
pub(super) const LEAST_TAIL: usize = 10;

/// How many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The text with its end cut off where there is no room for it.
pub(super) fn end(text: &str, room: usize) -> Cow<'_, str> {
    cut(text, room, |room| format!("{}{CUT}", start_of(text, room)))
}

/// The text with its start cut off where there is no room for it.
pub(super) fn start(text: &str, room: usize) -> Cow<'_, str> {
    cut(text, room, |room| format!("{CUT}{}", end_of(text, room)))
}

/// `short` makes what fits beside the mark of a cut.
fn cut(text: &str, room: usize, short: impl Fn(usize) -> String) -> Cow<'_, str> {
    if width(text) <= room {
        return text.into();
    }
    room.checked_sub(1).map_or_else(String::new, short).into()
}

/// A URL with the middle of what is behind its host cut out where there is no room for it. Of the rest the
/// user goes first and then the scheme; the host is shown whole, even where it takes more than the room.
pub(super) fn url(url: &str, room: usize) -> Cow<'_, str> {
    if width(url) <= room {
        return url.into();
    }
    let [scheme, user, host, tail] = parts(url);
    let rest = |shown: usize| room.checked_sub(shown + width(host) + 1);
    let short_user = if user.is_empty() { "" } else { "…@" };
    for (scheme, user) in [(scheme, user), (scheme, short_user), ("", short_user)] {
        if let Some(room) = rest(width(scheme) + width(user)) {
            let (first, last) = (start_of(tail, room / 3), end_of(tail, room - room / 3));
            let cut =
                if width(tail) <= room + 1 { tail.into() } else { format!("{first}{CUT}{last}") };
            return format!("{scheme}{user}{host}{cut}").into();
        }
    }
    host.into()
}

/// How many columns a URL wants at least, so that it can be told from others.
pub(super) fn least_of_url(url: &str) -> usize {
    let [scheme, user, host, tail] = parts(url);
    let user = width(user).min(2);
    width(scheme) + user + width(host) + width(tail).min(LEAST_TAIL)
}

/// A URL's scheme, `https://`; its user, `me:***@`; its host with the port; and the rest. A text that is no URL,
/// which only a hand writes, is all host.
fn parts(url: &str) -> [&str; 4] {
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + 3));
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    [scheme, user, host, tail]
}

/// As much of the start as there is room for.
fn start_of(text: &str, room: usize) -> &str {
    let mut columns = 0;
    let is_too_far = |c: char| {
        columns += c.width().unwrap_or(0);
        columns > room
    };
    let mut start = &text[..text.find(is_too_far).unwrap_or(text.len())];
    // A sequence of characters may be wider than they are one by one.
    while width(start) > room {
        let last = start.char_indices().next_back();
        start = last.map_or("", |(last, _)| &start[..last]);
    }
    start
}

/// As much of the end as there is room for.
fn end_of(text: &str, room: usize) -> &str {
    let mut columns = 0;
    let is_too_far = |&(_, c): &(usize, char)| {
        columns += c.width().unwrap_or(0);
        columns > room
    };
    let last_cut = text.char_indices().rev().find(is_too_far);
    let mut end = last_cut.map_or(text, |(at, c)| &text[at + c.len_utf8()..]);
    while width(end) > room {
        let mut chars = end.chars();
        chars.next();
        end = chars.as_str();
    }
    // What combines with the character that was cut off would combine with another one.
    end.trim_start_matches(|c: char| c.width() == Some(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fits_stays() {
        for text in ["", "abc", "漢字"] {
            assert_eq!(end(text, 4), text);
            assert_eq!(start(text, 4), text);
            assert_eq!(url(text, 4), text);
        }
    }

    #[test]
    fn a_wide_character_is_cut_whole() {
        assert_eq!(end("漢字漢字", 6), "漢字…");
        assert_eq!(end("漢字漢字", 4), "漢…");
        assert_eq!(start("漢字漢字", 4), "…字");
        assert_eq!(start("a\u{301}bc", 2), "…c");
        assert_eq!(end("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!([end("abc", 1), end("abc", 0)], ["…", ""]);
    }

    #[test]
    fn a_url_loses_the_middle_of_its_path_first_and_never_its_host() {
        let cut = |room| url("https://me:***@h.example:81/services/abc/def?key=***", room);
        assert_eq!(cut(50), "https://me:***@h.example:81/servic…abc/def?key=***");
        assert_eq!(cut(38), "https://me:***@h.example:81/se…key=***");
        assert_eq!(cut(30), "https://me:***@h.example:81…**");
        assert_eq!(cut(28), "https://me:***@h.example:81…");
        assert_eq!(cut(27), "https://…@h.example:81/…***");
        assert_eq!(cut(23), "https://…@h.example:81…");
        assert_eq!(cut(22), "…@h.example:81/s…y=***");
        assert_eq!(cut(15), "…@h.example:81…");
        assert_eq!([cut(14), cut(0)], ["h.example:81", "h.example:81"]);
    }

    #[test]
    fn what_is_no_url_does_not_go_wrong() {
        for text in ["", "***", "://", "a://@/", "@@@@@@@", "/////////", "漢://漢@漢/漢?漢#漢"]
        {
            for room in 0..20 {
                url(text, room);
            }
            least_of_url(text);
        }
    }

    proptest! {
        #[test]
        fn what_is_cut_fits(text in any::<String>(), room in 0..40_usize) {
            prop_assert!(width(&end(&text, room)) <= room);
            prop_assert!(width(&start(&text, room)) <= room);
        }

        #[test]
        fn a_url_fits_where_its_host_does(path in "/\\PC{0,40}", user in "([a-z]{0,9}@)?", room in 7..60_usize) {
            let text = format!("https://{user}h.example{path}");
            let cut = url(&text, room);
            prop_assert!(cut.contains("h.example"));
            prop_assert!(width(&cut) <= room.max(9), "{cut}");
            let whole = width(&cut) < room.min(width(&text)) && !cut.contains(CUT);
            prop_assert!(!whole || room <= 17, "{cut}");
        }
    }
}
