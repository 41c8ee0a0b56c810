//! `hooks add`: Kudu's POST /api/hooks.

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use super::options::{files, quoted, refuse_taken};
use crate::cli::Add;
use crate::domain::hook::{Hook, HookId, join_events, same_url};
use crate::exit::{Exit, Failure};
use crate::store::registry::{Change, RegistryFile};

/// A hook, and what is to be said of it.
type Added = (Hook, Vec<String>);

pub(super) fn run(context: &Context, arguments: &mut Add) -> Result<Exit> {
    let output = context.output;
    arguments.options.load(output)?;
    let events = arguments.event.iter().map(String::as_str);
    let url = files::url(&arguments.url)?;
    let mut wanted = Hook::new(HookId(0), url, join_events(events));
    arguments.options.apply(&mut wanted);
    arguments.options.check_template(&wanted)?;
    let registry = context.registry_to_change()?;
    let change = if arguments.replace { replace } else { add };
    let (hook, notes) = registry.update(|file| change(file, arguments, wanted.clone()))?;
    for note in notes {
        output.note(note);
    }
    arguments.options.suggest_format(output, &hook);
    context.warn_if_exposed(&registry, std::slice::from_ref(&hook));
    context.print_hook(&hook, arguments.options.generated(&hook), arguments.json)?;
    Ok(Exit::Done)
}

fn add(file: &mut RegistryFile, arguments: &Add, wanted: Hook) -> Result<Change<Added>> {
    let present = file.hooks.iter().find(|hook| same_url(&hook.url, &wanted.url));
    arguments.options.refuse_taken_name(&file.hooks, present.map(|hook| hook.id))?;
    let Some(hook) = present else {
        return Ok(Change::Save((add_new(file, wanted)?, Vec::new())));
    };
    let differences = differences(hook, arguments);
    if !hook.has_events(&wanted.event) || !differences.is_empty() {
        return Err(conflict(hook, &differences).into());
    }
    let mut notes = vec![format!("{} is registered already", hook.label())];
    if !hook.enabled {
        notes[0] += ", disabled";
        notes.push(format!("to enable it: hooks edit {} --enable", hook.id));
    }
    Ok(Change::Keep((hook.clone(), notes)))
}

fn add_new(file: &mut RegistryFile, wanted: Hook) -> Result<Hook, Failure> {
    let no_id = || Failure::new(Exit::Failed, "could not add the hook: no id is left");
    let hook = Hook { id: file.take_id().ok_or_else(no_id)?, ..wanted };
    file.hooks.push(hook.clone());
    Ok(hook)
}

/// Makes the hook of that name, else of that URL, what is wanted. What no option sets stays: its id, its
/// last delivery unless the URL is another, its secrets unless one is given, keys of a later version.
fn replace(file: &mut RegistryFile, arguments: &Add, wanted: Hook) -> Result<Change<Added>> {
    let has_url = |hook: &Hook| same_url(&hook.url, &wanted.url);
    let is_named = |hook: &Hook| wanted.name.as_deref().is_some_and(|n| hook.is_called(n));
    let named = file.hooks.iter().position(is_named);
    if let Some(named) = named.map(|place| &file.hooks[place]).filter(|named| !has_url(named)) {
        let could_not = format!("could not replace {}", named.label());
        refuse_taken(&file.hooks, Some(named.id), has_url, |other| {
            format!("{could_not}: {} has that URL", other.label())
        })?;
    }
    let Some(place) = named.or_else(|| file.hooks.iter().position(has_url)) else {
        let hook = add_new(file, wanted)?;
        let note = format!("{} is added", hook.label());
        return Ok(Change::Save((hook, vec![note])));
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
        let note = format!("{} is unchanged", hook.label());
        return Ok(Change::Keep((hook, vec![note])));
    }
    present.clone_from(&hook);
    let note = format!("{} is changed: {}", hook.label(), keys.join(", "));
    Ok(Change::Save((hook, vec![note])))
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
