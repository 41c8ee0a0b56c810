//! `hooks list`: Kudu's GET /api/hooks.

use anyhow::Result;
use chrono::{TimeDelta, Utc};

use super::context::{Context, place};
use super::health::survey;
use crate::cli::List;
use crate::domain::health::Health;
use crate::domain::hook::{ANY_EVENT, Hook};
use crate::exit::Exit;
use crate::output;

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
        let found = survey(context, &registry, hooks, TimeDelta::zero(), Utc::now())?;
        let needs_a_look = |(hook, health): &(&Hook, Health)| {
            health.owed > 0 || !hook.enabled || hook.last.is_delivered() == Some(false)
        };
        hooks = found.into_iter().filter(needs_a_look).map(|(hook, _)| hook).collect();
    }
    if arguments.json {
        context.output.json(&output::json::hooks(hooks.into_iter()))?;
    } else if !hooks.is_empty() {
        context.output.table(&output::hook::table(context.output, hooks.into_iter()))?;
    } else if arguments.event.is_none() && !arguments.failed {
        context.say_that_none_is_registered(&registry);
    } else {
        let event = arguments.event.as_ref().map(|event| format!(" for {event}"));
        let (event, place) = (event.unwrap_or_default(), place(&registry));
        context.output.note(if arguments.failed {
            format!("no hook{event} needs a look in {place}")
        } else {
            format!("no hook is registered{event} in {place}")
        });
    }
    Ok(Exit::Done)
}
