//! `hooks test`: a sample deployment to one hook, whatever its filter, enabled or not.

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use crate::cli::Test;
use crate::dispatch::{self, Dispatch, Results};
use crate::domain::deployment::Deployment;
use crate::domain::hook::check_event;
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
    let hook = file
        .find(&arguments.hook)
        .ok_or_else(|| Failure::unknown_hooks([&arguments.hook]))?
        .clone();
    let event = hook.events().find(|event| check_event(event).is_ok());
    let event = event.unwrap_or(EVENT).to_owned();
    let now = Utc::now();
    let sample = Deployment::recorded(format::sample(now));
    let publication = Publication::new(&event, sample, now).marked_as_test();
    let report = dispatch.publish(publication, vec![hook], Vec::new());
    if arguments.json {
        report.print_publication(context.output);
    }
    Ok(report.exit())
}
