//! `hooks list`: Kudu's GET /api/hooks.

use anyhow::Result;

use super::context::Context;
use crate::cli::List;
use crate::domain::hook::{ANY_EVENT, Hook};
use crate::exit::Exit;
use crate::output;

pub(super) fn run(context: &Context, arguments: &List) -> Result<Exit> {
    let file = context.read(&context.registry()?)?;
    let wanted = |hook: &&Hook| match arguments.event.as_deref() {
        None => true,
        Some(ANY_EVENT) => hook.event == ANY_EVENT,
        Some(event) => hook.waits_for(event),
    };
    let hooks = file.hooks.iter().filter(wanted);
    if arguments.json {
        context.output.json(&output::json::hooks(hooks))?;
        return Ok(Exit::Done);
    }
    if hooks.clone().next().is_none() {
        context.output.note(match &arguments.event {
            None => "no hook is registered; see 'hooks add --help'".to_owned(),
            Some(event) => format!("no hook is registered for {event}"),
        });
        return Ok(Exit::Done);
    }
    context
        .output
        .result(output::hook::table(context.output, hooks))?;
    Ok(Exit::Done)
}
