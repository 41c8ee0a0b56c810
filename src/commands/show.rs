//! `hooks show`: Kudu's GET /api/hooks/ID.

use anyhow::Result;

use super::{Context, unknown};
use crate::cli::Show;
use crate::exit::Exit;

pub(super) fn run(context: &Context, arguments: &Show) -> Result<Exit> {
    let contents = context.read(&context.registry()?)?;
    let hook = contents
        .find(arguments.id)
        .ok_or_else(|| unknown(&[arguments.id]))?;
    context.print_hook(hook, None, arguments.json)?;
    Ok(Exit::Done)
}
