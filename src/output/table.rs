//! Aligned columns. On a terminal they are cut to its width; elsewhere nothing is.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::cut;

/// What stands between two columns.
const GAP: usize = 2;

const HEADING: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// A table of texts that are escaped already.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    columns: Vec<Column>,
    /// Row by row.
    cells: Vec<Cow<'a, str>>,
    looks: Vec<Look>,
}

/// How a row looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// As ever.
    Plain,
    /// Something is wrong: the column of this number is red.
    Bad(usize),
    /// Everything is well: the column of this number is green.
    Good(usize),
    /// Out of use.
    Faint,
}

/// A column: its heading, and what becomes of it where there is no room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    heading: &'static str,
    fit: Fit,
    optional: bool,
    movable: bool,
}

/// What becomes of a cell where there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is shown whole.
    Whole,
    /// Its end is cut off, down to this width.
    End(usize),
    /// Its start is cut off, down to this width.
    Start(usize),
    /// It is a URL, and cut behind its host, which is always shown.
    Url,
}

impl Column {
    /// A column with this heading.
    pub(crate) fn new(heading: &'static str, fit: Fit) -> Self {
        Self { heading, fit, optional: false, movable: false }
    }

    /// It is left out where it is empty in all rows.
    pub(crate) fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// It goes to a second line where there is no room for all columns on one. Not for the first one.
    pub(crate) fn movable(self) -> Self {
        Self { movable: true, ..self }
    }

    /// The width that a cell wants at least.
    fn least(&self, text: &str) -> usize {
        match self.fit {
            Fit::Whole => cut::width(text),
            Fit::End(least) | Fit::Start(least) => cut::width(text).min(least),
            Fit::Url => cut::least_of_url(text),
        }
    }

    /// A cell in this room.
    fn fitted<'t>(&self, text: &'t str, room: usize) -> Cow<'t, str> {
        match self.fit {
            Fit::Whole | Fit::End(_) => cut::end(text, room),
            Fit::Start(_) => cut::start(text, room),
            Fit::Url => cut::url(text, room),
        }
    }
}

/// One line of each row.
#[derive(Debug)]
struct Line {
    indent: usize,
    /// The number and the width of each column.
    columns: Vec<(usize, usize)>,
}

