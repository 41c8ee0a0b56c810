//! `hooks show`: Kudu's GET /api/hooks/ID.

use anyhow::Result;

use super::context::Context;
use crate::cli::Show;
use crate::exit::{Exit, Failure};

pub(super) fn run(context: &Context, arguments: &Show) -> Result<Exit> {
    let file = context.read(&context.registry()?)?;
    let hook = file
        .find(arguments.id)
        .ok_or_else(|| Failure::unknown_hooks(&[arguments.id]))?;
    context.print_hook(hook, None, arguments.json)?;
    Ok(Exit::Done)
}
