//! The live line on a terminal: who is still awaited, and how long.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use super::outcome::duration;
use super::{SHORT_WAIT, Stream, cut};

/// A line on standard error that is drawn over and over.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Whether it is wanted, and standard error is a terminal.
    pub(crate) is_enabled: bool,
    drawn: bool,
    since: Instant,
}

impl Progress {
    /// A line that is drawn if it is `wanted`.
    pub(crate) fn new(wanted: bool) -> Self {
        let is_enabled = wanted && io::stderr().is_terminal();
        Self { is_enabled, drawn: false, since: Instant::now() }
    }

    /// Draws the line, cut to the terminal's width.
    pub(crate) fn draw(&mut self, text: &str) {
        let width = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(w, _)| w.0);
        let text = format!("{text} ({})", duration(self.since.elapsed()));
        write(&cut::end(&text, usize::from(width).saturating_sub(1)));
        self.drawn = true;
    }

    /// Takes the line away, so that another can be printed in its place.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            write("");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Writes in place of the line, with colours or without: what moves a cursor is no colour.
fn write(text: &str) {
    if Stream::Stderr.is_writable(SHORT_WAIT) {
        // Nobody is there to be told.
        let _ = io::stderr().write_all(format!("\r\x1b[K{text}").as_bytes());
    }
}
