//! `hooks edit`: changes a hook.

use anyhow::Result;
use chrono::TimeDelta;

use super::context::Context;
use super::options::{files, refuse_taken};
use crate::cli::{Edit, HookOptions};
use crate::dispatch::{self, Selection};
use crate::domain::hook::{Hook, HookId, LastDelivery, join_events, same_url};
use crate::domain::retry;
use crate::exit::{Exit, Failure};
use crate::store::registry::{Change, Registry, RegistryFile};

pub(super) fn run(context: &Context, arguments: &mut Edit) -> Result<Exit> {
    arguments.url_text = arguments.url.as_ref().map(files::url).transpose()?;
    arguments.options.load(context.output)?;
    if !changes_something(arguments) {
        let failure = Failure::usage("nothing to change is given");
        return Err(failure.hint("see 'hooks edit --help'").into());
    }
    let registry = context.registry_to_change()?;
    if registry.file.is_missing() {
        return Err(Failure::unknown_hooks([&arguments.hook]).into());
    }
    if let Some(hook) = registry.read()?.find(&arguments.hook) {
        let mut wanted = hook.clone();
        apply(&mut wanted, arguments);
        arguments.options.check_template(&wanted)?;
    }
    let hook = registry.update(|file| edit(file, arguments))?;
    if arguments.url.is_some() {
        arguments.options.suggest_format(context.output, &hook);
    }
    context.warn_if_exposed(&registry, std::slice::from_ref(&hook));
    context.print_hook(&hook, arguments.options.generated(&hook), arguments.json)?;
    if arguments.enable {
        say_what_is_held(context, &registry, hook.id)?;
    }
    Ok(Exit::Done)
}

/// Says how much was held for a hook while it was disabled, and how to send it.
fn say_what_is_held(context: &Context, registry: &Registry, id: HookId) -> Result<()> {
    let held = |since| -> Result<usize> {
        let selection = Selection::Held(vec![id.into()], since);
        Ok(dispatch::choose(registry, &selection)?.deliveries.len())
    };
    let all = held(TimeDelta::MAX)?;
    if all == 0 {
        return Ok(());
    }
    // What --since leaves out when it is not given.
    let since = if held(retry::SENT_FOR)? < all { " --since 365d" } else { "" };
    let program = context.program();
    context.output.note(format!(
        "{all} held for it while it was disabled; to send: {program} redeliver --held {id}{since}"
    ));
    Ok(())
}

fn changes_something(arguments: &Edit) -> bool {
    arguments.url.is_some()
        || !arguments.event.is_empty()
        || arguments.enable
        || arguments.disable
        || arguments.no_secret
        || arguments.options != HookOptions::default()
}

fn edit(file: &mut RegistryFile, arguments: &Edit) -> Result<Change<Hook>> {
    let place = file.hooks.iter().position(|hook| hook.is(&arguments.hook));
    let place = place.ok_or_else(|| Failure::unknown_hooks([&arguments.hook]))?;
    let before = file.hooks[place].clone();
    refuse_conflicts(&file.hooks, &before, arguments)?;
    let hook = &mut file.hooks[place];
    apply(hook, arguments);
    let is_same = hook.keys_that_differ(&before).is_empty();
    let hook = hook.clone();
    Ok(if is_same { Change::Keep(hook) } else { Change::Save(hook) })
}

fn refuse_conflicts(hooks: &[Hook], hook: &Hook, arguments: &Edit) -> Result<(), Failure> {
    arguments.options.refuse_taken_name(hooks, Some(hook.id))?;
    let Some(url) = &arguments.url_text else {
        return Ok(());
    };
    let has_url = |other: &Hook| same_url(&other.url, url);
    refuse_taken(hooks, Some(hook.id), has_url, |other| {
        format!("could not edit {}: {} has that URL", hook.label(), other.label())
    })
}

fn apply(hook: &mut Hook, arguments: &Edit) {
    if let Some(url) = &arguments.url_text {
        // The last delivery went elsewhere.
        if !same_url(&hook.url, url) {
            hook.last = LastDelivery::default();
        }
        hook.url.clone_from(url);
    }
    if !arguments.event.is_empty() {
        hook.event = join_events(arguments.event.iter().map(String::as_str));
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
