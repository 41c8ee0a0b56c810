//! `hooks list`: Kudu's GET /api/hooks.

use std::collections::HashSet;

use anyhow::Result;
use chrono::{TimeDelta, Utc};

use super::context::{Context, place};
use super::health::survey;
use crate::cli::List;
use crate::domain::hook::{ANY_EVENT, Hook, HookId};
use crate::exit::Exit;
use crate::output;
use crate::store::registry::Registry;

pub(super) fn run(context: &Context, arguments: &List) -> Result<Exit> {
    let registry = context.registry()?;
    let file = context.read(&registry)?;
    let is_wanted = |hook: &&Hook| match arguments.event.as_deref() {
        None => true,
        Some(ANY_EVENT) => hook.events().any(|event| event == ANY_EVENT),
        Some(event) => hook.waits_for(event),
    };
    let mut hooks: Vec<&Hook> = file.hooks.iter().filter(is_wanted).collect();
    if arguments.failed {
        let owed = owed(context, &registry, &hooks)?;
        hooks.retain(|hook| {
            let is_failing = hook.last.is_delivered() == Some(false);
            is_failing || !hook.enabled || owed.contains(&hook.id)
        });
    }
    if arguments.json {
        let hooks = hooks.into_iter();
        context.output.json(&output::json::hooks(hooks))?;
    } else if hooks.is_empty() {
        say_that_there_is_none(context, arguments, &registry);
    } else {
        let table = output::hook::table(context.output, hooks.into_iter());
        context.output.table(&table)?;
    }
    Ok(Exit::Done)
}

/// The hooks that something is still to be sent to.
fn owed(context: &Context, registry: &Registry, hooks: &[&Hook]) -> Result<HashSet<HookId>> {
    let (hooks, none) = (hooks.to_vec(), TimeDelta::zero());
    let found = survey(context, registry, hooks, none, Utc::now())?;
    let owed = found.iter().filter(|(_, health)| health.owed > 0);
    Ok(owed.map(|(hook, _)| hook.id).collect())
}

fn say_that_there_is_none(context: &Context, arguments: &List, registry: &Registry) {
    let place = place(registry);
    let note = match (&arguments.event, arguments.failed) {
        (None, false) => return context.say_that_none_is_registered(registry),
        (Some(event), false) => format!("no hook is registered for {event} in {place}"),
        (None, true) => format!("no hook needs a look in {place}"),
        (Some(event), true) => format!("no hook for {event} needs a look in {place}"),
    };
    context.output.note(note);
}
