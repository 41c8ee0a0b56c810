//! The live line on a terminal: who is still awaited, and how long.

use std::io::{self, IsTerminal as _};
use std::time::Instant;

use super::cut;
use super::outcome::duration;

/// A line on standard error that is drawn over and over. Nothing where that is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    enabled: bool,
    drawn: bool,
    since: Instant,
}

impl Progress {
    /// A line that is drawn if `enabled`.
    pub(crate) fn new(enabled: bool) -> Self {
        Self { enabled: enabled && io::stderr().is_terminal(), drawn: false, since: Instant::now() }
    }

    /// Whether it is drawn at all.
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Draws the line, cut to the terminal's width.
    pub(crate) fn draw(&mut self, text: &str) {
        if !self.enabled {
            return;
        }
        let width = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(w, _)| w.0);
        let text = format!("{text} ({})", duration(self.since.elapsed()));
        let cut = cut::end(&text, usize::from(width).saturating_sub(1));
        super::Stream::Stderr.write_raw(&format!("\r\x1b[K{cut}"));
        self.drawn = true;
    }

    /// Takes the line away, so that another can be printed in its place.
    pub(crate) fn clear(&mut self) {
        if self.drawn {
            super::Stream::Stderr.write_raw("\r\x1b[K");
            self.drawn = false;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
