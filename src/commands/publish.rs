//! `hooks publish`: Kudu's POST /api/hooks/publish/EVENT.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::Utc;

use super::context::{Context, place};
use super::fields::{self, Key};
use super::input::{self, Source};
use super::requests::{show_requests, show_selected};
use crate::cli::Publish;
use crate::dispatch::{self, Audience, Dispatch, Selected, Selection};
use crate::domain::cloudevent::CloudEvent;
use crate::domain::deployment::Deployment;
use crate::domain::hook::check_event;
use crate::domain::publication::Publication;
use crate::exit::{Exit, Failure};
use crate::git;
use crate::interrupt::Interrupt;
use crate::store::registry::Registry;

pub(super) fn run(context: &Context, arguments: &Publish) -> Result<Exit> {
    let output = context.output;
    let (event, input) = event_and_input(arguments)?;
    let limits = arguments.limits.settle(Err)?;
    let registry = context.registry()?;
    let Publish { status, start_time, end_time, .. } = arguments;
    let flags = fields::of_flags(&arguments.fields, [status, start_time, end_time]);
    let (id, event, deployment) = read(arguments, event, input, &flags, &registry)?;
    // The deadline counts from here.
    let since = Instant::now();
    let interrupt = dispatch::interruptible();
    let deployment = completed(deployment, arguments, &flags, limits.deadline, &interrupt)?;
    let limits = limits.less(since.elapsed());
    let setup = context.setup(limits, arguments.json);
    let mut dispatch = Dispatch::new(setup, &registry, interrupt);
    let hooks = context.read(&registry)?.hooks;
    let mut publication = Publication::new(&event, deployment, Utc::now());
    let audience = Audience::of(output, hooks, &publication);
    // What is known of an envelope that has come before.
    let mut before = None;
    if let Some(id) = id {
        publication.id.clone_from(&id);
        before = if arguments.dry_run {
            dispatch::choose(&registry, &Selection::Begun { id, defer: false })?.if_begun()
        } else {
            dispatch.begin_once(&publication, &audience, arguments.defer)?
        };
    }
    match &before {
        Some(before) => context.say_what_was_selected(before),
        None => audience.say_who_is_left_out(output, &event, &place(&registry)),
    }
    let nobody = before.as_ref().map_or(audience.hooks.is_empty(), Selected::is_held);
    let exit = match (arguments.dry_run, before) {
        (true, Some(before)) => show_selected(output, &before)?,
        (true, None) => {
            if !audience.hooks.is_empty() {
                audience.say_who_is_filtered(output);
            }
            show_requests(output, audience.hooks.iter().map(|hook| (hook, &publication)))?
        }
        (false, before) => {
            let report = match before {
                Some(before) => dispatch.resume(before),
                None => dispatch.send(publication, audience, arguments.defer)?,
            };
            if arguments.json {
                report.print_publication(output);
            }
            // With --defer no more was asked for than to keep it.
            if arguments.defer { Exit::Done } else { report.exit() }
        }
    };
    if nobody && arguments.must_match {
        let failure = Failure::new(Exit::Unknown, format!("no enabled hook gets {event}"));
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

/// What is to be published, as it is given: the id where it comes with one, the event, the deployment.
fn read(
    arguments: &Publish,
    event: Option<&str>,
    input: Option<&OsStr>,
    flags: &[Key],
    registry: &Registry,
) -> Result<(Option<String>, String, Deployment)> {
    if arguments.cloudevent {
        let read = input::read(Source::of(input), registry, CloudEvent::parse)?;
        if event.is_none() {
            check_event(&read.event).map_err(|cause| {
                let message =
                    format!("could not publish the envelope: its type is no event: {cause}");
                let hint = "name the event: hooks publish EVENT --cloudevent";
                Failure::new(Exit::Failed, message).hint(hint)
            })?;
        }
        let event = event.map_or(read.event, str::to_owned);
        return Ok((Some(read.id), event, read.deployment));
    }
    if let Some(revision) = &arguments.git {
        git::check_revision(revision)?;
    }
    // In a git hook standard input holds the pushed refs, which a loop is still reading.
    let is_made_by_flags = arguments.git.is_some() || !flags.is_empty();
    let deployment = if input.is_none() && is_made_by_flags {
        Deployment::empty()
    } else {
        input::read(Source::of(input), registry, Deployment::parse)?
    };
    Ok((None, event.unwrap_or_default().to_owned(), deployment))
}

/// The deployment with what the commit and the flags add; git may take as long as `limit`.
fn completed(
    input: Deployment,
    arguments: &Publish,
    flags: &[Key],
    limit: Duration,
    interrupt: &Interrupt,
) -> Result<Deployment> {
    let mut deployment = input;
    if let Some(revision) = &arguments.git {
        let commit = git::commit(revision, limit, interrupt)?;
        deployment = deployment.filled(&fields::of_deployed_commit(&commit));
    }
    let deployment = deployment.with(flags);
    if !deployment.fits() {
        let message = "could not make the deployment: with its flags it is larger than 1 MiB";
        return Err(Failure::new(Exit::Failed, message).into());
    }
    Ok(deployment)
}
