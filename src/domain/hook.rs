//! A hook: one registered callback URL, its last delivery, and which publications it matches.

mod check;
mod events;
mod id;
pub(crate) mod json;
mod secrets;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::deployment::Deployment;
use super::outcome::DELIVERED;
use super::reference::HookReference;
use super::{clock, time};
use crate::security::{escape, redact};

pub(crate) use check::{
    certificates_in, check_event, check_header, check_name, check_url, same_url,
};
pub(crate) use events::{ANY_EVENT, check_pattern, events_cover, join_events};
pub(crate) use id::HookId;
pub(crate) use secrets::SigningSecret;

/// One registered callback URL with the event it waits for (Kudu's `WebHook`).
#[derive(Debug, Clone, Default)]
pub(crate) struct Hook {
    /// Its id, never used again after it was removed.
    pub(crate) id: HookId,
    /// What it is called; no other hook has that name in any case. A hand-edited one may be any text.
    pub(crate) name: Option<String>,
    /// Where to POST, as the user wrote it; a hand-edited one may be no URL at all.
    pub(crate) url: String,
    /// The events it waits for, joined by commas: names, beginnings of names that end in `*`, or
    /// [`ANY_EVENT`].
    pub(crate) event: String,
    /// Do not check the receiver's certificate.
    pub(crate) insecure_ssl: bool,
    /// A disabled hook gets no deliveries.
    pub(crate) enabled: bool,
    /// Why it is disabled, if the receiver asked for it (410).
    pub(crate) disabled_reason: Option<String>,
    /// Deliver only deployments with one of these statuses; empty: all.
    pub(crate) status: Vec<String>,
    /// Deliver only where this expression is true.
    pub(crate) when: Option<String>,
    /// A 2xx whose body lacks this text is a failure.
    pub(crate) expect: Option<String>,
    /// The format's name; a newer version may know more of them.
    pub(crate) format: Option<String>,
    /// The user's own template; wins over the format.
    pub(crate) template: Option<String>,
    /// Additional headers, names as the user wrote them.
    pub(crate) headers: Vec<(String, String)>,
    /// PEM text of certificates to trust besides the system's.
    pub(crate) ca_file: Option<String>,
    /// Signing secrets, newest first.
    pub(crate) secrets: Vec<SigningSecret>,
    /// How its last delivery went.
    pub(crate) last: LastDelivery,
    /// Fields that this version does not know, kept on rewrite.
    pub(crate) unknown: Vec<(String, Box<RawValue>)>,
}

/// Kudu's `last_*` fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LastDelivery {
    /// When, RFC 3339; another notation is kept and counts as oldest.
    pub(crate) datetime: Option<String>,
    /// The response's standard reason, or "Failure" without a response.
    pub(crate) status: Option<String>,
    /// The response's status code.
    pub(crate) code: Option<u16>,
    /// `delivered`, or what went wrong.
    pub(crate) reason: Option<String>,
    /// The start of the deployment that was published.
    pub(crate) context: Option<String>,
}

/// Why a hook is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    /// It waits for another event.
    Event,
    /// It is disabled.
    Disabled,
    /// The deployment's status is not among its statuses.
    Status,
    /// Its condition is false.
    Condition,
}

impl Hook {
    /// A hook with every option at its default.
    pub(crate) fn new(id: HookId, url: String, event: String) -> Self {
        Self { id, url, event, enabled: true, ..Self::default() }
    }

    /// Whether this is the hook that is meant.
    pub(crate) fn is(&self, reference: &HookReference) -> bool {
        match reference {
            HookReference::Id(id) => self.id == *id,
            HookReference::Name(name) => self.is_called(name),
        }
    }

    /// Whether it has this name, in any case.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let own = self.name.as_deref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// What it is called in a message: `hook 1`, or `hook 1 (chat)` if it has a name.
    pub(crate) fn label(&self) -> String {
        match &self.name {
            None => format!("hook {}", self.id),
            Some(name) => format!("hook {} ({})", self.id, escape::escape(name)),
        }
    }

