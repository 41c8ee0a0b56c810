//! `hooks redeliver`: sends again, the same bytes under the same webhook-id.

use anyhow::Result;
use chrono::TimeDelta;

use super::context::Context;
use crate::cli::Redeliver;
use crate::dispatch::{self, Dispatch, Results, Selection};
use crate::exit::Exit;

pub(super) fn run(context: &Context, arguments: &Redeliver) -> Result<Exit> {
    let output = context.output;
    let registry = context.registry()?;
    let dispatch = Dispatch::new(
        output,
        &registry,
        arguments.limits.settle()?,
        Results::of(arguments.json),
        dispatch::interruptible(),
    );
    // Read again under the lock; here it is for its warning, and so that a broken one ends it at once.
    context.read(&registry)?;
    if registry.is_missing() {
        // A slip in a crontab would be silent for ever.
        let path = registry.shown().display();
        output.warning(format!("there is no registry {path}"));
    }
    if registry.journal_file().is_missing() && arguments.failed {
        output.note("nothing to send again");
        return nothing(context, arguments);
    }
    let selected = dispatch.select(&selection(arguments))?;
    for warning in &selected.warnings {
        output.warning(warning);
    }
    for note in &selected.notes {
        output.note(note);
    }
    context.warn_of_damage(registry.journal_file().path(), &selected.damaged);
    if selected.deliveries.is_empty() {
        return nothing(context, arguments);
    }
    let report = dispatch.deliver(selected.deliveries, selected.claim);
    if arguments.json {
        report.print_publications(output);
    }
    Ok(report.exit())
}

fn selection(arguments: &Redeliver) -> Selection {
    if !arguments.failed {
        return Selection::Named(arguments.ids.clone());
    }
    Selection::Failed {
        since: TimeDelta::from_std(arguments.since).unwrap_or(TimeDelta::MAX),
        now: arguments.now,
    }
}

fn nothing(context: &Context, arguments: &Redeliver) -> Result<Exit> {
    if arguments.json {
        context.output.json("[]")?;
    }
    Ok(Exit::Done)
}
