//! `hooks test`: a sample deployment to some hooks, whatever their filters, enabled or not.

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use crate::cli::Test;
use crate::dispatch::{self, Dispatch, Results};
use crate::domain::deployment::Deployment;
use crate::domain::hook::{Hook, check_event};
use crate::domain::publication::Publication;
use crate::exit::{Exit, Failure};
use crate::format;

/// The event that a hook gets that waits for none by its whole name.
const EVENT: &str = "Test";

pub(super) fn run(context: &Context, arguments: &Test) -> Result<Exit> {
    let registry = context.registry()?;
    let limits = arguments.limits.settle()?;
    let setup = context.setup(limits, Results::of(arguments.json));
    let dispatch = Dispatch::new(setup, &registry, dispatch::interruptible());
    let file = context.read(&registry)?;
    let named = arguments.hooks.iter();
    let missing: Vec<_> = named.filter(|hook| file.find(hook).is_none()).collect();
    if !missing.is_empty() {
        return Err(Failure::unknown_hooks(missing).into());
    }
    let is_named = |hook: &Hook| arguments.hooks.iter().any(|named| hook.is(named));
    let hooks = file.hooks.into_iter().filter(is_named);
    let report = dispatch.test(hooks.map(|hook| (sample(&hook), hook)).collect());
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
    Publication::new(event.unwrap_or(EVENT), deployment, now).marked_as_test()
}
