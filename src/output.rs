//! What a person or a script gets to see: results on standard output, the rest on standard error.

pub(crate) mod hook;
pub(crate) mod indent;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod outcome;
pub(crate) mod progress;
pub(crate) mod request;
mod stream;
mod table;

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result};

use crate::exit::Failure;
use crate::security::escape::escape;

pub(crate) use stream::Stream;
pub(crate) use table::Table;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
const UNWRITTEN: &str = "could not write to standard output";

const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// How much is said, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Nothing of what went well.
    pub(crate) quiet: bool,
    /// More.
    pub(crate) verbose: bool,
    /// URLs whole.
    pub(crate) reveal: bool,
}

// What does not depend on the options yet is called like what does.
#[allow(clippy::unused_self)]
impl Output {
    /// A result, on standard output.
    pub(crate) fn result(self, text: impl Display) -> Result<()> {
        writeln!(anstream::stdout().lock(), "{text}").context(UNWRITTEN)
    }

    /// How a delivery went. Nobody may be reading, and the next delivery does not wait for that.
    pub(crate) fn outcome(self, stream: Stream, text: &str) {
        stream.write_line(text, stream::SHORT);
    }

    /// The JSON of deliveries, which a slow reader is to get whole, if it reads on until then.
    pub(crate) fn deliveries(self, json: &str, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        Stream::Stdout.write_line(json, left.max(stream::LONG));
    }

    /// A result that has no colours to be taken out again, which a hundred thousand hooks would feel.
    pub(crate) fn json(self, text: &str) -> Result<()> {
        let mut stdout = io::stdout().lock();
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.write_all(b"\n"));
        written.context(UNWRITTEN)
    }

    /// Something to know, left out by `--quiet`.
    pub(crate) fn note(self, text: impl Display) {
        if !self.quiet {
            note(text);
        }
    }

    /// Something to know for those who ask, by `--verbose`.
    pub(crate) fn detail(self, text: impl Display) {
        if self.verbose {
            note(text);
        }
    }

    /// Something that did not go as it should, but stops nothing.
    pub(crate) fn warning(self, text: impl Display) {
        to_stderr(WARNING, "warning", text);
    }

    /// A URL as it may be shown.
    pub(crate) fn url(self, url: &str) -> String {
        let shown = if self.reveal {
            url.to_owned()
        } else {
            crate::security::redact::url(url)
        };
        crate::security::escape::escape(&shown).into_owned()
    }
}

/// `s` for any number but one.
pub(crate) fn plural(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// Whether progress can be drawn.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// A line on standard error, for when there are no options yet.
pub(crate) fn note(text: impl Display) {
    to_stderr(NOTE, "note", text);
}

/// The error that the program ends with, and its hint.
pub(crate) fn error(error: &anyhow::Error) {
    to_stderr(BAD, "error", format!("{error:#}"));
    if let Some(hint) = Failure::of(error).and_then(Failure::next_step) {
        to_stderr(NOTE, "hint", hint);
    }
}

fn to_stderr(style: Style, kind: &str, text: impl Display) {
    let text = text.to_string();
    // One line each, so that nothing foreign can look like a line of ours.
    let text = escape(&text);
    Stream::Stderr.write_line(&format!("{style}{kind}:{style:#} {text}"), stream::LONG);
}
