//! `hooks test`: a sample deployment to some hooks, whatever their filters, enabled or not.

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use crate::cli::Test;
use crate::dispatch::{self, Dispatch};
use crate::domain::deployment::Deployment;
use crate::domain::hook::{Hook, check_event};
use crate::domain::publication::Publication;
use crate::exit::{Exit, Failure};
use crate::format;

/// The event that a hook gets that waits for none by its whole name.
const EVENT: &str = "Test";

pub(super) fn run(context: &Context, arguments: &Test) -> Result<Exit> {
    let registry = context.registry()?;
    let setup = context.setup(arguments.limits.settle(Err)?, arguments.json);
    let dispatch = Dispatch::new(setup, &registry, dispatch::interruptible());
    let file = context.read(&registry)?;
    let (mut hooks, mut missing) = (Vec::<Hook>::new(), Vec::new());
    for named in &arguments.hooks {
        match file.find(named) {
            None => missing.push(named),
            Some(hook) if hooks.iter().any(|known| known.id == hook.id) => {}
            Some(hook) => hooks.push(hook.clone()),
        }
    }
    if !missing.is_empty() {
        return Err(Failure::unknown_hooks(missing).into());
    }
    let samples = hooks.into_iter().map(|hook| (sample(&hook), hook));
    let report = dispatch.test(samples.collect())?;
    if arguments.json && arguments.hooks.len() > 1 {
        report.print_publications(context.output);
    } else if arguments.json {
        report.print_publication(context.output);
    }
    Ok(report.exit())
}

fn sample(hook: &Hook) -> Publication {
    let event = hook.events().find(|event| check_event(event).is_ok());
    let now = Utc::now();
    let deployment = Deployment::recorded(format::sample(now));
    Publication { test: true, ..Publication::new(event.unwrap_or(EVENT), deployment, now) }
}
