//! `hooks show`: Kudu's GET /api/hooks/ID.

use anyhow::Result;

use super::{Context, unknown};
use crate::cli::Show;
use crate::exit::Exit;
use crate::output;

pub(super) fn run(context: &Context, arguments: &Show) -> Result<Exit> {
    let contents = context.read(&context.registry()?)?;
    let hook = contents
        .find(arguments.id)
        .ok_or_else(|| unknown(&[arguments.id]))?;
    if arguments.json {
        context.output.json(&output::json::hook(hook, None))?;
    } else {
        context
            .output
            .result(output::hook::whole(context.output, hook, None))?;
    }
    Ok(Exit::Done)
}
