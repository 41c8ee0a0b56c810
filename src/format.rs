//! Formats: from a deployment to the body that a service expects (docs/design.md §7).
//!
//! A format is a template in `src/formats/`; the user's own template (`hooks add --template`) is rendered by the
//! same engine, and docs/templates.md describes for users what it sees. Rendering here is bounded in work, but a
//! template of the user's can still take all memory: [`renderer`] does it in a process of its own.

mod bounded;
mod cloudevents;
mod condition;
mod error;
mod escape;
mod filters;
pub(crate) mod renderer;
mod service;
mod syntax;
mod template;

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::deployment::{Deployment, Values};
use crate::domain::json::quoted;
use crate::domain::kudu;
use crate::domain::publication::Publication;
use crate::domain::time::timestamp;

pub(crate) use error::RenderError;
pub(crate) use service::for_url;
use syntax::Syntax;

/// The names of the formats, for the command line and for the registry's `format` key.
pub(crate) const NAMES: [&str; 5] = ["raw", "slack", "discord", "teams", "cloudevents"];

const JSON: &str = "application/json";

// The limits that the templates keep, and where each service states them:
//
// Slack: text 40,000 characters, split above 4,000; fields and titles of attachments have no stated limit.
//   https://api.slack.com/changelog/2018-04-truncating-really-long-messages
//   https://api.slack.com/reference/surfaces/formatting (the three characters to escape)
// Mattermost: text 16,383 characters, all attachments together 7,900 on old servers.
//   https://developers.mattermost.com/integrate/reference/message-attachments/
// Discord: title 256, description 4,096, 25 fields with name 256 and value 1,024, 6,000 in all.
//   https://discord.com/developers/docs/resources/message#embed-object-embed-limits
// Teams: 28 KB for the whole message; a TextRun, unlike a TextBlock, has no Markdown.
//   https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
//   https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
// CloudEvents: no size limit of its own.
//   https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
const SLACK: &str = include_str!("formats/slack.json.j2");
const DISCORD: &str = include_str!("formats/discord.json.j2");
const TEAMS: &str = include_str!("formats/teams.json.j2");
const CLOUDEVENTS: &str = include_str!("formats/cloudevents.json.j2");

/// Renders a publication in one of the formats (none and `raw` are the deployment's bytes themselves): its
/// `content-type`, and the body. An error: this version has no such format, or the content is not one JSON object.
pub(crate) fn render<'a>(
    format: Option<&str>,
    publication: &'a Publication,
) -> Result<(&'static str, Cow<'a, [u8]>), RenderError> {
    let template = match format {
        // A MiB that goes out as it came in is not copied for each of hundreds of hooks.
        None | Some("raw") => return Ok((JSON, publication.deployment.as_str().as_bytes().into())),
        Some("cloudevents") => {
            let body = cloudevents::render(publication)?;
            return Ok(("application/cloudevents+json", body.into_bytes().into()));
        }
        Some("slack") => SLACK,
        Some("discord") => DISCORD,
        Some("teams") => TEAMS,
        Some(other) => {
            let name = escape::shorten(&other.replace('\n', " "), 40);
            let reason = format!("this version of hooks has no format `{name}`");
            return Err(RenderError::because(reason));
        }
    };
    let body = from_template(template, Syntax::Json, publication)?;
    Ok((JSON, body.into_bytes().into()))
}

/// Renders a publication by a template, a format's or a user's.
fn from_template(
    template: &str,
    syntax: Syntax,
    publication: &Publication,
) -> Result<String, RenderError> {
    let mut names = names(publication)?;
    names.insert("body".to_owned(), publication.deployment.as_str().into());
    names.insert("webhook_id".to_owned(), publication.id.as_str().into());
    if template.contains("cloudevent") {
        let envelope = cloudevents::render(publication)?;
        names.insert("cloudevent".to_owned(), envelope.into());
    }
    template::render(template, syntax, names.into())
}

/// What templates and conditions see: the deployment's keys, and two names that win over them. Every other name is
/// null.
fn names(publication: &Publication) -> Result<Values, RenderError> {
    let mut names = publication.deployment.values()?.clone();
    names.insert("deployment".to_owned(), publication.deployment.value()?);
    names.insert("event".to_owned(), publication.event.as_str().into());
    Ok(names)
}

/// Checks a user's template before it is stored, by rendering samples. The error says why it is refused: too large,
/// a mistake in it (with the line), too much work, or no JSON where the content type wants it.
///
/// A template that works on keys of the user's own can fail for want of them: that is no reason to refuse it.
fn check(template: &str, syntax: Syntax) -> Result<(), RenderError> {
    let names = template::names(template)?;
    let own_keys = names.iter().any(|name| !is_sampled(name));
    for (publication, lacks_keys) in samples().iter().zip([own_keys, own_keys, true]) {
        match from_template(template, syntax, publication) {
            Err(error) if !(lacks_keys && error.for_want_of_keys) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A deployment that succeeded, one that failed with a message full of quotes and line breaks, and one without any
/// key.
fn samples() -> [Publication; 3] {
    let now = DateTime::UNIX_EPOCH;
    let failed = "A \"quoted\" message,\nwith a \\ and\ttwo lines";
    [sample(now), sample_of("failed", failed, now), "{}".to_owned()]
        .map(|text| Publication::new("PostDeployment", Deployment::recorded(text), now))
}

/// Whether the samples have what a template means by this name, as `a` or `deployment.a`.
fn is_sampled(name: &str) -> bool {
    let key = name.strip_prefix("deployment.").unwrap_or(name);
    let key = key.split('.').next().unwrap_or(key);
    let own = ["event", "webhook_id", "body", "cloudevent", "test", "range", "dict"];
    kudu::KEYS.contains(&key) || own.contains(&key)
}

/// The deployment that `hooks test` sends: in Kudu's keys, and marked as a test.
pub(crate) fn sample(now: DateTime<Utc>) -> String {
    let message = "This is a test from hooks: nothing was deployed";
    sample_of("success", message, now)
}

fn sample_of(status: &str, message: &str, end: DateTime<Utc>) -> String {
    let start = end.checked_sub_signed(TimeDelta::seconds(72)).unwrap_or(end);
    let keys = [
        ("id", "cd5bee7181e74ea38a3522e73253f6ebb8ed72fb"),
        ("status", status),
        ("author_email", "someone@example.com"),
        ("author", "Some One"),
        ("message", message),
        ("deployer", "hooks test"),
        ("start_time", &timestamp(start)),
        ("end_time", &timestamp(end)),
    ];
    let keys = keys.map(|(key, value)| format!("\"{key}\":{}", quoted(value)));
    format!("{{{},\"test\":true}}", keys.join(","))
}

#[cfg(test)]
mod tests;
