//! `hooks test`: a sample deployment to one hook, whatever its filter, enabled or not.

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use crate::cli::Test;
use crate::dispatch::{self, Dispatch, Results};
use crate::domain::deployment::Deployment;
use crate::domain::hook::ANY_EVENT;
use crate::domain::publication::Publication;
use crate::exit::{Exit, Failure};
use crate::format;

/// The event that a hook for every event gets.
const EVENT: &str = "Test";

pub(super) fn run(context: &Context, arguments: &Test) -> Result<Exit> {
    let registry = context.registry()?;
    let dispatch = Dispatch::new(
        context.output,
        &registry,
        arguments.limits.settle()?,
        Results::of(arguments.json),
        dispatch::interruptible(),
    );
    let file = context.read(&registry)?;
    let hook = file
        .find(arguments.id)
        .ok_or_else(|| Failure::unknown_hooks(&[arguments.id]))?
        .clone();
    let event = if hook.event == ANY_EVENT {
        EVENT
    } else {
        &hook.event
    };
    let now = Utc::now();
    let sample = Deployment::recorded(format::sample(now));
    let publication = Publication::new(event, sample, now).marked_as_test();
    let report = dispatch.publish(publication, vec![hook]);
    if arguments.json {
        report.print_publication(context.output);
    }
    Ok(report.exit())
}
