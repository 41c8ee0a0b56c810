//! Which hooks a publication goes to, and why the others are passed over.

use crate::domain::hook::{Hook, Skip};
use crate::domain::publication::Publication;
use crate::output::Output;
use crate::security::escape::escape;

/// The hooks that get this publication; `-v` says why another one does not.
pub(crate) fn matching(output: Output, hooks: Vec<Hook>, publication: &Publication) -> Vec<Hook> {
    let status = publication.deployment.status();
    let status = status.as_deref();
    let wanted = |hook: &Hook| {
        let skip = hook.skips(&publication.event, status);
        if let Some(skip) = skip
            && output.verbose
        {
            let why = why(skip, hook, status);
            output.detail(format!("hook {} is passed over: {why}", hook.id));
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
            let wanted = hook.status.join(" or ");
            format!("it wants the status {}, and {present}", escape(&wanted))
        }
    }
}
