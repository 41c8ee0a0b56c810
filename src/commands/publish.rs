//! `hooks publish`: Kudu's POST /api/hooks/publish/EVENT.

use anyhow::Result;
use chrono::Utc;

use super::Context;
use super::sending::{self, Results, Sending};
use crate::cli::{Fields, Publish};
use crate::delivery;
use crate::deployment::{self, Deployment, Source, quoted};
use crate::escape::{escape, escape_lines};
use crate::exit::{Exit, Failure};
use crate::git::{self, Commit};
use crate::hook::{Hook, Skip, timestamp};
use crate::output::{self, Output, json::PublicationView};
use crate::publication::Publication;

/// A deployment's key and its value as JSON text.
type Key = (String, String);

pub(super) fn run(context: &Context, arguments: &Publish) -> Result<Exit> {
    let limits = arguments.limits.settle()?;
    let deployment = deployment(arguments)?;
    let registry = context.registry()?;
    let sending = Sending::new(context, &registry, limits, results(arguments.json));
    let hooks = context.read(&registry)?.hooks;
    let publication = Publication::new(&arguments.event, deployment.as_str());
    let hooks = matching(context.output, hooks, &publication);
    if hooks.is_empty() {
        context
            .output
            .note(format!("no hook is to be called for {}", arguments.event));
        if arguments.json {
            let view = PublicationView::new(&publication, std::iter::empty());
            context.output.json(&output::json::pretty(&view))?;
        }
        return Ok(Exit::Done);
    }
    if arguments.dry_run {
        return dry_run(context.output, &publication, &hooks);
    }
    let sent = sending.publish(publication, hooks, sending::interruptible());
    if arguments.json {
        let publication = &sent.orders[0].publication;
        sent.print_json(context, &sent.view(publication));
    }
    Ok(sent.exit())
}

fn results(json: bool) -> Results {
    if json { Results::Json } else { Results::Text }
}

/// The hooks that get this publication; `-v` says why another one does not.
pub(super) fn matching(output: Output, hooks: Vec<Hook>, publication: &Publication) -> Vec<Hook> {
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

/// The deployment that the arguments and standard input make.
fn deployment(arguments: &Publish) -> Result<Deployment> {
    if let Some(revision) = &arguments.git {
        git::check_revision(revision)?;
    }
    let keys = keys(arguments);
    let made_by_flags = arguments.git.is_some() || !keys.is_empty();
    let source = Source::of(arguments.deployment.as_deref(), made_by_flags);
    let mut deployment = deployment::read(source)?;
    if let Some(revision) = &arguments.git {
        deployment = deployment.filled(&of_commit(&git::commit(revision)?));
    }
    let deployment = deployment.with(&keys);
    if !deployment.fits() {
        let message = "could not make the deployment: with its flags it is larger than 1 MiB";
        return Err(Failure::new(Exit::Failed, message).into());
    }
    Ok(deployment)
}

fn keys(arguments: &Publish) -> Vec<Key> {
    let mut keys = Vec::new();
    set(&mut keys, "status", arguments.status.as_deref());
    set(&mut keys, "start_time", arguments.start_time.as_deref());
    set(&mut keys, "end_time", arguments.end_time.as_deref());
    let mut fields = of_fields(&arguments.fields);
    // In Kudu's order: the id first, then the status.
    let id = usize::from(fields.first().is_some_and(|(key, _)| key == "id"));
    fields.splice(id..id, keys);
    fields
}

/// The keys of the field flags, in the order in which Kudu writes them; `--set` comes last and wins.
pub(super) fn of_fields(fields: &Fields) -> Vec<Key> {
    let mut keys = Vec::new();
    set(&mut keys, "id", fields.id.as_deref());
    set(&mut keys, "author_email", fields.author_email.as_deref());
    set(&mut keys, "author", fields.author.as_deref());
    set(&mut keys, "message", fields.message.as_deref());
    set(&mut keys, "deployer", fields.deployer.as_deref());
    keys.extend(
        fields
            .set
            .iter()
            .map(|set| (set.key.clone(), set.json.clone())),
    );
    keys
}

fn set(keys: &mut Vec<Key>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        keys.push((key.to_owned(), quoted(value)));
    }
}

/// A deployment's keys from a commit that has just been deployed.
fn of_commit(commit: &Commit) -> Vec<Key> {
    let now = timestamp(Utc::now());
    let mut keys = commit_keys(commit);
    set(&mut keys, "status", Some("success"));
    set(&mut keys, "start_time", Some(&now));
    set(&mut keys, "end_time", Some(&now));
    keys
}

/// The keys that a commit alone gives.
pub(super) fn commit_keys(commit: &Commit) -> Vec<Key> {
    let mut keys = Vec::new();
    set(&mut keys, "id", Some(&commit.id));
    set(&mut keys, "author_email", Some(&commit.author_email));
    set(&mut keys, "author", Some(&commit.author));
    set(&mut keys, "message", Some(&commit.message));
    set(
        &mut keys,
        "deployer",
        Some(&git::deployer(&commit.committer)),
    );
    keys
}

/// Prints the request of each hook, masked unless `--reveal`. A template that fails on this deployment
/// is shown in its place.
fn dry_run(output: Output, publication: &Publication, hooks: &[Hook]) -> Result<Exit> {
    let mut failed = false;
    for hook in hooks {
        match delivery::build(hook, publication, Utc::now()) {
            Ok(request) => output.result(request_text(output, hook, &request))?,
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

fn request_text(output: Output, hook: &Hook, request: &delivery::Request) -> String {
    let own = |name: &str| {
        hook.headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    let hidden = |name: &str| {
        let signs = ["authorization", "webhook-signature", "x-hub-signature-256"];
        !output.reveal && (own(name) || signs.contains(&name))
    };
    let mut lines = vec![
        format!("# hook {}", hook.id),
        format!("POST {} HTTP/1.1", output.url(request.url.as_str())),
        format!(
            "host: {}",
            &request.url[url::Position::BeforeHost..url::Position::AfterPort]
        ),
    ];
    for (name, value) in &request.headers {
        let value = if hidden(name) { "***" } else { value };
        lines.push(format!("{}: {}", escape(name), escape(value)));
    }
    lines.push(format!("content-length: {}", request.body.len()));
    let body = String::from_utf8_lossy(&request.body);
    format!(
        "{}\n\n{}\n",
        lines.join("\n"),
        escape_lines(body.trim_end_matches('\n'))
    )
}
