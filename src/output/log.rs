//! The journal's deliveries, for people: a table, or all that is known of each.

use anstyle::Style;
use chrono::{DateTime, Utc};

use super::outcome::{readable_time, result};
use super::table::{Column, RowStyle};
use super::{BAD, GOOD, Output, Table};
use crate::domain::deployment::Deployment;
use crate::domain::text::start_of;
use crate::security::escape::escape;
use crate::store::journal::{Recorded, RecordedDelivery, State};

/// A delivery of the journal, to be shown.
#[derive(Debug)]
pub(crate) struct LogEntry {
    /// The publication's `msg_…` id.
    pub(super) id: String,
    /// Its event.
    pub(super) event: String,
    /// Whether it is a sample.
    test: bool,
    deployment: Deployment,
    /// The delivery.
    pub(super) delivery: RecordedDelivery,
    /// Its state now.
    pub(super) state: State,
}

impl LogEntry {
    /// A delivery of a recorded publication, with its state at this moment.
    pub(crate) fn new(
        recorded: &Recorded,
        delivery: &RecordedDelivery,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: recorded.id.clone(),
            event: recorded.event.clone(),
            test: recorded.test,
            deployment: recorded.deployment(),
            delivery: delivery.clone(),
            state: delivery.state(now),
        }
    }

    /// The event, escaped, with a mark if it is a sample.
    fn event(&self) -> String {
        let marked = if self.test { " (test)" } else { "" };
        format!("{}{marked}", escape(&self.event))
    }

    fn result(&self) -> String {
        match (self.state, &self.delivery.outcome) {
            (State::Delivered | State::Failed, Some(outcome)) => result(outcome),
            _ => String::new(),
        }
    }

    /// What was deployed, in short: `cd5bee7 success`.
    fn deployment(&self) -> String {
        let id = self.deployment.text_of("id").unwrap_or_default();
        let is_hash = matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
        let id = start_of(&id, if is_hash { 7 } else { 20 });
        let status = self.deployment.status().unwrap_or_default();
        escape(format!("{id} {status}").trim()).into_owned()
    }
}

/// The deliveries, as given: a line each.
pub(crate) fn table(entries: &[LogEntry]) -> Table {
    let mut table = Table::new(&[
        Column::Whole("TIME"),
        Column::Whole("STATE"),
        Column::Whole("HOOK"),
        Column::Cut("EVENT"),
        Column::Cut("DEPLOYMENT"),
        Column::Cut("RESULT"),
    ]);
    for entry in entries {
        let cells = vec![
            readable_time(entry.delivery.last_try),
            entry.state.word().to_owned(),
            entry.delivery.hook.to_string(),
            entry.event(),
            entry.deployment(),
            entry.result(),
        ];
        let style = match entry.state {
            State::Delivered => RowStyle::Good(1),
            State::Failed | State::Unfinished => RowStyle::Bad(1),
            State::Pending => RowStyle::Plain,
        };
        table.row(cells, style);
    }
    table
}

/// The deliveries with everything that is known of them: four lines each.
pub(crate) fn blocks(output: Output, entries: &[LogEntry]) -> String {
    let block = |entry: &LogEntry| {
        let style = match entry.state {
            State::Delivered => GOOD,
            State::Failed | State::Unfinished => BAD,
            State::Pending => Style::new(),
        };
        format!(
            "{}  {style}{}{style:#}  {}  {}\n    hook {}  {}  {}\n    {}",
            readable_time(entry.delivery.last_try),
            entry.state.word(),
            entry.event(),
            escape(&entry.id),
            entry.delivery.hook,
            output.url(&entry.delivery.url),
            entry.result(),
            escape(entry.deployment.as_str().trim_end()),
        )
    };
    entries.iter().map(block).collect::<Vec<_>>().join("\n")
}
