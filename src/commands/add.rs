//! `hooks add`: Kudu's POST /api/hooks.

use anyhow::Result;

use super::context::Context;
use crate::cli::Add;
use crate::domain::hook::{Hook, same_url};
use crate::exit::{Exit, Failure};
use crate::store::registry::{Change, RegistryFile};

/// A hook, and whether it was there before.
struct Added {
    hook: Hook,
    existed: bool,
}

pub(super) fn run(context: &Context, arguments: &mut Add) -> Result<Exit> {
    arguments.options.load(context.output)?;
    let registry = context.registry()?;
    context.warn_if_remote(&registry);
    let added = registry.update(|file| add(file, arguments))?;
    let Added { hook, existed } = added;
    if existed {
        let state = if hook.enabled { "" } else { ", disabled" };
        context
            .output
            .note(format!("hook {} is registered already{state}", hook.id));
        if !hook.enabled {
            context
                .output
                .note(format!("to enable it: hooks edit {} --enable", hook.id));
        }
    }
    context.warn_if_exposed(&registry, std::slice::from_ref(&hook));
    context.print_hook(&hook, arguments.options.generated(), arguments.json)?;
    Ok(Exit::Done)
}

fn add(file: &mut RegistryFile, arguments: &Add) -> Result<Change<Added>> {
    if let Some(hook) = file
        .hooks
        .iter()
        .find(|hook| same_url(&hook.url, &arguments.url))
    {
        let differences = differences(hook, arguments);
        if !differences.is_empty() {
            return Err(conflict(hook, &differences).into());
        }
        return Ok(Change::Keep(Added {
            hook: hook.clone(),
            existed: true,
        }));
    }
    let Some(id) = file.take_id() else {
        return Err(Failure::new(Exit::Failed, "could not add the hook: no id is left").into());
    };
    let mut hook = Hook::new(id, arguments.url.clone(), arguments.event.clone());
    arguments.options.apply(&mut hook);
    file.hooks.push(hook.clone());
    Ok(Change::Save(Added {
        hook,
        existed: false,
    }))
}

fn differences(hook: &Hook, arguments: &Add) -> Vec<String> {
    let mut flags = arguments.options.differences(hook);
    if !hook.event.eq_ignore_ascii_case(&arguments.event) {
        flags.insert(0, format!("--event '{}'", arguments.event));
    }
    flags
}

/// The event of a hand-edited registry may be anything.
fn conflict(hook: &Hook, differences: &[String]) -> Failure {
    let event = crate::security::escape::escape(&hook.event);
    let message = format!(
        "could not add the hook: the URL is registered already, as hook {} for {event}",
        hook.id
    );
    Failure::new(Exit::Conflict, message).hint(format!(
        "to change that hook: hooks edit {} {}",
        hook.id,
        differences.join(" ")
    ))
}
