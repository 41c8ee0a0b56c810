//! The journal's deliveries, for people: a table, or all that is known of each.

use anstyle::Style;
use chrono::{DateTime, Utc};

use super::outcome::{deployed, duration, result};
use super::table::{Column, Fit, Look};
use super::time::{local_minute, local_time};
use super::{BAD, GOOD, Output, Table, plural};
use crate::domain::outcome::Outcome;
use crate::domain::publication::Publication;
use crate::security::escape::{escape, escape_lines};
use crate::store::journal::{Recorded, RecordedDelivery, State};

/// A delivery of the journal, to be shown.
#[derive(Debug)]
pub(crate) struct LogEntry {
    /// What was published.
    pub(super) publication: Publication,
    /// What its hook is called, if that is known.
    name: Option<String>,
    /// The delivery.
    pub(super) delivery: RecordedDelivery,
    /// Its state now.
    pub(super) state: State,
    /// When it is sent again; `None` where it was delivered, is under way or given up.
    pub(super) next_try: Option<DateTime<Utc>>,
}

impl LogEntry {
    /// A delivery of a recorded publication, with its state at this moment.
    pub(crate) fn new(
        recorded: &Recorded,
        delivery: &RecordedDelivery,
        name: Option<&str>,
        next_try: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            publication: recorded.publication(),
            name: name.map(str::to_owned),
            delivery: delivery.clone(),
            state: delivery.state(now),
            next_try,
        }
    }

    /// The time that it is shown and sorted by.
    pub(crate) fn time(&self) -> DateTime<Utc> {
        self.delivery.last_try
    }

    /// The event, escaped, with a mark if it is a sample.
    fn event(&self) -> String {
        let marked = if self.publication.test { " (test)" } else { "" };
        format!("{}{marked}", escape(&self.publication.event))
    }

    /// The hook's id and its name: `1 (chat)`.
    fn hook(&self) -> String {
        let id = self.delivery.hook;
        match &self.name {
            Some(name) => format!("{id} ({})", escape(name)),
            None => id.to_string(),
        }
    }

    /// How its last try ended, unless nobody saw the end of one that was begun after it.
    pub(super) fn outcome(&self) -> Option<&Outcome> {
        let is_known = matches!(self.state, State::Delivered | State::Failed);
        self.delivery.outcome().filter(|_| is_known)
    }

    fn result(&self) -> String {
        self.outcome().map(result).unwrap_or_default()
    }

    /// The state in its colour, and when it is sent again.
    fn styled_state(&self) -> String {
        let style = match self.state {
            State::Delivered => GOOD,
            State::Failed | State::Unfinished => BAD,
            State::Pending | State::Held | State::Deferred => Style::new(),
        };
        let next = self.next_try.map(local_time);
        let next = next.map_or(String::new(), |time| format!(" (next try {time})"));
        format!("{style}{}{style:#}{next}", self.state.word())
    }
}

/// The deliveries, as given: a line each.
pub(crate) fn table(entries: &[LogEntry]) -> Table<'_> {
    let mut table = Table::new(&[
        Column::new("TIME", Fit::Whole),
        Column::new("STATE", Fit::Whole),
        Column::new("HOOK", Fit::End(8)),
        Column::new("EVENT", Fit::End(8)),
        Column::new("DEPLOYMENT", Fit::End(7)).optional(),
        Column::new("RESULT", Fit::End(14)).movable(),
    ]);
    for entry in entries {
        let cells = [
            local_minute(entry.time()).into(),
            entry.state.word().into(),
            entry.hook().into(),
            entry.event().into(),
            deployed(&entry.publication.deployment).into(),
            entry.result().into(),
        ];
        let look = match entry.state {
            State::Delivered => Look::Good(1),
            State::Failed | State::Unfinished => Look::Bad(1),
            State::Pending | State::Held | State::Deferred => Look::Plain,
        };
        table.row(cells, look);
    }
    table
}

/// The deliveries with everything that is known of them: some lines each.
pub(crate) fn blocks(output: Output, entries: &[LogEntry]) -> String {
    let block = |entry: &LogEntry| {
        let (time, state, event) = (local_time(entry.time()), entry.styled_state(), entry.event());
        let (hook, url, result) = (entry.hook(), output.url(&entry.delivery.url), entry.result());
        let mut lines = vec![
            format!("{time}  {state}  {event}  {}", escape(&entry.publication.id)),
            format!("    hook {hook}  {url}  {result}"),
        ];
        if let Some(said) = entry.delivery.outcome().and_then(|o| o.response.as_ref()) {
            lines.push(format!("    answer: {}", escape(said)));
        }
        let content = escape(entry.publication.deployment.as_str().trim_end());
        lines.push(format!("    {content}"));
        lines.join("\n")
    };
    entries.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// One publication, whole: what was sent, and how each try at each hook went.
pub(crate) fn publication(output: Output, recorded: &Recorded, entries: &[LogEntry]) -> String {
    let (time, event) = (local_time(recorded.time), escape(&recorded.event));
    let mut lines = vec![format!("{time}  {event}  {}", escape(&recorded.id))];
    for entry in entries {
        let url = output.url(&entry.delivery.url);
        let hook = entry.hook();
        lines.push(format!("hook {hook}  {url}  {}", entry.styled_state()));
        for outcome in entry.delivery.tries.iter().map(|one| &one.outcome) {
            let (time, result) = (local_time(outcome.time), result(outcome));
            let (attempts, took) = (outcome.attempts, duration(outcome.duration));
            let s = plural(attempts as usize);
            lines.push(format!("    {time}  {result} ({attempts} attempt{s}, {took})"));
            if let Some(said) = &outcome.response {
                lines.push(format!("      answer: {}", escape(said)));
            }
        }
    }
    lines.push(String::new());
    let content = recorded.deployment();
    lines.push(escape_lines(content.as_str().trim_end_matches('\n')).into_owned());
    lines.join("\n")
}
