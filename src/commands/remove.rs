//! `hooks remove`: Kudu's DELETE /api/hooks/ID.

use anyhow::Result;

use super::context::Context;
use crate::cli::Remove;
use crate::domain::hook::Hook;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::store::registry::{Change, RegistryFile};

pub(super) fn run(context: &Context, arguments: &Remove) -> Result<Exit> {
    let registry = context.registry_to_change()?;
    if registry.file.is_missing() {
        // Nothing is locked, and no directory made, for a registry that is not there.
        remove(&mut RegistryFile::default(), arguments)?;
        return Ok(Exit::Done);
    }
    let removed = registry.update(|file| remove(file, arguments))?;
    if !removed.is_empty() {
        let (count, s) = (removed.len(), output::plural(removed.len()));
        context.output.note(format!("removed {count} hook{s}"));
        let table = output::hook::table(context.output, removed.iter());
        context.output.table(&table)?;
    }
    Ok(Exit::Done)
}

/// All or nothing: with an unknown id or name among them, none is removed.
fn remove(file: &mut RegistryFile, arguments: &Remove) -> Result<Change<Vec<Hook>>> {
    let named = arguments.hooks.iter();
    let missing: Vec<_> = named.filter(|hook| file.find(hook).is_none()).collect();
    if !missing.is_empty() && !arguments.force {
        return Err(Failure::unknown_hooks(missing).into());
    }
    let removed = file.remove(&arguments.hooks);
    Ok(if removed.is_empty() { Change::Keep(removed) } else { Change::Save(removed) })
}
