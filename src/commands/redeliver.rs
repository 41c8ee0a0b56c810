//! `hooks redeliver`: sends again, the same bytes under the same webhook-id.

use anyhow::Result;
use chrono::TimeDelta;

use super::context::Context;
use super::requests::show_selected;
use crate::cli::Redeliver;
use crate::dispatch::{self, Dispatch, Selection};
use crate::domain::reference::{HookReference, Reference};
use crate::domain::retry;
use crate::exit::{Exit, Failure};

pub(super) fn run(context: &Context, arguments: &Redeliver) -> Result<Exit> {
    let output = context.output;
    let registry = context.registry()?;
    let selection = selection(arguments)?;
    let setup = context.setup(arguments.limits.settle(Err)?, arguments.json);
    let mut dispatch = Dispatch::new(setup, &registry, dispatch::interruptible());
    let is_idle = arguments.failed && registry.journal_file().is_missing();
    // It is read under the lock. Here it is for its warning, and for its errors where nothing else is read.
    if is_idle || registry.readable_by_others().is_some() {
        context.read(&registry)?;
    }
    if registry.file.is_missing() {
        // A slip in a crontab would be silent for ever.
        output.warning(format!("there is no registry {}", registry.shown.display()));
    }
    if is_idle {
        output.note("nothing to send again");
        if arguments.json {
            output.answer("[]")?;
        }
        return Ok(Exit::Done);
    }
    let selected = if arguments.dry_run {
        dispatch::choose(&registry, &selection)?
    } else {
        dispatch.select(&selection)?
    };
    context.say_what_was_selected(&selected);
    // Who names something wants it sent.
    let all = arguments.failed || selected.warnings.is_empty();
    let exit = if arguments.dry_run {
        context.warn_of_damage(registry.journal_file().path(), &selected.damaged);
        show_selected(output, &selected)?
    } else {
        let report = dispatch.redeliver(selected);
        if arguments.json {
            report.print_publications(output);
        }
        report.exit()
    };
    Ok(if all || exit != Exit::Done { exit } else { Exit::Undelivered })
}

fn selection(arguments: &Redeliver) -> Result<Selection> {
    let in_range = |since| TimeDelta::from_std(since).unwrap_or(TimeDelta::MAX);
    let since = arguments.since.map_or(retry::SENT_FOR, in_range);
    if arguments.failed {
        return Ok(Selection::Failed { since, now: arguments.now, moved: arguments.moved });
    }
    if arguments.held {
        let hook = |reference: &Reference| match reference {
            Reference::Hook(hook) => Ok(hook.clone()),
            Reference::Publication(_) => {
                let failure = Failure::usage("--held goes with the ids or names of hooks");
                Err(failure.hint("see 'hooks list'"))
            }
        };
        let hooks = arguments.ids.iter().map(hook).collect::<Result<Vec<HookReference>, _>>();
        return Ok(Selection::Held(hooks?, since));
    }
    if arguments.since.is_some() {
        let failure = Failure::usage("--since goes with --failed or --held");
        return Err(failure.hint("see 'hooks redeliver --help'").into());
    }
    Ok(Selection::Named(arguments.ids.clone(), arguments.to.clone()))
}
