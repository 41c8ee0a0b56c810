//! One attempt: a request, and what came of it.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use memchr::memmem;
use ureq::http::response::Parts;
use ureq::http::{HeaderName, Response, header};
use ureq::{Agent, Body};

use super::connection::{self, Deadline, Dialer, Network};
use super::errors::{self, Failed};
use super::html;
use super::request::{self, Request};
use crate::domain::outcome::{DELIVERED, Outcome};
use crate::domain::publication::Delivery;
use crate::domain::text::start_of;
use crate::domain::{kudu, retry};
use crate::security::redact;

/// The most that is read of a response's body, in bytes.
const MOST_READ: u64 = 64 * 1024;

/// The most that is kept of it, in bytes.
const MOST_KEPT: usize = 1024;

/// How long the rest of the body is waited for once the delivery is accepted, which it does not change.
const MOST_WAITED: Duration = Duration::from_secs(1);

/// What came of an attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    /// As of a delivery with this one attempt, without its duration.
    pub(super) outcome: Outcome,
    /// Whether another attempt may go better.
    pub(super) may_pass: bool,
    /// How long the receiver asks to wait.
    pub(super) retry_after: Option<Duration>,
}

impl From<Failed> for Attempt {
    fn from(Failed { words, may_pass }: Failed) -> Self {
        Self { outcome: unanswered(words), may_pass, retry_after: None }
    }
}

/// The outcome where no status has arrived, for this reason.
pub(super) fn unanswered(reason: String) -> Outcome {
    Outcome {
        time: Utc::now(),
        delivered: false,
        status: kudu::FAILURE.to_owned(),
        code: None,
        reason,
        response: None,
        attempts: 1,
        duration: Duration::ZERO,
        not_before: None,
    }
}

/// Makes an attempt. `on_head` is called as soon as a status has arrived, with the outcome if that is all.
pub(super) fn make(
    network: &Arc<Network>,
    delivery: &Delivery,
    on_head: &dyn Fn(Outcome),
) -> Result<Attempt, Failed> {
    let Delivery { publication, hook } = delivery;
    let deadline = Deadline::after(network.timeout);
    let request = request::build(hook, publication, Utc::now()).map_err(Failed::permanent)?;
    let agent = connection::agent(Dialer {
        network: Arc::clone(network),
        hook: Arc::clone(hook),
        url: request.url.clone(),
        deadline: deadline.clone(),
    });
    let (head, body) =
        send(&agent, &request).map_err(|error| errors::explain(&error))?.into_parts();
    // A receiver may send our own words back to us.
    let secrets = hook.secret_texts();
    let expected = hook.expect.as_deref();
    // Where the body decides, the status alone says nothing.
    if expected.is_none() || !head.status.is_success() {
        on_head(judged(&head, &[], None, &secrets).outcome);
    }
    let body = start_of_body(body, |body| {
        if head.status.is_success() && missing(expected, body).is_none() {
            deadline.shorten(MOST_WAITED);
        }
    });
    Ok(judged(&head, &body, expected, &secrets))
}

fn send(agent: &Agent, request: &Request) -> Result<Response<Body>, ureq::Error> {
    let mut builder = agent.post(request.url.as_str());
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    builder.send(&*request.body)
}

/// The text that a success must have in its body, if it lacks there.
fn missing<'a>(expected: Option<&'a str>, body: &[u8]) -> Option<&'a str> {
    expected.filter(|text| memmem::find(body, text.as_bytes()).is_none())
}

/// What an answer means whose body begins like this.
fn judged(head: &Parts, body: &[u8], expected: Option<&str>, secrets: &[String]) -> Attempt {
    let now = Utc::now();
    let code = head.status;
    let lacks = missing(expected, body).filter(|_| code.is_success());
    let may_pass = lacks.is_some() || retry::may_pass(code.as_u16());
    let retry_after =
        text_of(head, header::RETRY_AFTER).and_then(|text| retry::parse_retry_after(&text, now));
    // The standard reason, whatever the receiver wrote there.
    let status = match code.canonical_reason() {
        Some(reason) => reason.to_owned(),
        None => format!("Status {}", code.as_u16()),
    };
    let response = shown_body(head, body, secrets);
    let reason = if let Some(text) = lacks {
        format!("the answer lacks {}", redact::scrub(text, secrets))
    } else if code.is_success() {
        DELIVERED.to_owned()
    } else if code.is_redirection()
        && let Some(location) = text_of(head, header::LOCATION)
    {
        format!("redirects to {}, which is not followed", shown_location(&location, secrets))
    } else if code.is_redirection() || response.is_empty() {
        status.clone()
    } else {
        response.clone()
    };
    let outcome = Outcome {
        time: now,
        delivered: code.is_success() && lacks.is_none(),
        status,
        code: Some(code.as_u16()),
        reason,
        response: Some(response).filter(|response| !response.is_empty()),
        attempts: 1,
        duration: Duration::ZERO,
        not_before: retry_after.filter(|_| may_pass).map(|wait| after(now, wait)),
    };
    Attempt { outcome, may_pass, retry_after }
}

fn after(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn text_of(head: &Parts, name: HeaderName) -> Option<Cow<'_, str>> {
    head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// A Location is a URL of the receiver's, with its own secrets, or a path.
fn shown_location(location: &str, secrets: &[String]) -> String {
    let location = redact::scrub(location, secrets);
    let shown =
        if location.contains("://") { redact::url(&location) } else { redact::path(&location) };
    kept(&shown).to_owned()
}

/// The start of the body; `on_read` sees what there is of it. An error in it changes nothing: the status has
/// arrived. Reading goes on for a while past what is kept, so that a receiver that is still writing is not
/// cut off.
fn start_of_body(body: Body, on_read: impl Fn(&[u8])) -> Vec<u8> {
    let mut start = Vec::new();
    let mut reader = body.into_reader().take(MOST_READ);
    let mut piece = [0; 8 * 1024];
    loop {
        on_read(&start);
        match reader.read(&mut piece) {
            Ok(read @ 1..) => start.extend(&piece[..read]),
            _ => return start,
        }
    }
}

/// What is kept of a body. A secret is masked before the cut, which could leave the half of one.
fn shown_body(head: &Parts, body: &[u8], secrets: &[String]) -> String {
    let body = String::from_utf8_lossy(body);
    let content_type = text_of(head, header::CONTENT_TYPE).unwrap_or_default();
    let kind = content_type.trim_start().as_bytes();
    let is_html = kind.get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/html"));
    let text = if is_html { html::text(&body).into() } else { body };
    kept(redact::scrub(&text, secrets).trim()).to_owned()
}

/// At most [`MOST_KEPT`] bytes, cut between characters.
fn kept(text: &str) -> &str {
    start_of(text, MOST_KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(code: u16, body: &str) -> Outcome {
        let (head, ()) = Response::builder().status(code).body(()).unwrap().into_parts();
        judged(&head, body.as_bytes(), None, &[]).outcome
    }

    #[test]
    fn the_reason_is_what_the_receiver_said() {
        assert_eq!(answered(201, "thanks").reason, "delivered");
        assert_eq!(answered(404, "no_service").reason, "no_service");
        assert_eq!(answered(404, "").reason, "Not Found");
        assert_eq!(answered(999, "").status, "Status 999");
    }

    #[test]
    fn what_is_kept_is_cut_between_characters() {
        let text = "ü".repeat(2000);
        assert_eq!(kept(&text).len(), 1024);
        assert_eq!(kept(&format!("x{text}")).len(), 1023);
    }
}
