//! What a person or a script gets to see: results on standard output, the rest on standard error.

mod cut;
pub(crate) mod health;
pub(crate) mod hook;
pub(crate) mod indent;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod openmetrics;
pub(crate) mod outcome;
pub(crate) mod progress;
pub(crate) mod received;
pub(crate) mod request;
mod sparkline;
mod stream;
mod table;
pub(crate) mod time;

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Once;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result};

use crate::exit::Failure;
use crate::security::escape::escape;

pub(crate) use stream::{SHORT_WAIT, Stream};
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

    /// The JSON of deliveries, at their end. Their exit code stands, whoever reads it or not.
    pub(crate) fn deliveries(self, json: &str, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        if let Err(error) = self.answer_within(json, left.max(stream::STOPPED))
            && !is_closed_pipe(&error)
        {
            self.warning(format!("{error:#}"));
        }
    }

    /// A result of a verb that publishes, where it sends nothing. A push may wait for it: a reader that
    /// has stopped reading is given up, and that is said.
    pub(crate) fn answer(self, text: &str) -> Result<()> {
        self.answer_within(text, stream::STOPPED)
    }

    fn answer_within(self, text: &str, limit: Duration) -> Result<()> {
        static SAID: Once = Once::new();
        let text = format!("{text}\n");
        let written = Stream::Stdout.write_while_read(&text, limit);
        if !written.context(UNWRITTEN)? {
            SAID.call_once(|| {
                self.warning("nobody reads standard output: the rest of the answer is left out");
            });
        }
        Ok(())
    }

    /// A result that has no colours to be taken out again, which a hundred thousand hooks would feel.
    pub(crate) fn json(self, text: &str) -> Result<()> {
        writeln!(io::stdout().lock(), "{text}").context(UNWRITTEN)
    }

    /// A table, as wide as the terminal is at most. Elsewhere it is as wide as it gets.
    pub(crate) fn table(self, table: &Table) -> Result<()> {
        let is_terminal = io::stdout().is_terminal();
        let size = terminal_size::terminal_size().filter(|_| is_terminal);
        let width = size.map(|(width, _)| usize::from(width.0));
        let is_coloured = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        let text = table.text(width, is_coloured);
        let written = if is_coloured {
            anstream::stdout().write_all(text.as_bytes())
        } else {
            // Without a search for colours, which a hundred thousand hooks would feel.
            io::stdout().write_all(text.as_bytes())
        };
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
        let shown = if self.reveal { url.to_owned() } else { crate::security::redact::url(url) };
        match escape(&shown) {
            Cow::Borrowed(_) => shown,
            Cow::Owned(escaped) => escaped,
        }
    }
}

/// `s` for any number but one.
pub(crate) fn plural(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// Whether the reader has gone: `hooks list | head -1`
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// A line on standard error, for when there are no options yet.
pub(crate) fn note(text: impl Display) {
    to_stderr(NOTE, "note", text);
}

/// The error that the program ends with, and its hint.
pub(crate) fn error(error: &anyhow::Error) {
    to_stderr(BAD, "error", format!("{error:#}"));
    if let Some(hint) = Failure::of(error).and_then(|failure| failure.hint.as_deref()) {
        to_stderr(NOTE, "hint", hint);
    }
}

fn to_stderr(style: Style, kind: &str, text: impl Display) {
    let text = text.to_string();
    // One line each, so that nothing foreign can look like a line of ours.
    let text = escape(&text);
    Stream::Stderr.write_line(&format!("{style}{kind}:{style:#} {text}"), stream::LONG_WAIT);
}
