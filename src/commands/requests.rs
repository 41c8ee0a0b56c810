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

/// Prints the exact request of a delivery. Where none can be made, as a template fails on this
/// deployment, that is said in its place, and the answer is false.
pub(super) fn show_request(output: Output, hook: &Hook, publication: &Publication) -> Result<bool> {
    match delivery::build(hook, publication, Utc::now()) {
        Ok(request) => {
            output.answer(&output::request::text(output, hook, &request))?;
            Ok(true)
        }
        Err(reason) => {
            let reason = escape(&reason);
            output.warning(format!("{} cannot be called: {reason}", hook.label()));
            Ok(false)
        }
    }
}

/// Prints the requests that would be sent again.
pub(super) fn show_requests(output: Output, selected: &Selected) -> Result<Exit> {
    let mut exit = Exit::Done;
    for delivery in &selected.deliveries {
        if !show_request(output, &delivery.hook, &delivery.publication)? {
            exit = Exit::Undelivered;
        }
    }
    output.note("nothing was sent");
    Ok(exit)
}
