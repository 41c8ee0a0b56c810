//! A hook's condition: one expression that is true of a deployment or not (docs/design.md §11).

use super::{RenderError, names, samples, template};
use crate::domain::publication::Publication;

/// The longest condition, in bytes.
const LONGEST: usize = 4 * 1024;

/// Work allowed: an instruction, or 64 bytes of text, is one. An ordinary condition takes some tens, and one
/// that looks through a deployment of 1 MiB some tens of thousands. All of it takes a few milliseconds, and
/// at most 13 MB.
const FUEL: u64 = 200_000;

/// Whether a condition is true of what is published.
pub(super) fn holds(condition: &str, publication: &Publication) -> Result<bool, RenderError> {
    if condition.len() > LONGEST {
        return Err(RenderError::because("it has more than 4 KiB"));
    }
    let names = names(publication)?;
    let refused = |error: &_| RenderError::from_engine("", error);
    template::on_deep_stack(condition, refused, || {
        let environment = template::bounded_environment(FUEL);
        Ok(environment.compile_expression(condition)?.eval(names)?.is_true())
    })
}

/// Checks a condition before it is stored, on samples. One that works on keys of the user's own can fail for want
/// of them: that is no reason to refuse it.
pub(super) fn check(condition: &str) -> Result<(), RenderError> {
    for sample in samples() {
        match holds(condition, &sample) {
            Err(error) if !error.for_want_of_keys => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
