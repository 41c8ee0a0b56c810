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
    context.output.result(if arguments.json {
        output::json::hook(hook, None)
    } else {
        output::hook::whole(context.output, hook, None)
    })?;
    Ok(Exit::Done)
}
