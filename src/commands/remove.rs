//! `hooks remove`: Kudu's DELETE /api/hooks/ID.

use anyhow::Result;

use super::context::Context;
use crate::cli::Remove;
use crate::domain::hook::HookId;
use crate::exit::{Exit, Failure};
use crate::store::registry::{Change, RegistryFile};

pub(super) fn run(context: &Context, arguments: &Remove) -> Result<Exit> {
    let registry = context.registry()?;
    if registry.is_missing() {
        // Nothing is locked, and no directory made, for a registry that is not there.
        remove(&mut RegistryFile::default(), arguments)?;
        return Ok(Exit::Done);
    }
    context.warn_if_remote(&registry);
    registry.update(|file| remove(file, arguments))?;
    Ok(Exit::Done)
}

/// All or nothing: with an unknown id among them, none is removed.
fn remove(file: &mut RegistryFile, arguments: &Remove) -> Result<Change<()>> {
    let missing: Vec<HookId> = arguments
        .ids
        .iter()
        .copied()
        .filter(|id| file.find(*id).is_none())
        .collect();
    if !missing.is_empty() && !arguments.force {
        return Err(Failure::unknown_hooks(&missing).into());
    }
    let before = file.hooks.len();
    file.remove(&arguments.ids);
    Ok(if file.hooks.len() == before {
        Change::Keep(())
    } else {
        Change::Save(())
    })
}
