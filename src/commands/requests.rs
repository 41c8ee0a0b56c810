//! What `--dry-run` shows.

use anyhow::Result;
use chrono::Utc;

use crate::delivery;
use crate::dispatch::Selected;
use crate::domain::hook::Hook;
use crate::domain::publication::Publication;
use crate::exit::Exit;
use crate::output::{self, Output};
use crate::security::escape::escape;

/// Prints the exact request of each delivery. Where none can be made, as a template fails on this deployment,
/// that is said in its place.
pub(super) fn show_requests<'a>(
    output: Output,
    deliveries: impl Iterator<Item = (&'a Hook, &'a Publication)>,
) -> Result<Exit> {
    let mut exit = Exit::Done;
    for (hook, publication) in deliveries {
        match delivery::build(hook, publication, Utc::now()) {
            Ok(request) => output.answer(&output::request::text(output, hook, &request))?,
            Err(reason) => {
                output.warning(format!("{} cannot be called: {}", hook.label(), escape(&reason)));
                exit = Exit::Undelivered;
            }
        }
    }
    output.note("nothing was sent");
    Ok(exit)
}

/// Prints the requests of what was selected.
pub(super) fn show_selected(output: Output, selected: &Selected) -> Result<Exit> {
    let deliveries = selected.deliveries.iter();
    show_requests(output, deliveries.map(|delivery| (&*delivery.hook, &*delivery.publication)))
}
