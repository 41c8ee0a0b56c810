//! `hooks publish`: Kudu's POST /api/hooks/publish/EVENT.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::Utc;

use super::context::{Context, place};
use super::fields;
use super::input::{self, Source};
use super::requests::{show_request, show_requests};
use crate::cli::Publish;
use crate::dispatch::{self, Audience, Dispatch, Selected, Selection};
use crate::domain::cloudevent::CloudEvent;
use crate::domain::deployment::Deployment;
use crate::domain::hook::check_event;
use crate::domain::publication::Publication;
use crate::exit::{Exit, Failure};
use crate::git;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::store::registry::Registry;

pub(super) fn run(context: &Context, arguments: &Publish) -> Result<Exit> {
    let (event, input) = event_and_input(arguments)?;
    let limits = arguments.limits.settle()?;
    let registry = context.registry()?;
    let read = read(arguments, event, input, &registry)?;
    // The deadline counts from here.
    let since = Instant::now();
    let interrupt = dispatch::interruptible();
    let deployment = completed(read.deployment, arguments, limits.deadline, &interrupt)?;
    let limits = limits.less(since.elapsed());
    let setup = context.setup(limits, arguments.json);
    let mut dispatch = Dispatch::new(setup, &registry, interrupt);
    let hooks = context.read(&registry)?.hooks;
    let mut publication = Publication::new(&read.event, deployment, Utc::now());
    let audience = Audience::of(context.output, hooks, &publication);
    let mut before = None;
    if let Some(id) = read.id {
        publication.id.clone_from(&id);
        before = if arguments.dry_run {
            dispatch::preview(&registry, &Selection::Begun { id, defer: false })?.if_begun()
        } else {
            dispatch.begin_once(&publication, &audience, arguments.defer)?
        };
    }
    match &before {
        Some(before) => context.say_what_was_selected(before),
        None => audience.say_who_is_left_out(context.output, &read.event, &place(&registry)),
    }
    let nobody = before.as_ref().map_or(audience.hooks.is_empty(), Selected::is_held);
    let exit = if arguments.dry_run {
        match &before {
            Some(before) => show_requests(context.output, before)?,
            None => dry_run(context.output, &publication, &audience)?,
        }
    } else {
        let report = match before {
            Some(before) => dispatch.resume(before),
            None => dispatch.send(publication, audience, arguments.defer)?,
        };
        if arguments.json {
            report.print_publication(context.output);
        }
        // With --defer no more was asked for than to keep it.
        if arguments.defer { Exit::Done } else { report.exit() }
    };
    if nobody && arguments.must_match {
        let message = format!("no enabled hook gets {}", read.event);
        let failure = Failure::new(Exit::Unknown, message);
        return Err(failure.hint("see 'hooks list'").into());
    }
    Ok(exit)
}

/// The arguments EVENT and DEPLOYMENT. With `--cloudevent`, one alone that is no event's name is the latter.
fn event_and_input(arguments: &Publish) -> Result<(Option<&str>, Option<&OsStr>), Failure> {
    let input = arguments.deployment.as_deref();
    let Some(event) = arguments.event.as_deref() else {
        return Ok((None, input));
    };
    let text = event.to_str().unwrap_or_default();
    let checked = check_event(text);
    if arguments.cloudevent && input.is_none() && (checked.is_err() || text == "-") {
        return Ok((None, Some(event)));
    }
    checked.map_err(|cause| {
        let message = format!("wrong value for <EVENT>: {cause}");
        Failure::usage(message).hint("see 'hooks publish --help'")
    })?;
    Ok((Some(text), input))
}

/// What is to be published, as it is given; the id where it comes with one.
struct Read {
    id: Option<String>,
    event: String,
    deployment: Deployment,
}

fn read(
    arguments: &Publish,
    event: Option<&str>,
    input: Option<&OsStr>,
    registry: &Registry,
) -> Result<Read> {
    if !arguments.cloudevent {
        return Ok(Read {
            id: None,
            event: event.unwrap_or_default().to_owned(),
            deployment: deployment(arguments, input, registry)?,
        });
    }
    let read = input::read(Source::of(input, false), registry, CloudEvent::parse)?;
    if event.is_none() {
        check_event(&read.event).map_err(|cause| {
            let message = format!("could not publish the envelope: its type is no event: {cause}");
            let hint = "name the event: hooks publish EVENT --cloudevent";
            Failure::new(Exit::Failed, message).hint(hint)
        })?;
    }
    Ok(Read {
        id: Some(read.id),
        event: event.map_or(read.event, str::to_owned),
        deployment: read.deployment,
    })
}

/// The deployment as it is given.
fn deployment(
    arguments: &Publish,
    input: Option<&OsStr>,
    registry: &Registry,
) -> Result<Deployment> {
    if let Some(revision) = &arguments.git {
        git::check_revision(revision)?;
    }
    let made_by_flags = arguments.git.is_some() || !fields::of_publish(arguments).is_empty();
    let source = Source::of(input, made_by_flags);
    input::read(source, registry, Deployment::parse)
}

/// The deployment with what the commit and the flags add; git may take as long as `limit`.
fn completed(
    input: Deployment,
    arguments: &Publish,
    limit: Duration,
    interrupt: &Interrupt,
) -> Result<Deployment> {
    let mut deployment = input;
    if let Some(revision) = &arguments.git {
        let commit = git::commit(revision, limit, interrupt)?;
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
