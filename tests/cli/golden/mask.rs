//! Replaces what varies from run to run: ids, times, durations, ports, generated secrets, the machine's name.

use crate::support::placeholder;

/// A value of the past, such as a time in the input of a test, is kept.
const FIRST_YEAR: u16 = 2025;

/// The text with placeholders. Each id has a number, the same one everywhere in the text.
pub(super) fn masked(text: &str, ports: &[u16]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut ids: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (shown, length) = if let Some(length) = placeholder::webhook_id(rest) {
            let id = &rest[..length];
            let number = ids.iter().position(|known| *known == id);
            let number = number.unwrap_or_else(|| {
                ids.push(id);
                ids.len() - 1
            });
            (format!("[ID {}]", number + 1), length)
        } else if let Some(length) = placeholder::secret(rest) {
            ("[SECRET]".to_owned(), length)
        } else if let Some(length) = time(rest) {
            ("[TIME]".to_owned(), length)
        } else if let Some((shown, length)) = after(&out, rest, ports) {
            (shown.to_owned(), length)
        } else {
            (next.to_string(), next.len_utf8())
        };
        out.push_str(&shown);
        rest = &rest[length..];
    }
    out
}

/// A time that is not one of the input.
fn time(text: &str) -> Option<usize> {
    let year: u16 = text.get(..4)?.parse().ok()?;
    (year >= FIRST_YEAR).then(|| placeholder::time(text)).flatten()
}

/// What the text before it shows to be a value that varies.
fn after(before: &str, text: &str, ports: &[u16]) -> Option<(&'static str, usize)> {
    let ends_in = |ends: &[&str]| ends.iter().any(|end| before.ends_with(end));
    if ends_in(&["127.0.0.1:"]) {
        let length = placeholder::number(text)?;
        let port: u16 = text[..length].parse().ok()?;
        return ports.contains(&port).then_some(("[PORT]", length));
    }
    if ends_in(&["\"duration_ms\":", "\"duration_ms\": ", "webhook-timestamp: "]) {
        return Some(("[NUMBER]", placeholder::number(text)?));
    }
    if ends_in(&["(", "attempts, ", "trying again in "]) {
        return Some(("[MS]", placeholder::duration(text)?));
    }
    if ends_in(&["webhook-signature: v1,"]) {
        return Some(("[SIGNATURE]", text.find('\n')?));
    }
    // CloudEvents: the source of an event is the machine's name.
    if ends_in(&["\"source\":\"/hooks/", "\"source\": \"/hooks/"]) {
        return Some(("[HOST]", text.find('"')?));
    }
    None
}
