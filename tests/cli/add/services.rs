//! URLs of chat services without their format, and files with a byte order mark.

use crate::support::{Identity, Receiver, Sandbox, base64};

/// What `add` notes for this URL.
fn noted(url: &str) -> String {
    let sandbox = Sandbox::new();
    let added = sandbox.hooks_add(url, "E").run();
    added.assert_code(0);
    added.stderr
}

#[test]
fn a_pasted_url_of_a_chat_service_names_its_format() {
    for (url, format) in [
        ("https://hooks.slack.com/services/T0001/B0002/abc", "slack"),
        ("https://discord.com/api/webhooks/123/abc", "discord"),
        ("https://canary.discord.com/api/webhooks/123/abc", "discord"),
        ("https://discord.com/api/webhooks/123/abc/slack", "slack"),
        ("https://x.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d", "teams"),
        (
            "https://prod-1.westeurope.logic.azure.com:443/workflows/a/triggers/manual/paths/invoke?sig=x",
            "teams",
        ),
    ] {
        let note = format!(
            "note: the service behind this URL wants messages of its own: hooks edit 1 --format {format}\n"
        );
        assert_eq!(noted(url), note, "{url}");
    }
    for url in [
        "https://example.com/services/T0001/B0002/abc",
        "https://discord.com/api/webhooks/1/a/github",
    ] {
        assert_eq!(noted(url), "", "{url}");
    }
}

#[test]
fn where_a_format_is_chosen_nothing_is_noted() {
    let url = "https://hooks.slack.com/services/T0001/B0002/abc";
    for format in ["slack", "discord", "raw"] {
        let sandbox = Sandbox::new();
        let added = sandbox.hooks_add(url, "E").args(["--format", format]).run();
        added.assert_code(0);
        assert_eq!(added.stderr, "", "{format}");
    }
    let sandbox = Sandbox::new();
    sandbox.write("own", "{\"text\": {{ id }} }");
    let added = sandbox.hooks_add(url, "E").args(["--template", "own"]).run();
    assert_eq!(added.stderr, "");
    // `edit` says it where the URL changes.
    let id = sandbox.add("http://127.0.0.1:9/", "E");
    let url = "https://discord.com/api/webhooks/123/abc";
    let edited = sandbox.hooks(["edit", &id, "--url", url]).run();
    edited.assert_code(0).assert_stderr_has(&["hooks edit 2 --format discord"]);
    let edited = sandbox.hooks(["edit", &id, "--status", "failed"]).run();
    assert_eq!(edited.stderr, "");
}

#[test]
fn a_byte_order_mark_before_a_secret_or_a_certificate_is_dropped() {
    let identity = Identity::from_private_ca();
    let (sandbox, receiver) = (Sandbox::new(), Receiver::tls(&identity));
    let secret = format!("whsec_{}", base64([7; 32]));
    sandbox.write("secret", format!("\u{feff}{secret}\r\n"));
    sandbox.write("ca.pem", format!("\u{feff}{}", identity.ca_pem));
    let options = ["--secret-file", "secret", "--ca-file", "ca.pem"];
    let id = sandbox.add_with(&receiver.url("/"), "PostDeployment", options);
    assert_eq!(sandbox.hook(&id)["secrets"][0]["secret"], secret);
    sandbox.publish().assert_code(0);
    assert!(receiver.request().the_header("webhook-signature").starts_with("v1,"));
    let by_stdin =
        sandbox.hooks(["edit", &id, "--secret-file", "-"]).stdin(format!("\u{feff}{secret}"));
    by_stdin.run().assert_code(0);
}
