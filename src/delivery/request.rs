//! The exact request of one attempt: what is sent, and what `--dry-run` shows.

use std::borrow::Cow;
use std::fmt::Display;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::domain::hook::{Hook, check_header, check_url};
use crate::domain::publication::Publication;
use crate::format::{self, Subject, renderer};
use crate::security::signature;

/// What we call ourselves to receivers and proxies.
pub(super) const USER_AGENT: &str = concat!("hooks/", env!("CARGO_PKG_VERSION"));

/// A POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    /// The hook's URL without user, password and fragment.
    pub(crate) url: Url,
    /// The headers in the order they are sent, `host` and `content-length` left out.
    pub(crate) headers: Vec<(String, String)>,
    /// The body: the deployment's own bytes, or a format's rendering.
    pub(crate) body: Cow<'a, [u8]>,
}

/// Builds the request of an attempt made now. The error says why none can be made: a hand-edited URL
/// that is none, a condition or a template that fails on this deployment. Whether the condition is true was
/// asked when it was published.
pub(crate) fn build<'a>(
    hook: &Hook,
    publication: &'a Publication,
    now: DateTime<Utc>,
) -> Result<Request<'a>, String> {
    let url = check_url(&hook.url).map_err(|cause| format!("its URL is not usable: {cause}"))?;
    if let Some(when) = hook.when.as_deref().filter(|_| !publication.test) {
        renderer::holds(when, &publication.event, &publication.deployment)
            .map_err(|cause| format!("its condition fails: {cause}"))?;
    }
    let (content_type, body) = body(hook, publication)?;
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
    add("content-type", content_type.to_owned());
    add("user-agent", USER_AGENT.to_owned());
    add("webhook-id", publication.id.clone());
    add("webhook-timestamp", now.timestamp().to_string());
    add("webhook-event", publication.event.clone());
    let secrets: Vec<_> = hook.signing(now).collect();
    if let Some(newest) = secrets.first() {
        let signatures = signature::standard(&secrets, &publication.id, now.timestamp(), &body);
        add("webhook-signature", signatures);
        add("x-hub-signature-256", signature::github(newest, &body));
    }
    if let Some(basic) = basic_authorization(&url) {
        add("authorization", basic);
    }
    for (name, value) in &hook.headers {
        check_header(name, value).map_err(|cause| format!("its header {name}: {cause}"))?;
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.clone(), value.clone()));
    }
    Ok(Request {
        url: bare(url),
        headers,
        body,
    })
}

fn body<'a>(
    hook: &Hook,
    publication: &'a Publication,
) -> Result<(&'static str, Cow<'a, [u8]>), String> {
    // A MiB that goes out as it came in is not copied for each of hundreds of hooks.
    let raw = hook.template.is_none() && hook.format.as_deref().is_none_or(|name| name == "raw");
    if raw {
        return Ok((
            "application/json",
            Cow::Borrowed(publication.deployment.as_str().as_bytes()),
        ));
    }
    let subject = Subject {
        webhook_id: &publication.id,
        event: &publication.event,
        time: publication.time,
        deployment: &publication.deployment,
    };
    let failed = |error: &dyn Display| format!("its body could not be rendered: {error}");
    if let Some(template) = &hook.template {
        let body = renderer::render(template, hook.content_type(), &subject);
        let body = body.map_err(|error| failed(&error))?;
        return Ok(("application/json", Cow::Owned(body.into_bytes())));
    }
    let body = format::render(hook.format.as_deref(), &subject).map_err(|error| failed(&error))?;
    Ok((body.content_type, Cow::Owned(body.bytes)))
}

/// User and password of the URL, percent-decoded, as RFC 7617 wants them.
fn basic_authorization(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or_default()));
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

fn bare(mut url: Url) -> Url {
    // Neither call fails for a URL that has a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::Deployment;
    use crate::domain::hook::HookId;
    use crate::security::signature::Secret;

    fn request(hook: &Hook) -> Vec<(String, String)> {
        build(
            hook,
            &Publication::new("E", Deployment::empty(), Utc::now()),
            Utc::now(),
        )
        .unwrap()
        .headers
    }

    fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let mut found = headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }

    fn hook(url: &str) -> Hook {
        Hook::new(HookId(1), url.to_owned(), "E".to_owned())
    }

    #[test]
    fn user_and_password_are_decoded_and_taken_out_of_the_url() {
        let hook = hook("http://us%20er:p%40ss%3A@h/a?b#c");
        let publication = Publication::new("E", Deployment::empty(), Utc::now());
        let request = build(&hook, &publication, Utc::now()).unwrap();
        assert_eq!(request.url.as_str(), "http://h/a?b");
        let expected = format!("Basic {}", STANDARD.encode("us er:p@ss:"));
        assert_eq!(value(&request.headers, "authorization"), Some(&*expected));
    }

    #[test]
    fn a_header_of_the_hook_wins() {
        let mut hook = hook("http://u:p@h/");
        hook.set_header("Authorization", "Bearer x");
        hook.set_header("Content-Type", "text/json");
        let headers = request(&hook);
        assert_eq!(value(&headers, "authorization"), Some("Bearer x"));
        assert_eq!(value(&headers, "content-type"), Some("text/json"));
    }

    #[test]
    fn signatures_are_there_only_with_a_secret() {
        let mut hook = hook("http://h/");
        assert_eq!(value(&request(&hook), "webhook-signature"), None);
        hook.rotate(Secret::generate().unwrap(), Utc::now());
        let headers = request(&hook);
        assert!(
            value(&headers, "webhook-signature")
                .unwrap()
                .starts_with("v1,")
        );
        assert!(
            value(&headers, "x-hub-signature-256")
                .unwrap()
                .starts_with("sha256=")
        );
        hook.rotate(Secret::generate().unwrap(), Utc::now());
        let headers = request(&hook);
        assert_eq!(
            value(&headers, "webhook-signature")
                .unwrap()
                .split(' ')
                .count(),
            2
        );
    }

    #[test]
    fn a_url_that_is_none_is_an_error_not_a_panic() {
        let publication = Publication::new("E", Deployment::empty(), Utc::now());
        assert!(build(&hook("nonsense"), &publication, Utc::now()).is_err());
    }
}
