//! Which hooks a publication goes to, and why the others are passed over.

use crate::domain::deployment;
use crate::domain::hook::{Hook, Skip};
use crate::domain::publication::Publication;
use crate::output::Output;
use crate::security::escape::escape;

/// The hooks that get this publication; `-v` says why another one does not.
pub(crate) fn hooks(output: Output, hooks: Vec<Hook>, publication: &Publication) -> Vec<Hook> {
    let status = deployment::status(&publication.content);
    let status = status.as_deref();
    let wanted = |hook: &Hook| {
        let skip = hook.skips(&publication.event, status);
        if let Some(skip) = skip
            && output.verbose
        {
            output.detail(format!(
                "hook {} is passed over: {}",
                hook.id,
                why(skip, hook, status)
            ));
        }
        skip.is_none()
    };
    hooks.into_iter().filter(wanted).collect()
}

fn why(skip: Skip, hook: &Hook, status: Option<&str>) -> String {
    match skip {
        Skip::Event => format!("it waits for {}", escape(&hook.event)),
        Skip::Disabled => "it is disabled".to_owned(),
        Skip::Status => {
            let present = match status {
                Some(status) => format!("this deployment's is {}", escape(status)),
                None => "this deployment has none".to_owned(),
            };
            format!(
                "it wants the status {}, and {present}",
                escape(&hook.status.join(" or "))
            )
        }
    }
}
