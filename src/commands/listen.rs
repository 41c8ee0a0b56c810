//! `hooks listen`: a local receiver that prints what arrives.

use anyhow::Result;
use chrono::Utc;

use super::context::Context;
use super::options::files;
use crate::cli::Listen;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::{Stream, received};
use crate::receiver::{Received, Receiver, Reply};
use crate::security::signature::{self, Secret, Verdict};
use crate::signals;

pub(super) fn run(context: &Context, arguments: &Listen) -> Result<Exit> {
    let secret_file = arguments.secret_file.as_deref();
    let secret = secret_file.map(files::secret).transpose()?;
    let receiver = Receiver::bind(arguments.port).map_err(|error| {
        Failure::new(Exit::Failed, format!("could not listen: {error}"))
            .hint("another port: --port PORT; --port 0 picks a free one")
    })?;
    let interrupt = stop_at_a_signal(&receiver);
    // Its first line on standard error is an interface: scripts read the port from it.
    let address = format!("listening on {}\n", receiver.url());
    let output = context.output;
    let _ = Stream::Stderr.write_until(&address, &interrupt);
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
            return Ok(interrupted(&interrupt));
        };
        let exchange = (&request, &reply, verdict);
        if !received::print(output, exchange, &interrupt)? {
            return Ok(interrupted(&interrupt));
        }
        left = left.map(|left| left - 1);
    }
    Ok(Exit::Done)
}

fn stop_at_a_signal(receiver: &Receiver) -> Interrupt {
    let interrupt = Interrupt::default();
    let raised = interrupt.clone();
    interrupt.on_raise(receiver.stopper());
    signals::on_end(move |caught| raised.raise(caught.signal));
    interrupt
}

fn interrupted(interrupt: &Interrupt) -> Exit {
    Exit::interrupted(interrupt.signal().unwrap_or_default())
}

fn verify(secret: &Secret, request: &Received) -> Verdict {
    let header = |name: &str| request.header(name);
    signature::verify(secret, header, &request.body, Utc::now().timestamp())
}
