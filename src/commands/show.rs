//! `hooks show`: Kudu's GET /api/hooks/ID.

use anyhow::Result;

use super::context::{Context, unknown_hooks};
use crate::cli::Show;
use crate::exit::Exit;

pub(super) fn run(context: &Context, arguments: &Show) -> Result<Exit> {
    let registry = context.registry()?;
    let file = context.read(&registry)?;
    let hook =
        file.find(&arguments.hook).ok_or_else(|| unknown_hooks(&registry, [&arguments.hook]))?;
    context.print_hook(hook, None, arguments.json)?;
    Ok(Exit::Done)
}
