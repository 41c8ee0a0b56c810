//! `hooks publish`: Kudu's POST /api/hooks/publish/EVENT.

use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use super::fields;
use super::input::{self, Source};
use crate::cli::Publish;
use crate::delivery;
use crate::dispatch::{self, Dispatch, Results};
use crate::domain::deployment::Deployment;
use crate::domain::hook::Hook;
use crate::domain::publication::Publication;
use crate::exit::{Exit, Failure};
use crate::git;
use crate::output::{self, Output, json::PublicationView};
use crate::security::escape::escape;

pub(super) fn run(context: &Context, arguments: &Publish) -> Result<Exit> {
    let limits = arguments.limits.settle()?;
    let input = read(arguments)?;
    // The deadline counts from here.
    let since = Instant::now();
    let deployment = completed(input, arguments, limits.deadline)?;
    let limits = limits.less(since.elapsed());
    let registry = context.registry()?;
    let results = Results::of(arguments.json);
    let interrupt = dispatch::interruptible();
    let dispatch = Dispatch::new(context.output, &registry, limits, results, interrupt);
    let hooks = context.read(&registry)?.hooks;
    let publication = Publication::new(&arguments.event, deployment, Utc::now());
    let hooks = dispatch::matching(context.output, hooks, &publication);
    if hooks.is_empty() {
        context.say_that_nobody_waits(&registry, &arguments.event);
        if arguments.json {
            let view = PublicationView::new(&publication, std::iter::empty());
            context.output.json(&output::json::pretty(&view))?;
        }
        return Ok(Exit::Done);
    }
    if arguments.dry_run {
        return dry_run(context.output, &publication, &hooks);
    }
    let report = dispatch.publish(publication, hooks);
    if arguments.json {
        report.print_publication(context.output);
    }
    Ok(report.exit())
}

/// The deployment as it is given.
fn read(arguments: &Publish) -> Result<Deployment> {
    if let Some(revision) = &arguments.git {
        git::check_revision(revision)?;
    }
    let made_by_flags = arguments.git.is_some() || !fields::of_publish(arguments).is_empty();
    input::read(Source::of(arguments.deployment.as_deref(), made_by_flags))
}

/// The deployment with what the commit and the flags add; git may take as long as `limit`.
fn completed(input: Deployment, arguments: &Publish, limit: Duration) -> Result<Deployment> {
    let mut deployment = input;
    if let Some(revision) = &arguments.git {
        let commit = git::commit(revision, limit)?;
        deployment = deployment.filled(&fields::of_deployed_commit(&commit));
    }
    let deployment = deployment.with(&fields::of_publish(arguments));
    if !deployment.fits() {
        let message = "could not make the deployment: with its flags it is larger than 1 MiB";
        return Err(Failure::new(Exit::Failed, message).into());
    }
    Ok(deployment)
}

/// Prints the request of each hook. A template that fails on this deployment is said in its place.
fn dry_run(output: Output, publication: &Publication, hooks: &[Hook]) -> Result<Exit> {
    let mut failed = false;
    for hook in hooks {
        match delivery::build(hook, publication, Utc::now()) {
            Ok(request) => output.result(output::request::text(output, hook, &request))?,
            Err(reason) => {
                failed = true;
                output.warning(format!(
                    "hook {} cannot be called: {}",
                    hook.id,
                    escape(&reason)
                ));
            }
        }
    }
    output.note("nothing was sent");
    Ok(if failed {
        Exit::Undelivered
    } else {
        Exit::Done
    })
}
