//! `hooks listen`: a local receiver that prints what arrives.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use super::options::read_secret;
use crate::cli::Listen;
use crate::exit::{Exit, Failure};
use crate::output::indent::indent;
use crate::receiver::{Received, Receiver, Reply};
use crate::security::escape::{escape, escape_lines};
use crate::security::redact;
use crate::security::signature::{self, Secret, Verdict};
use crate::signals;

pub(super) fn run(context: &Context, arguments: &Listen) -> Result<Exit> {
    let secret = arguments
        .secret_file
        .as_deref()
        .map(read_secret)
        .transpose()?;
    let receiver = Receiver::bind(arguments.port).map_err(|error| {
        Failure::new(Exit::Failed, format!("could not listen: {error}"))
            .hint("another port: --port PORT; --port 0 picks a free one")
    })?;
    let interrupted = stop_at_a_signal(&receiver);
    // Its first line on standard error is an interface: scripts read the port from it.
    let _ = writeln!(std::io::stderr(), "listening on {}", receiver.url());
    let mut left = arguments.count;
    while left != Some(0) {
        let mut verdict = None;
        let respond = |request: &Received| {
            verdict = secret.as_ref().map(|secret| verify(secret, request));
            match verdict {
                Some(Verdict::Valid) | None => Reply::status(arguments.respond),
                Some(verdict) => Reply::text(401, &format!("{verdict}\n")),
            }
        };
        let Some((request, reply)) = receiver.next(respond) else {
            return Ok(Exit::Interrupted(
                u8::try_from(interrupted.load(Ordering::SeqCst)).unwrap_or_default(),
            ));
        };
        context.output.result(text(&request, &reply, verdict))?;
        left = left.map(|left| left - 1);
    }
    Ok(Exit::Done)
}

fn stop_at_a_signal(receiver: &Receiver) -> Arc<AtomicI32> {
    let interrupted = Arc::new(AtomicI32::new(0));
    let (stopper, signal) = (receiver.stopper(), Arc::clone(&interrupted));
    signals::on_end(move |caught| {
        signal.store(caught.signal, Ordering::SeqCst);
        stopper.stop();
    });
    interrupted
}

fn verify(secret: &Secret, request: &Received) -> Verdict {
    signature::verify(
        secret,
        request.header("webhook-id"),
        request.header("webhook-timestamp"),
        request.header("webhook-signature"),
        &request.body,
        Utc::now().timestamp(),
    )
}

/// Event, id and body of a delivery; the request line of anything else.
fn text(request: &Received, reply: &Reply, verdict: Option<Verdict>) -> String {
    let mut head = match request.header("webhook-event") {
        Some(event) => escape(event).into_owned(),
        None => escape(&format!(
            "{} {}",
            request.method,
            redact::path(&request.path)
        ))
        .into_owned(),
    };
    if let Some(id) = request.header("webhook-id") {
        head = format!("{head}  {}", escape(id));
    }
    if let Some(verdict) = verdict {
        head = format!("{head}  {verdict}");
    }
    let head = format!("{head}  answered {}", reply.status);
    let body = String::from_utf8_lossy(&request.body);
    match body.trim() {
        "" => head,
        body => format!("{head}\n{}", escape_lines(&laid_out(body))),
    }
}

/// JSON is indented, anything else stays.
fn laid_out(body: &str) -> String {
    match serde_json::from_str::<&serde_json::value::RawValue>(body) {
        Ok(_) => indent(body),
        Err(_) => body.to_owned(),
    }
}
