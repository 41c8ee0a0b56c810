//! `hooks run`: a deploy command, and then how it went is published. Nothing that happens to the
//! publishing ever stops or fails the deployment.

mod command;

use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::Utc;

use super::context::{Context, place};
use super::fields;
use crate::cli::Run;
use crate::dispatch::{Audience, Dispatch, Setup};
use crate::domain::deployment::Deployment;
use crate::domain::limits::Limits;
use crate::domain::publication::Publication;
use crate::domain::time::timestamp;
use crate::exit::Exit;
use crate::git;
use crate::interrupt::Interrupt;
use crate::output::{Stream, plural};
use command::{Event, Finished};

pub(super) fn run(context: &Context, arguments: &Run) -> Result<Exit> {
    if let Some(revision) = &arguments.git {
        git::check_revision(revision)?;
    }
    // What a flag says is refused. A variable may come from anywhere, and must not keep the command from running.
    let limits = arguments.limits.settle(|wrong| {
        context.output.warning(format!("{wrong}; the default is used"));
        Ok(())
    })?;
    let (sender, events) = mpsc::channel();
    let finished = command::run(&arguments.command, &sender, &events);
    if let Err(error) = publish(context, arguments, limits, &finished, events) {
        context.output.warning(format!("not published, and not kept for later: {error:#}"));
    }
    Ok(Exit::Command(finished.code))
}

fn publish(
    context: &Context,
    arguments: &Run,
    limits: Limits,
    finished: &Finished,
    events: Receiver<Event>,
) -> Result<()> {
    let since = Instant::now();
    // git gets half of the deadline, so that there is time left to say what is known without it.
    let deployment = deployment(context, arguments, finished, limits.deadline / 2);
    let limits = limits.less(since.elapsed());
    let registry = context.registry()?;
    let interrupt = interrupt(finished, events);
    // Standard output is the command's.
    let setup = Setup { results: Some(Stream::Stderr), ..context.setup(limits, false) };
    let dispatch = Dispatch::new(setup, &registry, interrupt);
    let hooks = context.read(&registry)?.hooks;
    let publication = Publication::new(&arguments.event, deployment, Utc::now());
    let audience = Audience::of(context.output, hooks, &publication);
    audience.say_who_is_left_out(context.output, &publication.event, &place(&registry));
    if audience.hooks.is_empty() && arguments.must_match {
        context.output.warning(format!("no enabled hook gets {}", arguments.event));
    }
    let count = audience.hooks.len();
    if count > 0 {
        let (event, s) = (&publication.event, plural(count));
        let status = publication.deployment.status().unwrap_or_default();
        context
            .output
            .note(format!("publishing {event} with the status {status} to {count} hook{s}"));
    }
    dispatch.send(publication, audience, arguments.defer)?;
    Ok(())
}

/// From now on a signal cuts the publish; what it leaves is in the journal. Not one that was the
/// command's: Ctrl-C goes to both at once, and the command's end may be known here before it.
fn interrupt(finished: &Finished, events: Receiver<Event>) -> Interrupt {
    let interrupt = Interrupt::default();
    let raised = interrupt.clone();
    if finished.signals > 1 {
        interrupt.raise(0);
    }
    let mut is_the_commands = finished.signals == 0 && matches!(finished.code, 130 | 143);
    // Without a thread, the publish ends at its deadline.
    let _ = thread::Builder::new().spawn(move || {
        for event in events {
            let Event::Signal(caught) = event else {
                continue;
            };
            if !std::mem::take(&mut is_the_commands) {
                raised.raise(caught.signal);
            }
        }
    });
    interrupt
}

fn deployment(
    context: &Context,
    arguments: &Run,
    finished: &Finished,
    limit: Duration,
) -> Deployment {
    let status = if finished.code == 0 { "success" } else { "failed" };
    // A signal waits for git: what is published had better name the commit.
    let interrupt = Interrupt::default();
    let revision = arguments.git.as_deref();
    let keys = match revision.map(|revision| git::commit(revision, limit, &interrupt)) {
        None => Vec::new(),
        Some(Ok(commit)) => fields::of_commit(&commit),
        Some(Err(error)) => {
            context.output.warning(format!("{error}; published without the commit"));
            Vec::new()
        }
    };
    let own = [
        fields::key("status", status),
        fields::key("start_time", &timestamp(finished.start)),
        fields::key("end_time", &timestamp(finished.end)),
    ];
    let flags = fields::of_flags(&arguments.fields, [&None; 3]);
    let whole = Deployment::empty().with(&keys).with(&own).with(&flags);
    if whole.fits() {
        return whole;
    }
    context.output.warning("the deployment is larger than 1 MiB; published without the commit");
    let bare = Deployment::empty().with(&own).with(&flags);
    if bare.fits() { bare } else { Deployment::empty().with(&own) }
}
