//! `hooks add`: Kudu's POST /api/hooks.

use anyhow::Result;

use super::Context;
use super::options::Options;
use crate::cli::Add;
use crate::domain::hook::{Hook, same_url};
use crate::exit::{Exit, Failure};
use crate::store::registry::{Change, Contents};

/// A hook, and whether it was there before.
struct Added {
    hook: Hook,
    existed: bool,
}

pub(super) fn run(context: &Context, arguments: &Add) -> Result<Exit> {
    let options = Options::read(context.output, &arguments.options)?;
    let registry = context.registry()?;
    let added = registry.update(|contents| add(contents, arguments, &options))?;
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
    let generated = options.secret.as_ref().filter(|_| options.generated);
    context.print_hook(&hook, generated, arguments.json)?;
    Ok(Exit::Done)
}

fn add(contents: &mut Contents, arguments: &Add, options: &Options) -> Result<Change<Added>> {
    if let Some(hook) = contents
        .hooks
        .iter()
        .find(|hook| same_url(&hook.url, &arguments.url))
    {
        let differences = differences(hook, arguments, options);
        if !differences.is_empty() {
            return Err(conflict(hook, &differences).into());
        }
        return Ok(Change::Keep(Added {
            hook: hook.clone(),
            existed: true,
        }));
    }
    let Some(id) = contents.take_id() else {
        return Err(Failure::new(Exit::Failed, "could not add the hook: no id is left").into());
    };
    let mut hook = Hook::new(id, arguments.url.clone(), arguments.event.clone());
    options.apply(&mut hook);
    contents.hooks.push(hook.clone());
    Ok(Change::Save(Added {
        hook,
        existed: false,
    }))
}

fn differences(hook: &Hook, arguments: &Add, options: &Options) -> Vec<String> {
    let mut flags = options.differences(hook);
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
