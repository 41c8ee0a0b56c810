//! `hooks publish`: Kudu's POST /api/hooks/publish/EVENT.

use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use super::fields;
use super::input::{self, Source};
use super::requests::show_request;
use crate::cli::Publish;
use crate::dispatch::{self, Audience, Dispatch, Results};
use crate::domain::deployment::Deployment;
use crate::domain::publication::Publication;
use crate::exit::{Exit, Failure};
use crate::git;
use crate::output::Output;
use crate::store::registry::Registry;

pub(super) fn run(context: &Context, arguments: &Publish) -> Result<Exit> {
    let limits = arguments.limits.settle()?;
    let registry = context.registry()?;
    let input = read(arguments, &registry)?;
    // The deadline counts from here.
    let since = Instant::now();
    let deployment = completed(input, arguments, limits.deadline)?;
    let limits = limits.less(since.elapsed());
    let interrupt = dispatch::interruptible();
    let setup = context.setup(limits, Results::of(arguments.json));
    let dispatch = Dispatch::new(setup, &registry, interrupt);
    let hooks = context.read(&registry)?.hooks;
    let publication = Publication::new(&arguments.event, deployment, Utc::now());
    let audience = Audience::of(context.output, hooks, &publication);
    context.say_who_is_left_out(&registry, &audience, &publication);
    let nobody = audience.hooks.is_empty();
    let exit = if arguments.dry_run {
        dry_run(context.output, &publication, &audience)?
    } else {
        let report = dispatch.send(publication, audience, arguments.defer)?;
        if arguments.json {
            report.print_publication(context.output);
        }
        report.exit()
    };
    if nobody && arguments.must_match {
        let message = format!("no enabled hook gets {}", arguments.event);
        return Err(Failure::new(Exit::Unknown, message)
            .hint("see 'hooks list'")
            .into());
    }
    Ok(exit)
}

/// The deployment as it is given.
fn read(arguments: &Publish, registry: &Registry) -> Result<Deployment> {
    if let Some(revision) = &arguments.git {
        git::check_revision(revision)?;
    }
    let made_by_flags = arguments.git.is_some() || !fields::of_publish(arguments).is_empty();
    let source = Source::of(arguments.deployment.as_deref(), made_by_flags);
    input::read(source, registry)
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

/// Prints the request of each hook, and says whose filter the publication does not pass.
fn dry_run(output: Output, publication: &Publication, audience: &Audience) -> Result<Exit> {
    let mut exit = Exit::Done;
    if !audience.hooks.is_empty() {
        audience.say_who_is_filtered(output);
    }
    for hook in &audience.hooks {
        if !show_request(output, hook, publication)? {
            exit = Exit::Undelivered;
        }
    }
    output.note("nothing was sent");
    Ok(exit)
}
