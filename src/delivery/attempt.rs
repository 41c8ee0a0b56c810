//! One attempt: a request, and what came of it.

use std::io::Read;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use memchr::memmem;
use ureq::http::{self, HeaderValue, StatusCode, header};
use ureq::{Agent, Body};

use super::errors;
use super::html;
use super::network::Network;
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
pub(super) type Attempt = Result<Response, Failed>;

/// A status has arrived, whatever the body did then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) code: StatusCode,
    /// How long the receiver asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// Where a redirection leads to, masked.
    location: Option<String>,
    /// The text, masked, that a success must have in its body and has not, or not yet.
    lacks: Option<String>,
    /// The start of the body, at most [`MOST_KEPT`] bytes, masked; empty before it was read.
    body: String,
}

/// No status has arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failed {
    /// Another attempt may go better.
    #[error("{0}")]
    Transient(String),
    /// Another attempt would be no different.
    #[error("{0}")]
    Permanent(String),
}

impl Failed {
    /// A failure that may pass, in these words.
    pub(super) fn transient(words: impl Into<String>) -> Self {
        Self::Transient(words.into())
    }

    /// A failure that will not pass, in these words.
    pub(super) fn permanent(words: impl Into<String>) -> Self {
        Self::Permanent(words.into())
    }

    /// The same failure in other words.
    pub(super) fn map(self, words: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Transient(text) => Self::Transient(words(text)),
            Self::Permanent(text) => Self::Permanent(words(text)),
        }
    }
}

impl Response {
    /// Whether the receiver has accepted the delivery.
    pub(super) fn is_delivered(&self) -> bool {
        self.code.is_success() && self.lacks.is_none()
    }

    /// Whether another attempt may go better.
    pub(super) fn may_pass(&self) -> bool {
        self.lacks.is_some() || retry::may_pass(self.code.as_u16())
    }

    /// The standard reason of the status, whatever the receiver wrote there.
    fn status(&self) -> String {
        match self.code.canonical_reason() {
            Some(reason) => reason.to_owned(),
            None => format!("Status {}", self.code.as_u16()),
        }
    }

    /// What happened.
    fn reason(&self) -> String {
        if let Some(text) = &self.lacks {
            return format!("the answer lacks {text}");
        }
        if self.code.is_success() {
            return DELIVERED.to_owned();
        }
        if self.code.is_redirection() {
            return match &self.location {
                Some(location) => format!("redirects to {location}, which is not followed"),
                None => self.status(),
            };
        }
        if self.body.is_empty() {
            return self.status();
        }
        self.body.clone()
    }

    /// Until when the receiver asks to be left alone, if another try may go better then.
    fn not_before(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let wait = self.retry_after.filter(|_| self.may_pass())?;
        let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let end = now.checked_add_signed(wait);
        Some(end.unwrap_or(DateTime::<Utc>::MAX_UTC))
    }
}

/// What an attempt comes to as the outcome of its delivery.
pub(super) fn outcome(attempt: &Attempt, attempts: u32, duration: Duration) -> Outcome {
    let time = Utc::now();
    let response = attempt.as_ref().ok();
    Outcome {
        time,
        delivered: response.is_some_and(Response::is_delivered),
        status: response.map_or(kudu::FAILURE.to_owned(), Response::status),
        code: response.map(|response| response.code.as_u16()),
        reason: match attempt {
            Ok(response) => response.reason(),
            Err(failed) => failed.to_string(),
        },
        response: response.map(|response| response.body.clone()).filter(|body| !body.is_empty()),
        attempts,
        duration,
        not_before: response.and_then(|response| response.not_before(time)),
    }
}

/// Makes an attempt. `on_head` is called as soon as a status has arrived.
pub(super) fn make(network: &Network, delivery: &Delivery, on_head: &dyn Fn(Response)) -> Attempt {
    let Delivery { publication, hook } = delivery;
    let deadline = network.deadline();
    let request = request::build(hook, publication, Utc::now()).map_err(Failed::Permanent)?;
    let agent = network.agent(&request.url, hook, &deadline)?;
    let mut answer = send(&agent, &request).map_err(|error| errors::explain(&error))?;
    // A receiver may send our own words back to us.
    let secrets = hook.secret_texts();
    let expected = hook.expect.as_deref();
    let head = head(&answer, expected, &secrets);
    // Where the body decides, the status alone says nothing.
    if head.lacks.is_none() {
        on_head(head.clone());
    }
    let is_accepted = |body: &[u8]| {
        let has = |text: &str| memmem::find(body, text.as_bytes()).is_some();
        head.code.is_success() && expected.is_none_or(has)
    };
    let body = start_of_body(&mut answer, |body| {
        if is_accepted(body) {
            deadline.shorten(MOST_WAITED);
        }
    });
    Ok(Response {
        lacks: head.lacks.clone().filter(|_| !is_accepted(&body)),
        body: shown_body(&answer, &body, &secrets),
        ..head
    })
}

fn send(agent: &Agent, request: &Request) -> Result<http::Response<Body>, ureq::Error> {
    let mut builder = agent.post(request.url.as_str());
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    builder.send(&*request.body)
}

fn head(answer: &http::Response<Body>, expected: Option<&str>, secrets: &[String]) -> Response {
    let text = |name| {
        let value: &HeaderValue = answer.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()))
    };
    let retry_after = text(header::RETRY_AFTER);
    let location = text(header::LOCATION);
    let lacks = expected.filter(|_| answer.status().is_success());
    Response {
        code: answer.status(),
        retry_after: retry_after.and_then(|v| retry::parse_retry_after(&v, Utc::now())),
        location: location.map(|v| shown_location(&v, secrets)),
        lacks: lacks.map(|text| redact::scrub(text, secrets)),
        body: String::new(),
    }
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
fn start_of_body(answer: &mut http::Response<Body>, on_read: impl Fn(&[u8])) -> Vec<u8> {
    let mut start = Vec::new();
    let mut reader = answer.body_mut().as_reader().take(MOST_READ);
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
fn shown_body(answer: &http::Response<Body>, body: &[u8], secrets: &[String]) -> String {
    let body = String::from_utf8_lossy(body);
    let text = if is_html(answer) { html::text(&body).into() } else { body };
    kept(redact::scrub(&text, secrets).trim()).to_owned()
}

fn is_html(answer: &http::Response<Body>) -> bool {
    let content_type = answer.headers().get(header::CONTENT_TYPE);
    let text = content_type.and_then(|value| value.to_str().ok());
    let text = text.unwrap_or_default().trim_start().to_ascii_lowercase();
    text.starts_with("text/html")
}

/// At most [`MOST_KEPT`] bytes, cut between characters.
fn kept(text: &str) -> &str {
    start_of(text, MOST_KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(code: u16, body: &str) -> Outcome {
        let response = Response {
            code: StatusCode::from_u16(code).unwrap(),
            retry_after: None,
            location: None,
            lacks: None,
            body: body.to_owned(),
        };
        outcome(&Ok(response), 1, Duration::ZERO)
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
