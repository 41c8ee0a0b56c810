//! Which service a URL belongs to.

use url::Url;

use crate::security::redact::is_host;

/// A host, in which `*` is any text; what its path begins with; the format that is understood there.
const SERVICES: [(&str, &str, &str); 8] = [
    ("hooks.slack.com", "/services/", "slack"),
    ("hooks.slack-gov.com", "/services/", "slack"),
    ("discord.com", "/api/webhooks/", "discord"),
    ("*.discord.com", "/api/webhooks/", "discord"),
    ("discordapp.com", "/api/webhooks/", "discord"),
    ("*.webhook.office.com", "/webhookb2/", "teams"),
    // The workflows that have taken the place of Teams' own web hooks.
    ("*.logic.azure.com", "/workflows/", "teams"),
    ("*.api.powerplatform.com", "/powerautomate/", "teams"),
];

/// The format that the service behind this URL wants, where that is known by its host. Discord also takes
/// Slack's messages, and GitHub's, under a path that says so.
pub(crate) fn for_url(url: &str) -> Option<&'static str> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_end_matches('.');
    let path = url.path().trim_end_matches('/');
    let is_it =
        |(known, start, _): &&(&str, &str, &str)| is_host(known, host) && path.starts_with(start);
    let (_, _, format) = SERVICES.iter().find(is_it)?;
    match (*format, path.rsplit('/').next()) {
        ("discord", Some("slack")) => Some("slack"),
        ("discord", Some("github")) => None,
        (format, _) => Some(format),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_url_names_its_format() {
        for (url, format) in [
            ("https://hooks.slack.com/services/T0/B0/abc", Some("slack")),
            ("HTTPS://Hooks.Slack.COM:443/services/T0/B0/abc", Some("slack")),
            ("https://hooks.slack-gov.com/services/T0/B0/abc", Some("slack")),
            ("https://hooks.slack.com/workflows/T0/A0/1/abc", None),
            ("https://hooks.slack.com/triggers/T0/1/abc", None),
            ("https://discord.com/api/webhooks/1/abc", Some("discord")),
            ("https://discord.com/api/webhooks/1/abc?wait=true", Some("discord")),
            ("https://canary.discord.com/api/webhooks/1/abc", Some("discord")),
            ("https://ptb.discord.com/api/webhooks/1/abc", Some("discord")),
            ("https://discordapp.com/api/webhooks/1/abc", Some("discord")),
            ("https://discord.com/api/webhooks/1/abc/slack", Some("slack")),
            ("https://discord.com/api/webhooks/1/abc/github", None),
            ("https://discord.com/channels/1", None),
            ("https://x.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d", Some("teams")),
            (
                "https://prod-1.westeurope.logic.azure.com:443/workflows/a/triggers/manual/paths/invoke?sig=x",
                Some("teams"),
            ),
            (
                "https://default0.a.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/x",
                Some("teams"),
            ),
            ("https://example.com/services/T0/B0/abc", None),
            ("https://hooks.slack.com.example.com/services/T0", None),
            ("https://evildiscord.com/api/webhooks/1/abc", None),
            ("nonsense", None),
        ] {
            assert_eq!(for_url(url), format, "{url}");
        }
    }
}
