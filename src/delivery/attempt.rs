//! One attempt: a request, and what came of it.

use std::io::Read;
use std::time::Duration;

use chrono::Utc;
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::errors::Circumstances;
use super::request::{self, Request};
use super::retry;
use super::tls::Agents;
use crate::domain::hook::Hook;
use crate::domain::publication::Publication;
use crate::security::redact;

/// Of a response at most this much is read, …
const MOST_READ: u64 = 64 * 1024;
/// … and this much kept, in bytes.
const MOST_KEPT: usize = 1024;

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    /// A status has arrived, with this much of a body.
    Answered(Head, String),
    /// No status has arrived.
    Unanswered {
        /// What went wrong.
        reason: String,
        /// Whether another attempt may go better.
        may_pass: bool,
    },
}

/// The part of an answer that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    code: StatusCode,
    retry_after: Option<Duration>,
    location: Option<String>,
}

impl Attempt {
    /// No answer; another attempt may go better.
    pub(super) fn failed(reason: String) -> Self {
        Self::Unanswered {
            reason,
            may_pass: true,
        }
    }

    /// No answer, and another attempt would be no different.
    pub(super) fn refused(reason: String) -> Self {
        Self::Unanswered {
            reason,
            may_pass: false,
        }
    }

    /// A status has arrived, and nobody waited for the body.
    pub(super) fn cut_short(head: Head) -> Self {
        Self::Answered(head, String::new())
    }

    pub(super) fn is_delivered(&self) -> bool {
        matches!(self, Self::Answered(head, _) if head.code.is_success())
    }

    /// 408, 429, 5xx, time-outs and connection errors may pass.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Answered(head, _) => {
                matches!(head.code.as_u16(), 408 | 429) || head.code.is_server_error()
            }
            Self::Unanswered { may_pass, .. } => *may_pass,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answered(head, _) => head.retry_after,
            Self::Unanswered { .. } => None,
        }
    }

    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Answered(head, _) => Some(head.code.as_u16()),
            Self::Unanswered { .. } => None,
        }
    }

    /// The standard reason of the status, whatever the receiver wrote there; Kudu's "Failure" without
    /// an answer.
    pub(super) fn status(&self) -> String {
        match self {
            Self::Answered(head, _) => match head.code.canonical_reason() {
                Some(reason) => reason.to_owned(),
                None => format!("Status {}", head.code.as_u16()),
            },
            Self::Unanswered { .. } => "Failure".to_owned(),
        }
    }

    /// What happened.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Unanswered { reason, .. } => reason.clone(),
            Self::Answered(head, _) if head.code.is_success() => "delivered".to_owned(),
            Self::Answered(head, _) if head.code.is_redirection() => match &head.location {
                Some(location) => format!("redirects to {location}, which is not followed"),
                None => self.status(),
            },
            Self::Answered(_, body) if body.is_empty() => self.status(),
            Self::Answered(_, body) => body.clone(),
        }
    }
}

/// Makes an attempt. `on_head` is called as soon as a status has arrived.
pub(super) fn make(
    agents: &Agents,
    hook: &Hook,
    publication: &Publication,
    on_head: &dyn Fn(Head),
) -> Attempt {
    let request = match request::build(hook, publication, Utc::now()) {
        Ok(request) => request,
        Err(reason) => return Attempt::refused(reason),
    };
    let agent = match agents.agent(&request.url, hook) {
        Ok(agent) => agent,
        Err(reason) => return Attempt::refused(reason),
    };
    let mut response = match send(&agent, &request) {
        Ok(response) => response,
        Err(error) => {
            let circumstances = Circumstances {
                url: &request.url,
                timeout: agents.timeout(),
                proxied: agent.config().proxy().is_some(),
                empty_store: agents.has_empty_store(),
            };
            return circumstances.attempt(&error);
        }
    };
    // A receiver may send our own words back to us.
    let secrets = sensitive(hook);
    let head = head(&response, &secrets);
    on_head(head.clone());
    Attempt::Answered(head, start_of_body(&mut response, &secrets))
}

fn send(agent: &Agent, request: &Request) -> Result<Response<Body>, ureq::Error> {
    let mut builder = agent.post(request.url.as_str());
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    builder.send(&*request.body)
}

fn head(response: &Response<Body>, secrets: &[String]) -> Head {
    let text = |name| {
        response
            .headers()
            .get(name)
            .map(|v| String::from_utf8_lossy(v.as_bytes()))
    };
    let retry_after = text(header::RETRY_AFTER);
    let location = text(header::LOCATION);
    Head {
        code: response.status(),
        retry_after: retry_after.and_then(|v| retry::parse_retry_after(&v, Utc::now())),
        location: location.map(|v| shown_location(&v, secrets)),
    }
}

/// A Location is a URL of the receiver's, with its own secrets, or a path.
fn shown_location(location: &str, secrets: &[String]) -> String {
    let location = redact::scrub(location, secrets);
    let absolute = location.contains("://");
    let shown = if absolute {
        redact::url(&location)
    } else {
        redact::path(&location)
    };
    kept(&shown).to_owned()
}

/// The start of the body. An error in it changes nothing: the status has arrived. Reading goes on for
/// a while past what is kept, so that a receiver that is still writing is not cut off. A secret is
/// masked before the cut, which could leave the half of one.
fn start_of_body(response: &mut Response<Body>, secrets: &[String]) -> String {
    let mut start = Vec::new();
    let mut reader = response.body_mut().as_reader().take(MOST_READ);
    let _ = reader.read_to_end(&mut start);
    let text = redact::scrub(&String::from_utf8_lossy(&start), secrets);
    kept(text.trim()).to_owned()
}

/// At most [`MOST_KEPT`] bytes, cut between characters.
fn kept(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_KEPT)]
}

/// Everything in a hook that must not come back by way of the receiver.
fn sensitive(hook: &Hook) -> Vec<String> {
    let mut secrets = redact::secrets_in(&hook.url);
    secrets.extend(
        hook.headers
            .iter()
            .flat_map(|(_, value)| redact::secrets_in_header(value)),
    );
    secrets.extend(hook.secrets.iter().map(|s| s.secret.reveal().to_owned()));
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(code: u16, body: &str) -> Attempt {
        let code = StatusCode::from_u16(code).unwrap();
        Attempt::Answered(
            Head {
                code,
                retry_after: None,
                location: None,
            },
            body.to_owned(),
        )
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        for code in [408, 429, 500, 502, 503, 599] {
            assert!(answered(code, "").may_pass(), "{code}");
        }
        for code in [200, 204, 301, 400, 401, 404, 410, 422, 999] {
            assert!(!answered(code, "").may_pass(), "{code}");
        }
    }

    #[test]
    fn the_reason_is_what_the_receiver_said() {
        assert_eq!(answered(201, "thanks").reason(), "delivered");
        assert_eq!(answered(404, "no_service").reason(), "no_service");
        assert_eq!(answered(404, "").reason(), "Not Found");
        assert_eq!(answered(999, "").status(), "Status 999");
    }

    #[test]
    fn what_is_kept_is_cut_between_characters() {
        let text = "ü".repeat(2000);
        assert_eq!(kept(&text).len(), 1024);
        assert_eq!(kept(&format!("x{text}")).len(), 1023);
    }
}
