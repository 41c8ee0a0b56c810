//! The exact request of one attempt: what is sent, and what `--dry-run` shows.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use url::Url;

use crate::domain::hook::{Hook, check_header, check_url};
use crate::domain::publication::Publication;
use crate::format::{self, renderer};
use crate::security::{redact, signature};

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
        renderer::holds(when, publication)
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
    if !url.username().is_empty() || url.password().is_some() {
        let basic = redact::basic(url.username(), url.password().unwrap_or_default());
        add("authorization", format!("Basic {basic}"));
    }
    for (name, value) in &hook.headers {
        check_header(name, value).map_err(|cause| format!("its header {name}: {cause}"))?;
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.clone(), value.clone()));
    }
    Ok(Request { url: bare(url), headers, body })
}

fn body<'a>(
    hook: &Hook,
    publication: &'a Publication,
) -> Result<(&'static str, Cow<'a, [u8]>), String> {
    let rendered = match &hook.template {
        Some(template) => renderer::render(template, hook.content_type(), publication)
            .map(|body| ("application/json", body.into_bytes().into()))
            .map_err(|error| error.to_string()),
        None => {
            format::render(hook.format.as_deref(), publication).map_err(|error| error.to_string())
        }
    };
    rendered.map_err(|cause| format!("its body could not be rendered: {cause}"))
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
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::domain::deployment::Deployment;
    use crate::domain::hook::HookId;
    use crate::security::signature::Secret;

    fn request(hook: &Hook) -> Vec<(String, String)> {
        build(hook, &Publication::new("E", Deployment::empty(), Utc::now()), Utc::now())
            .unwrap()
            .headers
    }

    fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let mut found = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
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
        assert!(value(&headers, "webhook-signature").unwrap().starts_with("v1,"));
        assert!(value(&headers, "x-hub-signature-256").unwrap().starts_with("sha256="));
        hook.rotate(Secret::generate().unwrap(), Utc::now());
        let headers = request(&hook);
        assert_eq!(value(&headers, "webhook-signature").unwrap().split(' ').count(), 2);
    }

    #[test]
    fn a_url_that_is_none_is_an_error_not_a_panic() {
        let publication = Publication::new("E", Deployment::empty(), Utc::now());
        assert!(build(&hook("nonsense"), &publication, Utc::now()).is_err());
    }
}
