//! What `--dry-run` shows.

use anyhow::Result;
use chrono::Utc;

use crate::delivery;
use crate::domain::hook::Hook;
use crate::domain::publication::Publication;
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
