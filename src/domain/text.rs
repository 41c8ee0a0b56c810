//! Cutting texts.

/// The start of a text, at most this many bytes, cut between characters.
pub(crate) fn start_of(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(start_of("aü€", 9), "aü€");
        assert_eq!(start_of("aü€", 5), "aü");
        assert_eq!(start_of("aü€", 2), "a");
        assert_eq!(start_of("ü", 1), "");
    }
}
