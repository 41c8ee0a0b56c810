//! `hooks log`: the journal's deliveries, newest first.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use chrono::Utc;

use super::{Context, unknown};
use crate::cli::Log;
use crate::exit::Exit;
use crate::journal::{Delivery, History, Journal, Recorded, State};
use crate::output;

pub(super) fn run(context: &Context, arguments: &Log) -> Result<Exit> {
    let registry = context.registry()?;
    let history = Journal::of(&registry).read()?;
    warn_of_damage(context, &registry.journal_file(), &history);
    let now = Utc::now();
    let wanted = |delivery: &Delivery| {
        let state = delivery.state(now);
        arguments.id.is_none_or(|id| delivery.hook == id)
            && (!arguments.failed || matches!(state, State::Failed | State::Unfinished))
    };
    let newest_first = history.publications.iter().rev();
    let all =
        newest_first.flat_map(|recorded| recorded.deliveries.iter().map(move |d| (recorded, d)));
    let chosen: Vec<(&Recorded, &Delivery)> = all
        .filter(|(_, delivery)| wanted(delivery))
        .take(usize::try_from(arguments.n).unwrap_or(usize::MAX))
        .collect();
    if chosen.is_empty() {
        refuse_unknown(context, arguments, &history)?;
        if !arguments.json {
            context.output.note("the journal has no such delivery");
        }
        return Ok(Exit::Done);
    }
    if arguments.json {
        let mut lines = String::new();
        for (recorded, delivery) in &chosen {
            let _ = writeln!(lines, "{}", output::json::log_line(recorded, delivery, now));
        }
        context.output.result(lines.trim_end())?;
    } else {
        context
            .output
            .result(output::outcome::table(context.output, &chosen, now))?;
    }
    Ok(Exit::Done)
}

/// A hook that was removed is still in the journal; an id that is neither there nor in the registry is
/// a slip of the finger.
fn refuse_unknown(context: &Context, arguments: &Log, history: &History) -> Result<()> {
    let Some(id) = arguments.id else {
        return Ok(());
    };
    if history
        .publications
        .iter()
        .any(|recorded| recorded.delivery(id).is_some())
    {
        return Ok(());
    }
    if context.registry()?.read()?.find(id).is_some() {
        return Ok(());
    }
    Err(unknown(&[id]).into())
}

/// A damaged line is skipped, kept, and said.
pub(super) fn warn_of_damage(context: &Context, file: &Path, history: &History) {
    let numbers: Vec<String> = history.damaged.iter().map(usize::to_string).collect();
    let which = match &numbers[..] {
        [one] => format!("line {one}"),
        [some @ .., last] if some.len() < 5 => format!("lines {} and {last}", some.join(", ")),
        [first, ..] => format!("{} lines, the first of them {first}", numbers.len()),
        [] => return,
    };
    context.output.warning(format!(
        "skipped {which} of the journal {}: damaged",
        file.display()
    ));
}
