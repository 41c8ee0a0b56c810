//! `hooks edit`: changes a hook.

use anyhow::Result;

use super::context::Context;
use crate::cli::Edit;
use crate::domain::hook::json::{HookJson, View};
use crate::domain::hook::{Hook, LastDelivery, same_url};
use crate::exit::{Exit, Failure};
use crate::store::registry::{Change, RegistryFile};

pub(super) fn run(context: &Context, arguments: &mut Edit) -> Result<Exit> {
    arguments.options.load(context.output)?;
    if !changes_something(arguments) {
        let failure = Failure::usage("nothing to change is given");
        return Err(failure.hint("see 'hooks edit --help'").into());
    }
    let registry = context.registry()?;
    if registry.is_missing() {
        return Err(Failure::unknown_hooks(&[arguments.id]).into());
    }
    context.warn_if_remote(&registry);
    let hook = registry.update(|file| edit(file, arguments))?;
    context.warn_if_exposed(&registry, std::slice::from_ref(&hook));
    context.print_hook(&hook, arguments.options.generated(), arguments.json)?;
    Ok(Exit::Done)
}

fn changes_something(arguments: &Edit) -> bool {
    arguments.url.is_some()
        || arguments.event.is_some()
        || arguments.enable
        || arguments.disable
        || arguments.no_secret
        || !arguments.options.is_empty()
}

fn edit(file: &mut RegistryFile, arguments: &Edit) -> Result<Change<Hook>> {
    let id = arguments.id;
    if let Some(url) = &arguments.url
        && file.find(id).is_some()
        && let Some(other) = file
            .hooks
            .iter()
            .find(|hook| hook.id != id && same_url(&hook.url, url))
    {
        let message = format!("could not edit hook {id}: hook {} has that URL", other.id);
        return Err(Failure::new(Exit::Conflict, message)
            .hint(format!("see 'hooks show {}'", other.id))
            .into());
    }
    let hook = file
        .find_mut(id)
        .ok_or_else(|| Failure::unknown_hooks(&[id]))?;
    let before = serialized(hook)?;
    apply(hook, arguments);
    let hook = hook.clone();
    if serialized(&hook)? == before {
        return Ok(Change::Keep(hook));
    }
    Ok(Change::Save(hook))
}

fn apply(hook: &mut Hook, arguments: &Edit) {
    if let Some(url) = &arguments.url {
        // The last delivery went elsewhere.
        if !same_url(&hook.url, url) {
            hook.last = LastDelivery::default();
        }
        hook.url.clone_from(url);
    }
    if let Some(event) = &arguments.event {
        hook.event.clone_from(event);
    }
    if arguments.enable {
        hook.enabled = true;
        hook.disabled_reason = None;
    }
    if arguments.disable {
        hook.enabled = false;
    }
    if arguments.no_secret {
        hook.secrets.clear();
    }
    arguments.options.apply(hook);
}

fn serialized(hook: &Hook) -> serde_json::Result<String> {
    serde_json::to_string(&HookJson(hook, View::File))
}
