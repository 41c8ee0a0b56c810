//! `hooks add`: Kudu's POST /api/hooks.

use anyhow::Result;

use super::context::Context;
use super::options::quoted;
use crate::cli::Add;
use crate::domain::hook::{Hook, HookId, join_events, same_url};
use crate::exit::{Exit, Failure};
use crate::store::registry::{Change, RegistryFile};

/// A hook, and whether it was there before.
struct Added {
    hook: Hook,
    existed: bool,
}

pub(super) fn run(context: &Context, arguments: &mut Add) -> Result<Exit> {
    arguments.options.load(context.output)?;
    let mut wanted = Hook::new(
        HookId(0),
        arguments.url.clone(),
        join_events(arguments.event.iter().map(String::as_str)),
    );
    arguments.options.apply(&mut wanted);
    arguments.options.check_template(&wanted)?;
    let registry = context.registry()?;
    let added = registry.update(|file| add(file, arguments))?;
    let Added { hook, existed } = added;
    if existed {
        let state = if hook.enabled { "" } else { ", disabled" };
        context
            .output
            .note(format!("{} is registered already{state}", hook.label()));
        if !hook.enabled {
            context
                .output
                .note(format!("to enable it: hooks edit {} --enable", hook.id));
        }
    }
    arguments.options.suggest_format(context.output, &hook);
    context.warn_if_exposed(&registry, std::slice::from_ref(&hook));
    context.print_hook(&hook, arguments.options.generated(), arguments.json)?;
    Ok(Exit::Done)
}

fn add(file: &mut RegistryFile, arguments: &Add) -> Result<Change<Added>> {
    let mut hooks = file.hooks.iter();
    let present = hooks.find(|hook| same_url(&hook.url, &arguments.url));
    let own = present.map(|hook| hook.id);
    arguments.options.refuse_taken_name(&file.hooks, own)?;
    let event = join_events(arguments.event.iter().map(String::as_str));
    if let Some(hook) = present {
        let differences = differences(hook, arguments);
        if !hook.has_events(&event) || !differences.is_empty() {
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
    let mut hook = Hook::new(id, arguments.url.clone(), event);
    arguments.options.apply(&mut hook);
    file.hooks.push(hook.clone());
    Ok(Change::Save(Added {
        hook,
        existed: false,
    }))
}

/// The flags of the edit that gives the hook what it lacks, and takes no event from it.
fn differences(hook: &Hook, arguments: &Add) -> Vec<String> {
    let mut flags = arguments.options.differences(hook);
    let mut lacking = arguments
        .event
        .iter()
        .filter(|event| !hook.waits_for(event))
        .peekable();
    if lacking.peek().is_some() {
        let all = join_events(hook.events().chain(lacking.map(String::as_str)));
        flags.insert(0, format!("--event {}", quoted(&all)));
    }
    flags
}

/// The event of a hand-edited registry may be anything.
fn conflict(hook: &Hook, differences: &[String]) -> Failure {
    let (id, label) = (hook.id, hook.label());
    let event = crate::security::escape::escape(&hook.event);
    let message =
        format!("could not add the hook: the URL is registered already, as {label} for {event}");
    Failure::new(Exit::Conflict, message).hint(if differences.is_empty() {
        format!("hook {id} gets all of that already; see 'hooks show {id}'")
    } else {
        format!(
            "to change that hook: hooks edit {id} {}",
            differences.join(" ")
        )
    })
}
