//! `hooks test`: a sample deployment to one hook, whatever its filter, enabled or not.

use anyhow::Result;
use chrono::Utc;

use super::{Context, unknown};
use crate::cli::Test;
use crate::dispatch::{self, Results, Sending};
use crate::domain::hook::ANY_EVENT;
use crate::domain::publication::Publication;
use crate::exit::Exit;
use crate::format;

/// The event that a hook for every event gets.
const EVENT: &str = "Test";

pub(super) fn run(context: &Context, arguments: &Test) -> Result<Exit> {
    let registry = context.registry()?;
    let results = Results::of(arguments.json);
    let sending = Sending::new(context, &registry, arguments.limits.settle()?, results);
    let contents = context.read(&registry)?;
    let hook = contents
        .find(arguments.id)
        .ok_or_else(|| unknown(&[arguments.id]))?
        .clone();
    let event = if hook.event == ANY_EVENT {
        EVENT
    } else {
        &hook.event
    };
    let publication = Publication::new(event, &format::sample(Utc::now())).marked_as_test();
    let sent = sending.publish(publication, vec![hook], dispatch::interruptible());
    if arguments.json {
        sent.print_json(context, &sent.view(&sent.orders[0].publication));
    }
    Ok(sent.exit())
}