    /// Why a publication of this event and deployment does not go to it. `is_false` works its condition
    /// out: one that fails is not false, so that the delivery fails and says so.
    pub(crate) fn skips(
        &self,
        event: &str,
        deployment: &Deployment,
        is_false: impl FnOnce(&str) -> bool,
    ) -> Option<Skip> {
        if !self.waits_for(event) {
            return Some(Skip::Event);
        }
        let wanted = |status: String| self.status.iter().any(|s| s.eq_ignore_ascii_case(&status));
        if !self.status.is_empty() && !deployment.status().is_some_and(wanted) {
            return Some(Skip::Status);
        }
        if self.when.as_deref().is_some_and(is_false) {
            return Some(Skip::Condition);
        }
        // Last: what a disabled hook would have got is held for it.
        (!self.enabled).then_some(Skip::Disabled)
    }

    /// The `Content-Type` header that it sets itself.
    pub(crate) fn content_type(&self) -> Option<&str> {
        let is_it = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
        self.headers.iter().find(is_it).map(|(_, value)| value.as_str())
    }

    /// Sets a header, replacing one of the same name in its place; an empty value removes it.
    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        let same = |(known, _): &(String, String)| known.eq_ignore_ascii_case(name);
        if value.is_empty() {
            self.headers.retain(|header| !same(header));
            return;
        }
        let header = (name.to_owned(), value.to_owned());
        match self.headers.iter().position(same) {
            Some(place) => self.headers[place] = header,
            None => self.headers.push(header),
        }
    }

    /// Whether the registry entry holds something that others must not read.
    pub(crate) fn holds_secrets(&self) -> bool {
        let in_template = |text: &String| redact::template(text) != *text;
        !self.secrets.is_empty()
            || !self.headers.is_empty()
            || redact::url(&self.url) != self.url
            || self.template.as_ref().is_some_and(in_template)
    }

    /// Every text in it that must not be shown when it comes back from the receiver.
    ///
    /// The fields are named without `..`, so that a new one is thought of here.
    pub(crate) fn secret_texts(&self) -> Vec<String> {
        let Self {
            url,
            headers,
            secrets,
            template,
            id: _,
            name: _,
            event: _,
            insecure_ssl: _,
            enabled: _,
            disabled_reason: _,
            status: _,
            when: _,
            expect: _,
            format: _,
            ca_file: _,
            last: _,
            unknown: _,
        } = self;
        let mut texts = redact::secrets_in(url);
        let values = headers.iter().map(|(_, value)| value);
        texts.extend(values.flat_map(|value| redact::secrets_in_header(value)));
        texts.extend(template.iter().flat_map(|text| redact::secrets_in_template(text)));
        texts.extend(secrets.iter().map(|s| s.secret.reveal().to_owned()));
        texts
    }
}

impl LastDelivery {
    /// Whether the receiver accepted it; `None` if there was none.
    pub(crate) fn is_delivered(&self) -> Option<bool> {
        let status = self.status.as_deref()?;
        // Kudu's own entries have no code. A success whose body lacks what is expected has its own reason.
        let reason = self.reason.as_deref().unwrap_or(DELIVERED);
        let accepted = |code| (200..300).contains(&code) && reason == DELIVERED;
        Some(self.code.map_or(status == "OK", accepted))
    }

    /// Takes a newer delivery's fields, and tells whether it did: an older one never overwrites a newer
    /// one, unless that is in the future.
    pub(crate) fn merge(&mut self, other: &Self, now: DateTime<Utc>) -> bool {
        // What cannot be read counts as oldest, which `None` is.
        let instant = |last: &Self| last.datetime.as_deref().and_then(time::parse);
        let newer = clock::replaces(instant(other), instant(self), now);
        if newer {
            self.clone_from(other);
        }
        newer
    }
}

#[cfg(test)]
mod tests;
