//! `hooks log`: the journal's deliveries, newest first.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::context::Context;
use crate::cli::Log;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::output::log::LogEntry;
use crate::store::journal::{Journal, RecordedDelivery, State};

pub(super) fn run(context: &Context, arguments: &Log) -> Result<Exit> {
    let registry = context.registry()?;
    let journal = Journal::of(&registry);
    let now = Utc::now();
    let Found {
        entries,
        damaged,
        is_known,
    } = find(&journal, arguments, now)?;
    context.warn_of_damage(journal.path(), &damaged);
    if !entries.is_empty() {
        show(context, arguments, &entries)?;
    }
    // The journal is worth a look when the registry is broken, and that is worth an error.
    let file = context.read(&registry)?;
    if entries.is_empty() {
        // A hook that was removed is still in the journal; an id that is neither there nor in the
        // registry is a slip of the finger.
        if let Some(id) = arguments.id
            && !is_known
            && file.find(id).is_none()
        {
            return Err(Failure::unknown_hooks(&[id]).into());
        }
        if !arguments.json {
            context.output.note("the journal has no such delivery");
        }
    }
    Ok(Exit::Done)
}

/// What the journal has of what is asked for.
struct Found {
    entries: Vec<LogEntry>,
    /// The numbers of the lines that were passed over.
    damaged: Vec<usize>,
    /// Whether the hook that was named has ever got a publication.
    is_known: bool,
}

fn find(journal: &Journal, arguments: &Log, now: DateTime<Utc>) -> Result<Found> {
    let most = usize::try_from(arguments.n).unwrap_or(usize::MAX);
    let mut reader = journal.read()?;
    let (mut entries, mut is_known) = (Vec::new(), false);
    while entries.len() < most
        && let Some(recorded) = journal.next(&mut reader)?
    {
        is_known |= arguments
            .id
            .is_some_and(|id| recorded.delivery(id).is_some());
        let wanted = recorded
            .deliveries
            .iter()
            .filter(|d| is_wanted(arguments, d, now));
        let entry = |delivery| LogEntry::new(&recorded, delivery, now);
        entries.extend(wanted.take(most - entries.len()).map(entry));
    }
    Ok(Found {
        entries,
        damaged: journal.damaged(&reader),
        is_known,
    })
}

fn is_wanted(arguments: &Log, delivery: &RecordedDelivery, now: DateTime<Utc>) -> bool {
    let state = delivery.state(now);
    arguments.id.is_none_or(|id| delivery.hook == id)
        && (!arguments.failed || matches!(state, State::Failed | State::Unfinished))
}

fn show(context: &Context, arguments: &Log, entries: &[LogEntry]) -> Result<()> {
    let output = context.output;
    if arguments.json {
        let lines: Vec<String> = entries.iter().map(output::json::log_line).collect();
        return output.json(&lines.join("\n"));
    }
    if output.verbose {
        return output.result(output::log::blocks(output, entries));
    }
    output.result(output::log::table(entries))
}
