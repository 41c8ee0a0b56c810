//! The `cloudevents` format: an envelope around the deployment's own bytes.

use std::{env, fs};

use minijinja::{Value, context};
use percent_encoding::utf8_percent_encode;

use super::syntax::{RESERVED, Syntax};
use super::{CLOUDEVENTS, RenderError, template};
use crate::domain::publication::Publication;
use crate::domain::time::timestamp;

/// A structured envelope of `CloudEvents` 1.0.
pub(super) fn render(publication: &Publication) -> Result<String, RenderError> {
    // It is printed as it is, so it must be one object that can't close the envelope.
    publication.deployment.check()?;
    let data = Value::from_safe_string(publication.deployment.as_str().to_owned());
    let source = source(&host_name());
    let time = timestamp(publication.time);
    // Without the deployment's keys, so that none can pose as an attribute.
    let names = context! {
        webhook_id => &publication.id, event => &publication.event, source, time, data,
    };
    template::render(CLOUDEVENTS, Syntax::Json, names)
}

fn source(host: &str) -> String {
    format!("/hooks/{}", utf8_percent_encode(host, &RESERVED))
}

/// The machine's name, as far as it can be had without a system call.
fn host_name() -> String {
    let variables = ["HOSTNAME", "COMPUTERNAME"].map(env::var);
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .map(fs::read_to_string)
        .into_iter()
        .flatten()
        .chain(variables.into_iter().flatten())
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_uri_reference() {
        assert_eq!(source("web-1.example"), "/hooks/web-1.example");
        assert_eq!(source("a b/\u{e9}?"), "/hooks/a%20b%2F%C3%A9%3F");
    }

    #[test]
    fn a_host_always_has_a_name() {
        assert!(!host_name().is_empty());
    }
}
