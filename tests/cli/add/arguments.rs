//! What `add` refuses, before anything is written and without quoting it.

use crate::support::Sandbox;

#[test]
fn an_invalid_url_is_a_wrong_argument_and_is_not_quoted() {
    let sandbox = Sandbox::new();
    let host = "an absolute URL is wanted: http:// or https:// and a host";
    let scheme = "the scheme is missing: write https:// (or http://) before the host";
    let slashes = "after the scheme stands ://, as in https://HOST/PATH";
    let http = "only http:// and https:// are spoken";
    let quotes = "quotation marks are not part of a URL: write it without them";
    let brackets = "brackets are not part of a URL: write it without them";
    let port = "the port must be a number from 1 to 65535";
    let character = "a URL has no white space and no control characters";
    for (url, why) in [
        ("", scheme),
        ("example.com", scheme),
        ("hooks.example.com/services/s3cret", scheme),
        ("u:s3cret@h:8080/", scheme),
        ("//example.com/", scheme),
        ("/path", scheme),
        ("htp://example.com", http),
        ("ftp://example.com", http),
        ("file:///etc/passwd", http),
        ("http:example.com/x", slashes),
        ("http:/example.com/x", slashes),
        ("https//example.com/x", slashes),
        ("http:///example.com", host),
        ("http://", host),
        ("http://?s3cret", host),
        ("http://u:s3cret@", host),
        ("'https://h/s3cret'", quotes),
        ("\"https://h/s3cret\"", quotes),
        ("https://h/s3cret\"", quotes),
        ("“https://h/s3cret”", quotes),
        ("<https://h/s3cret>", brackets),
        ("<https://h/s3cret|here>", brackets),
        ("[here](https://h/s3cret)", brackets),
        ("http://u:s3cret@h:0/", port),
        ("http://u:s3cret@h:65536/", port),
        ("http://u:s3cret@h:99999/", port),
        ("http://u:s3cret@h:port/", port),
        ("http://u:s3cret@h /", character),
        (" http://u:s3cret@h/", character),
        ("http://u:s3cret@h/\n", character),
        ("http://u:s3cret@h/\u{a0}x", character),
        ("http://u:s3cret@h/\u{7f}", character),
        ("http://u:s3cret@[::1/", "invalid IPv6 address"),
        ("http://u:s3cret@256.1.1.1/", "invalid IPv4 address"),
        ("javascript:alert(1)", scheme),
    ] {
        let said =
            format!("error: wrong value for --url <URL>: {why}\nhint: see 'hooks add --help'\n");
        let add = ["add", "--url", url, "--event", "PostDeployment"];
        sandbox.hooks(add).run().assert(2, "", &said);
    }
    assert!(!sandbox.has("hooks.json"));
}

#[test]
fn an_event_has_its_letters_and_its_length() {
    let sandbox = Sandbox::new();
    let (longest, too_long) = ("e".repeat(100), "e".repeat(101));
    for (number, event) in
        ["*", "a", &longest, "Az09._:/-", "repo/main:deployed"].into_iter().enumerate()
    {
        let id = sandbox.add(&format!("http://h/{number}"), event);
        assert_eq!(sandbox.hook(&id)["event"], event);
    }
    for event in ["", " ", "a b", "é", "a,", ",a", "a,,b", "**", "*a", "a*b", "$x", &too_long] {
        let refused = sandbox.hooks_add("http://h/", event).run();
        refused.assert(
            2,
            "",
            "error: wrong value for --event <EVENT,…>: an event is 1 to 100 letters, digits or . _ : / -, and may end in *\n\
             hint: see 'hooks add --help'\n",
        );
    }
}

#[test]
fn a_header_that_cannot_be_sent_is_refused_and_its_value_is_not_quoted() {
    let sandbox = Sandbox::new();
    let name = "a header's name is letters, digits and -";
    let value = "a header's value is printable ASCII on one line";
    for (header, why) in [
        ("s3cret", "'Name: value' is wanted"),
        (": s3cret", name),
        ("X A: s3cret", name),
        ("X-\nA: s3cret", name),
        ("X-A: s3cret\r\nX-B: 2", value),
        ("X-A: s3cret\u{1b}[2J", value),
        ("X-A: s3crét", value),
        ("Content-Length: s3cret", "content-length is set by hooks itself"),
        (
            "Transfer-Encoding: s3cret",
            "transfer-encoding is about the connection, which hooks makes itself",
        ),
        ("Host: s3cret", "host is set by hooks itself"),
        ("webhook-id: s3cret", "webhook-id is set by hooks itself"),
        ("Webhook-Signature: s3cret", "webhook-signature is set by hooks itself"),
    ] {
        let said = format!(
            "error: wrong value for --header <NAME: VALUE>: {why}\nhint: see 'hooks add --help'\n"
        );
        let add = ["add", "--url", "http://h/", "--event", "E", "--header", header];
        sandbox.hooks(add).run().assert(2, "", &said);
    }
    assert!(!sandbox.has("hooks.json"));
}

#[test]
fn an_invalid_secret_is_refused_and_not_quoted() {
    let sandbox = Sandbox::new();
    for (secret, why) in [
        ("", "empty"),
        ("s3cret", "no whsec_"),
        ("whsec_", "nothing after whsec_"),
        ("whsec_c2hvcnQ=", "too short"),
        ("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE", "no padding"),
        ("whsec_!!!!MzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "no base64"),
        ("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\nwhsec_MDEy", "two lines"),
    ] {
        sandbox.write("secret", secret);
        let refused = sandbox.hooks_add("http://h/", "E").args(["--secret-file", "secret"]).run();
        assert!(
            matches!(refused.code(), Some(1 | 2)),
            "{why}: {:?}\n{}",
            refused.status,
            refused.stderr
        );
        refused
            .assert_stderr_has(&["error: ", "secret"])
            .assert_hides("MDEy")
            .assert_hides("s3cret");
    }
    let missing = sandbox.hooks_add("http://h/", "E").args(["--secret-file", "absent"]).run();
    missing.assert_code(1).assert_stderr_has(&["error: ", "absent"]);
    assert!(!sandbox.has("hooks.json"));
}

#[test]
fn a_ca_file_without_a_certificate_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("empty.pem", "");
    sandbox.write("text.pem", "no certificate");
    sandbox.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (file, code) in [("empty.pem", 2), ("text.pem", 2), ("broken.pem", 2), ("absent.pem", 1)] {
        let refused = sandbox.hooks_add("https://h/", "E").args(["--ca-file", file]).run();
        refused.assert_code(code).assert_stderr_has(&["error: ", file]);
    }
    assert!(!sandbox.has("hooks.json"));
}

#[test]
fn what_is_missing_is_said_before_anything_is_written() {
    let sandbox = Sandbox::new();
    for (arguments, missing) in [
        (&["add"][..], "--url"),
        (&["add", "--url", "http://h/"], "--event"),
        (&["add", "--event", "E"], "--url"),
    ] {
        sandbox.hooks(arguments).run().assert_code(2).assert_stderr_has(&["error: ", missing]);
    }
    assert_eq!(sandbox.names(), Vec::<String>::new());
}