impl<'a> Table<'a> {
    /// A table with these columns.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), cells: Vec::new(), looks: Vec::new() }
    }

    /// Adds a row, with a text for each column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cow<'a, str>; N], look: Look) {
        debug_assert_eq!(N, self.columns.len());
        self.cells.extend(cells);
        self.looks.push(look);
    }

    /// The heading and the rows, a line end behind each: cut to this width, if there is one.
    pub(crate) fn text(&self, width: Option<usize>, coloured: bool) -> String {
        let lines = self.lines(width);
        let longest = lines.iter().map(|line| line.indent + total(&line.columns));
        let length: usize = longest.map(|length| length + 1).sum();
        let mut out = String::with_capacity((self.looks.len() + 1) * length);
        let headings: Vec<_> = self.columns.iter().map(|c| c.heading.into()).collect();
        let heading = |_| coloured.then_some(HEADING);
        self.draw(&mut out, &lines, &headings, heading);
        for (cells, look) in self.cells.chunks(self.columns.len()).zip(&self.looks) {
            let style = |column| coloured.then(|| look.style(column));
            self.draw(&mut out, &lines, cells, style);
        }
        out
    }

    /// Where the columns go: on one line or, where there is no room, those that are movable on another.
    fn lines(&self, width: Option<usize>) -> Vec<Line> {
        let natural = self.widths(|_, text| cut::width(text));
        let Some(width) = width else {
            let columns = natural.into_iter().enumerate();
            let columns = columns.filter(|(_, width)| *width > 0).collect();
            return vec![Line { indent: 0, columns }];
        };
        let least = self.widths(Column::least).into_iter().enumerate();
        let all: Vec<(usize, usize)> = least.filter(|(_, width)| *width > 0).collect();
        let is_movable = |(column, _): &(usize, usize)| self.columns[*column].movable;
        let (below, above): (Vec<_>, Vec<_>) = all.iter().partition(|column| is_movable(column));
        let fitted = |indent: usize, mut columns: Vec<(usize, usize)>| {
            let room = width.saturating_sub(indent);
            self.shrink_urls(&mut columns, room);
            grow(&mut columns, &natural, room);
            clip(&mut columns, room);
            Line { indent, columns }
        };
        if total(&all) <= width || below.is_empty() {
            return vec![fitted(0, all)];
        }
        let indent = above.first().map_or(0, |(_, first)| first + GAP);
        vec![fitted(0, above), fitted(indent, below)]
    }

    /// Takes room from URLs before other columns are cut off: their hosts are shown all the same.
    fn shrink_urls(&self, columns: &mut [(usize, usize)], line: usize) {
        let missing = total(columns).saturating_sub(line);
        for (column, width) in columns {
            if self.columns[*column].fit == Fit::Url {
                *width = width.saturating_sub(missing.min(cut::LEAST_TAIL));
            }
        }
    }

    /// For each column, what `of` says at most of its heading and its cells; 0 where it is left out.
    fn widths(&self, of: impl Fn(&Column, &str) -> usize) -> Vec<usize> {
        let mut widths = vec![0; self.columns.len()];
        for cells in self.cells.chunks(self.columns.len()) {
            for ((column, text), width) in self.columns.iter().zip(cells).zip(&mut widths) {
                *width = of(column, text).max(*width);
            }
        }
        for (column, width) in self.columns.iter().zip(&mut widths) {
            if *width > 0 || !column.optional {
                *width = of(column, column.heading).max(*width);
            }
        }
        widths
    }

    /// One row. A line of it on which there is nothing is left out.
    fn draw(
        &self,
        out: &mut String,
        lines: &[Line],
        cells: &[Cow<'_, str>],
        style: impl Fn(usize) -> Option<Style>,
    ) {
        for line in lines {
            let start = out.len();
            let mut blanks = line.indent;
            for (number, room) in &line.columns {
                let text = self.columns[*number].fitted(&cells[*number], *room);
                write(out, &mut blanks, &text, style(*number));
                blanks += room.saturating_sub(cut::width(&text)) + GAP;
            }
            if out.len() > start {
                out.push('\n');
            }
        }
    }
}

impl Look {
    fn style(self, column: usize) -> Style {
        match self {
            Self::Bad(bad) if bad == column => AnsiColor::Red.on_default(),
            Self::Good(good) if good == column => AnsiColor::Green.on_default(),
            Self::Faint => FAINT,
            _ => Style::new(),
        }
    }
}

/// Writes a cell behind the blanks that are due; none are written at a line's end.
fn write(out: &mut String, blanks: &mut usize, text: &str, style: Option<Style>) {
    if text.is_empty() {
        return;
    }
    out.extend(std::iter::repeat_n(' ', std::mem::take(blanks)));
    match style.filter(|style| !style.is_plain()) {
        // A String takes everything.
        Some(style) => drop(write!(out, "{style}{text}{style:#}")),
        None => out.push_str(text),
    }
}

/// How wide a line with these columns is.
fn total(columns: &[(usize, usize)]) -> usize {
    let sum: usize = columns.iter().map(|(_, width)| width + GAP).sum();
    sum.saturating_sub(GAP)
}

/// Shares what is left of the line among the columns that want more, as fairly as it goes.
fn grow(columns: &mut [(usize, usize)], natural: &[usize], line: usize) {
    loop {
        let mut left = line.saturating_sub(total(columns));
        let wants = |(column, width): &&mut (usize, usize)| *width < natural[*column];
        let wanting = columns.iter_mut().filter(wants).count();
        if left == 0 || wanting == 0 {
            return;
        }
        let share = (left / wanting).max(1);
        for (column, width) in columns.iter_mut().filter(wants) {
            let more = share.min(natural[*column] - *width).min(left);
            *width += more;
            left -= more;
        }
    }
}

/// Cuts the last columns where the line is too narrow for all of them.
fn clip(columns: &mut Vec<(usize, usize)>, line: usize) {
    let mut left = line;
    for (_, width) in &mut *columns {
        *width = left.min(*width);
        left = left.saturating_sub(*width + GAP);
    }
    columns.retain(|(_, width)| *width > 0);
}

#[cfg(test)]
mod tests;
