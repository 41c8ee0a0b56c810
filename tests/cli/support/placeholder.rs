//! What a placeholder stands for: how many bytes at the start of a text are such a value.

/// How many bytes at the start of `text` hold for `allowed`.
fn run(text: &str, allowed: impl Fn(char) -> bool) -> usize {
    text.find(|c| !allowed(c)).unwrap_or(text.len())
}

/// `msg_` and a version 7 UUID.
pub(crate) fn webhook_id(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("msg_")?;
    let uuid = &rest[..run(rest, |c| c.is_ascii_hexdigit() || c == '-')];
    let digits: String = uuid.chars().filter(|c| *c != '-').collect();
    (digits.len() == 32 && digits.as_bytes()[12] == b'7').then_some(4 + uuid.len())
}

/// A date and a time, in RFC 3339 or with a space between them, with or without seconds and zone.
pub(crate) fn time(text: &str) -> Option<usize> {
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
    let clock = run(&text[11..], |c| c.is_ascii_digit() || matches!(c, ':' | '.'));
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
pub(crate) fn duration(text: &str) -> Option<usize> {
    let digits = run(text, |c| c.is_ascii_digit() || c == '.');
    let space = usize::from(text[digits..].starts_with(' '));
    let unit = ["ms", "s"].into_iter().find(|unit| text[digits + space..].starts_with(unit))?;
    let end = digits + space + unit.len();
    let ends_a_word = !text[end..].starts_with(|c: char| c.is_ascii_alphanumeric());
    (digits > 0 && ends_a_word).then_some(end)
}

pub(crate) fn port(text: &str) -> Option<usize> {
    let digits = run(text, |c| c.is_ascii_digit());
    text[..digits].parse::<u16>().is_ok_and(|port| port > 0).then_some(digits)
}

pub(crate) fn number(text: &str) -> Option<usize> {
    let digits = run(text, |c| c.is_ascii_digit());
    (digits > 0).then_some(digits)
}

/// A signing secret as the tool makes them: `whsec_` and 32 bytes in padded base64.
pub(crate) fn secret(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("whsec_")?;
    let base64 = run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
    (base64 == 44).then_some(6 + base64)
}

/// All up to the end of the line, for another program's message.
pub(crate) fn rest_of_line(text: &str) -> Option<usize> {
    let length = run(text, |c| c != '\n');
    (length > 0).then_some(length)
}
