//! A hook's name, which stands wherever its id may.

/// Checks a name: 1 to 64 of `A-Z a-z 0-9 . _ -`, first a letter, and not the start of a publication's id
/// or of a secret (docs/design.md §11).
pub(crate) fn check_name(text: &str) -> Result<(), &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if text.len() > 64
        || !text.starts_with(|c: char| c.is_ascii_alphabetic())
        || !text.bytes().all(allowed)
    {
        return Err("a name is 1 to 64 letters, digits or . _ -, the first a letter");
    }
    match text.to_ascii_lowercase() {
        name if name.starts_with("msg_") => {
            Err("a name that begins with msg_ would be a publication's id")
        }
        // Typed in the wrong place it is not to be said again.
        name if name.starts_with("whsec_") => Err("what begins with whsec_ is a secret"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_that_no_id_could_be() {
        for good in ["a", "Chat", "ci-2.main_x", "msg", "messages", &"x".repeat(64)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "1",
            "1a",
            "-a",
            ".a",
            "_a",
            "a b",
            "a/b",
            "ü",
            "aü",
            "a\n",
            "msg_",
            "msg_1",
            "MSG_x",
            "whsec_x",
            &"x".repeat(65),
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
