//! Whom a publication is for, and what is said of those who do not get it (docs/design.md §12).

use std::collections::HashSet;

use crate::domain::deployment::Deployment;
use crate::domain::hook::{ANY_EVENT, Hook, Skip, events_cover};
use crate::domain::publication::Publication;
use crate::format::renderer;
use crate::output::Output;
use crate::security::escape::escape;

/// How near another event's name must be to be named, from 0 to 1 (Jaro's similarity).
const NEAR: f64 = 0.85;

/// The hooks that wait for a publication.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    /// Those that get it.
    pub(crate) hooks: Vec<Hook>,
    /// Those that would get it, were they not disabled: it is held for them.
    pub(crate) held: Vec<Hook>,
    /// Those whose filter it does not pass, and why.
    filtered: Vec<String>,
    /// Events with nearly its name that hooks wait for, where none waits for it by name.
    near: Vec<String>,
}

impl Audience {
    /// Sorts the hooks; `-v` says of each that is passed over why.
    pub(crate) fn of(output: Output, hooks: Vec<Hook>, publication: &Publication) -> Self {
        let (event, deployment) = (&publication.event, &publication.deployment);
        let is_false = |when: &str| renderer::holds(when, publication) == Ok(false);
        let mut audience = Self { near: near(&hooks, &publication.event), ..Self::default() };
        for hook in hooks {
            let Some(skip) = hook.skips(event, deployment, is_false) else {
                audience.hooks.push(hook);
                continue;
            };
            // That is said without -v, too.
            if skip == Skip::Disabled {
                audience.held.push(hook);
                continue;
            }
            let why = why(skip, &hook, deployment);
            output.detail(format!("{} is passed over: {why}", hook.label()));
            if skip != Skip::Event && !output.verbose {
                audience.filtered.push(format!("{}: {why}", hook.label()));
            }
        }
        audience
    }

    /// Whether there is nothing to keep: nobody gets it, and for nobody it is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.hooks.is_empty() && self.held.is_empty()
    }

    /// Says whose filter the publication does not pass, and why.
    pub(crate) fn say_who_is_filtered(&self, output: Output) {
        for filtered in &self.filtered {
            output.note(filtered);
        }
    }

    /// Says who does not get the event and might have been meant to. A receiver that has asked for no
    /// more (410) is worth a warning: nobody else has decided that.
    pub(crate) fn say_who_is_left_out(&self, output: Output, event: &str, registry: &str) {
        if self.hooks.is_empty() {
            output.note(format!("no hook is to be called for {event} in {registry}"));
            self.say_who_is_filtered(output);
        }
        if !self.near.is_empty() {
            let near = self.near.join(" or ");
            output.note(format!("no hook has the event {event}; did you mean {near}?"));
        }
        for hook in &self.held {
            let id = hook.id;
            let held = format!("{} is disabled, and the event is held for it", hook.label());
            let hint = format!("to enable it: hooks edit {id} --enable");
            match &hook.disabled_reason {
                Some(reason) => output.warning(format!("{held} ({}); {hint}", escape(reason))),
                None => output.note(format!("{held}; {hint}")),
            }
        }
    }
}

fn why(skip: Skip, hook: &Hook, deployment: &Deployment) -> String {
    match skip {
        Skip::Event => format!("it waits for {}", escape(&hook.event)),
        Skip::Disabled => "it is disabled".to_owned(),
        Skip::Status => {
            let present = match deployment.status() {
                Some(status) => format!("this deployment's is {}", escape(&status)),
                None => "this deployment has none".to_owned(),
            };
            let wanted = hook.status.join(" or ");
            format!("it wants the status {}, and {present}", escape(&wanted))
        }
        Skip::Condition => {
            let condition = hook.when.as_deref().unwrap_or_default();
            format!("its condition is false: {}", escape(condition))
        }
    }
}

/// The events that are nearly this one, unless a hook has this very one.
fn near(hooks: &[Hook], event: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let names = hooks.iter().flat_map(Hook::events);
    let names: Vec<&str> = names.filter(|name| seen.insert(*name)).collect();
    let is_it = |name: &&str| *name != ANY_EVENT && events_cover(name, event);
    if names.iter().any(is_it) {
        return Vec::new();
    }
    let wanted = event.to_ascii_lowercase();
    let is_near = |name: &&str| {
        let lower = name.to_ascii_lowercase();
        !name.ends_with(ANY_EVENT) && strsim::jaro(&lower, &wanted) >= NEAR
    };
    let near = names.into_iter().filter(is_near);
    near.map(|name| escape(name).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hook::HookId;

    #[test]
    fn a_slip_in_an_events_name_is_seen_and_another_name_is_not() {
        let hook = |event: &str| Hook::new(HookId(1), String::new(), event.to_owned());
        let hooks = ["PostDeployment, Rollback", "deploy.rollback", "*", "deploy.*"].map(hook);
        for slip in ["PostDeploymnt", "postdeployments", "PostDeploy", "PostDeployement"] {
            assert_eq!(near(&hooks, slip), ["PostDeployment"], "{slip}");
        }
        for other in ["Built", "postdeployment", "Deploy", "deploy.rolback", "*"] {
            assert_eq!(near(&hooks, other), [""; 0], "{other}");
        }
    }
}
