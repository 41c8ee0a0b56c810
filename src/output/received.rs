//! A request that `listen` has taken: a line of its own, and what was sent below it.
//!
//! What was sent can look like no such line: it stands indented, and in the line itself no word of it can
//! have a space.

use std::borrow::Cow;

use anstyle::Style;
use anyhow::{Context as _, Result};

use super::indent::indent;
use super::time::local_time;
use super::{BAD, GOOD, Output, Stream, UNWRITTEN};
use crate::interrupt::Interrupt;
use crate::receiver::{Received, Reply};
use crate::security::escape::{escape, escape_lines};
use crate::security::redact;
use crate::security::signature::Verdict;

/// On a terminal, nothing that was sent is bold.
const OWN: Style = Style::new().bold();

/// A body is printed in parts of about so many bytes: laid out it may be many times as long.
const PART: usize = 64 * 1024;

/// Prints when and what the request was, what its signature is worth and what it was answered; by
/// `--verbose` its headers, with their secrets masked unless `--reveal`; its body, laid out if it is JSON.
/// Waits for the reader until the interrupt, and is false if that came first.
pub(crate) fn print(
    output: Output,
    (request, reply, verdict): (&Received, &Reply, Option<Verdict>),
    interrupt: &Interrupt,
) -> Result<bool> {
    let mut text = head(request, reply, verdict);
    if output.verbose {
        for (name, value) in &request.headers {
            let value =
                if output.reveal { Cow::Borrowed(&**value) } else { redact::header(name, value) };
            push_line(&mut text, &escape(&format!("{name}: {value}")));
        }
    }
    let body = String::from_utf8_lossy(&request.body);
    let body = body.trim();
    if output.verbose && !body.is_empty() {
        text.push('\n');
    }
    for line in laid_out(body).lines() {
        push_line(&mut text, &escape_lines(line));
        if text.len() >= PART {
            if !Stream::Stdout.write_until(&text, interrupt).context(UNWRITTEN)? {
                return Ok(false);
            }
            text.clear();
        }
    }
    text.push('\n');
    Stream::Stdout.write_until(&text, interrupt).context(UNWRITTEN)
}

/// `2026-07-28 14:03:22 +0200  POST /cb  PostDeployment  msg_…  signature valid  answered 200`
fn head(request: &Received, reply: &Reply, verdict: Option<Verdict>) -> String {
    let time = local_time(request.time);
    let path = redact::path(&request.path);
    let event_and_id = match ["webhook-event", "webhook-id"].map(|name| request.header(name)) {
        [None, None] => String::new(),
        known => known.map(|value| format!("  {}", word(value.unwrap_or_default()))).concat(),
    };
    let signature = match verdict {
        Some(Verdict::Valid) => format!("  {GOOD}{}{GOOD:#}", Verdict::Valid),
        Some(verdict) => format!("  {BAD}{verdict}{BAD:#}"),
        None if request.header("webhook-signature").is_some() => {
            "  signature not checked".to_owned()
        }
        None => String::new(),
    };
    let (method, path, status) = (word(&request.method), word(&path), reply.status);
    format!(
        "{OWN}{time}  {method} {path}{event_and_id}{OWN:#}{signature}  {OWN}answered {status}{OWN:#}"
    )
}

/// A foreign text as one word of visible ASCII; `-` where it is empty.
fn word(text: &str) -> String {
    let shown = |c: char| {
        if c.is_ascii_graphic() { c.to_string() } else { c.escape_unicode().to_string() }
    };
    match text {
        "" => "-".to_owned(),
        text => text.chars().map(shown).collect(),
    }
}

fn push_line(text: &mut String, line: &str) {
    text.push('\n');
    if !line.is_empty() {
        text.push_str("  ");
        text.push_str(line);
    }
}

/// JSON is indented, anything else stays.
fn laid_out(body: &str) -> Cow<'_, str> {
    match serde_json::from_str::<&serde_json::value::RawValue>(body) {
        Ok(_) => indent(body).into(),
        Err(_) => body.into(),
    }
}
