//! `hooks add`: Kudu's POST /api/hooks.

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use super::options::{files, quoted, taken};
use crate::cli::Add;
use crate::domain::hook::{Hook, HookId, join_events, same_url};
use crate::exit::{Exit, Failure};
use crate::store::registry::{Change, RegistryFile};

/// What has become of the hook that is wanted.
enum Added {
    New,
    Known,
    /// It was made so by `--replace`: the keys that have changed.
    Replaced(Vec<String>),
}

pub(super) fn run(context: &Context, arguments: &mut Add) -> Result<Exit> {
    let output = context.output;
    arguments.options.load(output)?;
    let events = arguments.event.iter().map(String::as_str);
    let url = files::url(&arguments.url)?;
    let mut wanted = Hook::new(HookId(0), url, join_events(events));
    arguments.options.apply(&mut wanted);
    arguments.options.check_template(&wanted)?;
    let registry = context.registry_to_change()?;
    let (hook, added) = registry.update(|file| {
        if arguments.replace {
            replace(file, arguments, wanted.clone())
        } else {
            add(file, arguments, wanted.clone())
        }
    })?;
    let label = hook.label();
    match added {
        Added::New if arguments.replace => output.note(format!("{label} is added")),
        Added::New => {}
        Added::Known if hook.enabled => output.note(format!("{label} is registered already")),
        Added::Known => {
            output.note(format!("{label} is registered already, disabled"));
            output.note(format!("to enable it: hooks edit {} --enable", hook.id));
        }
        Added::Replaced(keys) if keys.is_empty() => output.note(format!("{label} is unchanged")),
        Added::Replaced(keys) => {
            output.note(format!("{label} is changed: {}", keys.join(", ")));
        }
    }
    arguments.options.suggest_format(output, &hook);
    context.warn_if_exposed(&registry, std::slice::from_ref(&hook));
    let generated = arguments.options.generated();
    let generated =
        generated.filter(|secret| hook.secrets.first().is_some_and(|s| s.secret == **secret));
    context.print_hook(&hook, generated, arguments.json)?;
    Ok(Exit::Done)
}

fn add(file: &mut RegistryFile, arguments: &Add, wanted: Hook) -> Result<Change<(Hook, Added)>> {
    let mut hooks = file.hooks.iter();
    let present = hooks.find(|hook| same_url(&hook.url, &wanted.url));
    let own = present.map(|hook| hook.id);
    arguments.options.refuse_taken_name(&file.hooks, own)?;
    let Some(hook) = present else {
        return add_new(file, wanted);
    };
    let differences = differences(hook, arguments);
    if !hook.has_events(&wanted.event) || !differences.is_empty() {
        return Err(conflict(hook, &differences).into());
    }
    Ok(Change::Keep((hook.clone(), Added::Known)))
}

fn add_new(file: &mut RegistryFile, wanted: Hook) -> Result<Change<(Hook, Added)>> {
    let Some(id) = file.take_id() else {
        return Err(Failure::new(Exit::Failed, "could not add the hook: no id is left").into());
    };
    let hook = Hook { id, ..wanted };
    file.hooks.push(hook.clone());
    Ok(Change::Save((hook, Added::New)))
}

/// Makes the hook of that name, else of that URL, what is wanted. What no option sets stays: its id, its
/// last delivery unless the URL is another, its secrets unless one is given, keys of a later version.
fn replace(
    file: &mut RegistryFile,
    arguments: &Add,
    wanted: Hook,
) -> Result<Change<(Hook, Added)>> {
    let of_url = |hook: &Hook| same_url(&hook.url, &wanted.url);
    let is_named = |hook: &Hook| wanted.name.as_deref().is_some_and(|n| hook.is_called(n));
    let of_url = file.hooks.iter().position(of_url);
    let place = match (file.hooks.iter().position(is_named), of_url) {
        (Some(named), Some(other)) if named != other => {
            let (named, other) = (file.hooks[named].label(), &file.hooks[other]);
            let message = format!("could not replace {named}: {} has that URL", other.label());
            return Err(taken(message, other).into());
        }
        (named, of_url) => named.or(of_url),
    };
    let Some(place) = place else {
        return add_new(file, wanted);
    };
    let present = &mut file.hooks[place];
    let mut hook = Hook {
        id: present.id,
        secrets: present.secrets.clone(),
        unknown: present.unknown.clone(),
        ..wanted.clone()
    };
    if same_url(&present.url, &hook.url) {
        hook.last = present.last.clone();
    }
    // A secret that is made anew each time would never be unchanged.
    let keeps_its_own = arguments.options.generate_secret && present.is_signed();
    if let Some(given) = wanted.secrets.into_iter().next().filter(|_| !keeps_its_own) {
        hook.rotate(given.secret, Utc::now());
    }
    let keys = hook.keys_that_differ(present);
    if keys.is_empty() {
        return Ok(Change::Keep((hook, Added::Replaced(keys))));
    }
    present.clone_from(&hook);
    Ok(Change::Save((hook, Added::Replaced(keys))))
}

/// The flags of the edit that gives the hook what it lacks, and takes no event from it.
fn differences(hook: &Hook, arguments: &Add) -> Vec<String> {
    let mut flags = arguments.options.differences(hook);
    let mut lacking = arguments.event.iter().filter(|event| !hook.waits_for(event)).peekable();
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
        let flags = differences.join(" ");
        format!("to change that hook: hooks edit {id} {flags}")
    })
}
