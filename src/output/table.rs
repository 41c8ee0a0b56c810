//! Aligned columns, cut to the terminal's width. Off a terminal nothing is cut.

use std::io::{self, IsTerminal as _};

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Row};

/// A table without lines.
pub(crate) struct Table {
    table: comfy_table::Table,
}

/// How a row looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowStyle {
    /// As ever.
    Plain,
    /// Something is wrong: the column of this number is red.
    Bad(usize),
    /// Everything is well: the column of this number is green.
    Good(usize),
    /// Out of use.
    Faint,
}

/// A column's heading, and whether it may be cut to make the table fit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// Shown whole, whatever the width.
    Whole(&'static str),
    /// Cut where the terminal is too narrow.
    Cut(&'static str),
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[Column]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING);
        let heading = |column: &Column| match column {
            Column::Whole(text) | Column::Cut(text) => {
                Cell::new(text).add_attribute(Attribute::Bold)
            }
        };
        table.set_header(columns.iter().map(heading));
        match anstream::ColorChoice::global() {
            anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => {
                table.enforce_styling();
            }
            anstream::ColorChoice::Never => {
                table.force_no_tty();
            }
            anstream::ColorChoice::Auto => {}
        }
        if io::stdout().is_terminal()
            && let Some((width, _)) = terminal_size::terminal_size()
        {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width.0);
        }
        table.set_truncation_indicator("…");
        for (column, kind) in table.column_iter_mut().zip(columns) {
            column.set_padding((0, 2));
            if matches!(kind, Column::Whole(_)) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        Self { table }
    }

    /// Adds a row. Its texts are escaped by the caller.
    pub(crate) fn row(&mut self, cells: Vec<String>, style: RowStyle) {
        let styled = |(column, text): (usize, String)| {
            let cell = Cell::new(text);
            match style {
                RowStyle::Bad(bad) if bad == column => cell.fg(Color::Red),
                RowStyle::Good(good) if good == column => cell.fg(Color::Green),
                RowStyle::Faint => cell.add_attribute(Attribute::Dim),
                _ => cell,
            }
        };
        let mut row = Row::from(
            cells
                .into_iter()
                .enumerate()
                .map(styled)
                .collect::<Vec<_>>(),
        );
        row.max_height(1);
        self.table.add_row(row);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The library pads the last column, too.
        f.write_str(&self.table.trim_fmt())
    }
}

/// What a table's other columns take of the width at least, in characters.
const OTHERS: usize = 33;

/// A URL with its middle left out, on a terminal that has no room for all of it: hooks often differ only
/// in the end of theirs, which a column that is cut would hide.
pub(crate) fn shorter(url: String) -> String {
    let width = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
    let Some((width, _)) = width else { return url };
    // The event and the result want as much.
    let room = (usize::from(width.0).saturating_sub(OTHERS) / 3).max(12);
    let length = url.chars().count();
    if length <= room {
        return url;
    }
    let start: String = url.chars().take(room / 3).collect();
    let end: String = url.chars().skip(length - (room - room / 3 - 1)).collect();
    format!("{start}…{end}")
}
