//! `hooks edit`: changes a hook.

use anyhow::Result;

use super::options::Options;
use super::{Context, unknown};
use crate::cli::Edit;
use crate::domain::hook::{Hook, LastDelivery, View, Viewed, same_url};
use crate::exit::{Exit, Failure};
use crate::store::registry::{Change, Contents};

pub(super) fn run(context: &Context, arguments: &Edit) -> Result<Exit> {
    let options = Options::read(context.output, &arguments.options)?;
    if !changes_something(arguments, &options) {
        let failure = Failure::usage("nothing to change is given");
        return Err(failure.hint("see 'hooks edit --help'").into());
    }
    let registry = context.registry()?;
    if registry.is_missing() {
        return Err(unknown(&[arguments.id]).into());
    }
    let hook = registry.update(|contents| edit(contents, arguments, &options))?;
    context.warn_if_exposed(&registry, std::slice::from_ref(&hook));
    let generated = options.secret.as_ref().filter(|_| options.generated);
    context.print_hook(&hook, generated, arguments.json)?;
    Ok(Exit::Done)
}

fn changes_something(arguments: &Edit, options: &Options) -> bool {
    arguments.url.is_some()
        || arguments.event.is_some()
        || arguments.enable
        || arguments.disable
        || arguments.no_secret
        || !options.is_empty()
}

fn edit(contents: &mut Contents, arguments: &Edit, options: &Options) -> Result<Change<Hook>> {
    let id = arguments.id;
    if let Some(url) = &arguments.url
        && contents.find(id).is_some()
        && let Some(other) = contents
            .hooks
            .iter()
            .find(|hook| hook.id != id && same_url(&hook.url, url))
    {
        let message = format!("could not edit hook {id}: hook {} has that URL", other.id);
        return Err(Failure::new(Exit::Conflict, message)
            .hint(format!("see 'hooks show {}'", other.id))
            .into());
    }
    let hook = contents.find_mut(id).ok_or_else(|| unknown(&[id]))?;
    let before = serialized(hook)?;
    apply(hook, arguments, options);
    let hook = hook.clone();
    if serialized(&hook)? == before {
        return Ok(Change::Keep(hook));
    }
    Ok(Change::Save(hook))
}

fn apply(hook: &mut Hook, arguments: &Edit, options: &Options) {
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
    options.apply(hook);
}

fn serialized(hook: &Hook) -> serde_json::Result<String> {
    serde_json::to_string(&Viewed(hook, View::File))
}
