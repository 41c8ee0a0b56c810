//! The exact request of a delivery, as `--dry-run` shows it.

use super::Output;
use crate::delivery::Request;
use crate::domain::hook::Hook;
use crate::security::escape::{escape, escape_lines};
use crate::security::redact;

/// The request, with its secrets masked unless `--reveal`.
pub(crate) fn text(output: Output, hook: &Hook, request: &Request) -> String {
    let own = |name: &str| hook.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let hidden = |name: &str| {
        let signs = ["authorization", "webhook-signature", "x-hub-signature-256"];
        !output.reveal && (own(name) || signs.contains(&name))
    };
    let url = output.url(request.url.as_str());
    // As the URL shows it: the name may hold a secret.
    let host = url.split('/').nth(2).unwrap_or_default();
    let mut lines = vec![
        format!("# {}", hook.label()),
        format!("POST {url} HTTP/1.1"),
        format!("host: {host}"),
    ];
    for (name, value) in &request.headers {
        let value = if hidden(name) { "***" } else { value };
        lines.push(format!("{}: {}", escape(name), escape(value)));
    }
    lines.push(format!("content-length: {}", request.body.len()));
    let mut body = String::from_utf8_lossy(&request.body);
    if let (Some(template), false) = (&hook.template, output.reveal) {
        body = redact::scrub(&body, &redact::secrets_in_template(template)).into();
    }
    let body = escape_lines(body.trim_end_matches('\n'));
    format!("{}\n\n{body}\n", lines.join("\n"))
}
