//! `hooks remove`: Kudu's DELETE /api/hooks/ID.

use anyhow::Result;

use super::{Context, unknown};
use crate::cli::Remove;
use crate::exit::Exit;
use crate::store::registry::{Change, Contents};

pub(super) fn run(context: &Context, arguments: &Remove) -> Result<Exit> {
    let registry = context.registry()?;
    if registry.is_missing() {
        // Nothing is locked, and no directory made, for a registry that is not there.
        remove(&mut Contents::default(), arguments)?;
        return Ok(Exit::Done);
    }
    registry.update(|contents| remove(contents, arguments))?;
    Ok(Exit::Done)
}

/// All or nothing: with an unknown id among them, none is removed.
fn remove(contents: &mut Contents, arguments: &Remove) -> Result<Change<()>> {
    let missing: Vec<u64> = arguments
        .ids
        .iter()
        .copied()
        .filter(|id| contents.find(*id).is_none())
        .collect();
    if !missing.is_empty() && !arguments.force {
        return Err(unknown(&missing).into());
    }
    let before = contents.hooks.len();
    contents.remove(&arguments.ids);
    Ok(if contents.hooks.len() == before {
        Change::Keep(())
    } else {
        Change::Save(())
    })
}
