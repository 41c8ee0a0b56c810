//! `hooks log`: the journal's deliveries, newest first.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::{Context, unknown, warn_of_damage};
use crate::cli::Log;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::store::journal::{Delivery, History, Journal, Recorded, State};
use crate::store::registry::Contents;

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
    if !chosen.is_empty() {
        let text = shown(context, arguments, &chosen, now);
        if arguments.json {
            context.output.json(&text)?;
        } else {
            context.output.result(text)?;
        }
    }
    // The journal is worth a look when the registry is broken, and that is worth an error.
    let contents = context.read(&registry)?;
    if chosen.is_empty() {
        refuse_unknown(arguments, &history, &contents)?;
        if !arguments.json {
            context.output.note("the journal has no such delivery");
        }
    }
    Ok(Exit::Done)
}

fn shown(
    context: &Context,
    arguments: &Log,
    chosen: &[(&Recorded, &Delivery)],
    now: DateTime<Utc>,
) -> String {
    if !arguments.json && context.output.verbose {
        return output::outcome::blocks(context.output, chosen, now);
    }
    if !arguments.json {
        return output::outcome::table(chosen, now).to_string();
    }
    let line = |(recorded, delivery): &(&Recorded, &Delivery)| {
        output::json::log_line(recorded, delivery, now)
    };
    chosen.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A hook that was removed is still in the journal; an id that is neither there nor in the registry is
/// a slip of the finger.
fn refuse_unknown(arguments: &Log, history: &History, contents: &Contents) -> Result<(), Failure> {
    let Some(id) = arguments.id else {
        return Ok(());
    };
    let published = history
        .publications
        .iter()
        .any(|recorded| recorded.delivery(id).is_some());
    if published || contents.find(id).is_some() {
        Ok(())
    } else {
        Err(unknown(&[id]))
    }
}
