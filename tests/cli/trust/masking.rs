//! Secrets that are known by their place, those of a `Basic` header, and those of a template.

use serde_json::json;

use crate::support::{Output, Receiver, Reply, Sandbox, base64};

/// Letters and digits, from the system.
fn random_tokens(count: usize, length: usize) -> Vec<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut bytes = vec![0; count * length];
    let mut source = std::fs::File::open("/dev/urandom").expect("the system has random bytes");
    std::io::Read::read_exact(&mut source, &mut bytes).expect("it gives as many as are wanted");
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]);
    bytes.chunks(length).map(|chunk| chunk.iter().map(letter).collect()).collect()
}

/// A registry of hooks with these URLs.
fn registry_of(urls: &[String]) -> Sandbox {
    let sandbox = Sandbox::new();
    let hook = |(number, url): (usize, &String)| json!({"id": number + 1, "url": url, "event": "E", "insecure_ssl": false});
    sandbox.write_hooks(&urls.iter().enumerate().map(hook).collect::<Vec<_>>());
    sandbox
}

#[test]
#[cfg(unix)]
fn two_thousand_random_tokens_of_short_secrets_are_masked() {
    for (before, length, after) in [
        ("https://hooks.zapier.com/hooks/catch/123456/", 6, "/"),
        ("https://hooks.zapier.com/hooks/catch/123456/", 7, "/"),
        ("https://api.vercel.com/v1/integrations/deploy/prj_1/", 10, ""),
        ("https://hook.eu2.make.com/", 8, ""),
        ("https://maker.ifttt.com/trigger/deployed/with/key/", 9, ""),
    ] {
        let tokens = random_tokens(2_000, length);
        let urls: Vec<String> =
            tokens.iter().map(|token| format!("{before}{token}{after}")).collect();
        let sandbox = registry_of(&urls);
        let listed = sandbox.hooks(["list"]).run();
        listed.assert_code(0);
        let masked = format!("{before}***{after}");
        assert_eq!(listed.stdout.matches(&masked).count(), 2_000, "{before}");
        let shown = sandbox.hooks(["publish", "E", "{}", "--dry-run"]).run();
        for output in [&listed, &shown] {
            let words: std::collections::HashSet<&str> =
                output.stdout.split(|c: char| !c.is_ascii_alphanumeric()).collect();
            // A word of the output may be a token by chance, if the token is short.
            let left = tokens.iter().filter(|token| words.contains(token.as_str())).count();
            assert!(left <= 1, "{left} of {before}");
        }
    }
}

#[test]
fn a_token_in_the_hosts_name_is_masked_and_the_rest_of_the_host_is_not() {
    let sandbox = registry_of(&["https://eo4xk2q1abcdef.m.pipedream.net/".to_owned()]);
    for arguments in [&["list"][..], &["show", "1"], &["publish", "E", "{}", "--dry-run"]] {
        let output = sandbox.hooks(arguments).run();
        assert!(output.stdout.contains("***.m.pipedream.net"), "{}", output.stdout);
        assert!(!output.stdout.contains("eo4xk2q1abcdef"), "{}", output.stdout);
        let revealed = sandbox.hooks(arguments).arg("--reveal").run();
        assert!(revealed.stdout.contains("https://eo4xk2q1abcdef.m.pipedream.net/"));
    }
}

#[test]
fn ordinary_urls_are_shown_as_they_are() {
    let urls = [
        "https://example.com/hooks/catch/123456/abcdef/",
        "https://ci.example.com/hooks/deploy/production",
        "https://example.com/api/v1/webhooks/deployments",
        "https://zapier.com/apps",
        "https://vercel.com/docs/deploy-hooks",
        "http://localhost:5678/webhook/deploys",
        "http://192.168.0.7:8123/api/webhook/lights",
        "https://www.make.com/en/help/tools/webhooks",
    ];
    let sandbox = registry_of(&urls.map(str::to_owned));
    let listed = sandbox.hooks(["list"]).run();
    for url in urls {
        assert!(listed.stdout.contains(url), "{url} is not in {}", listed.stdout);
    }
}

/// What every view says of hook 1, as text and as JSON.
fn views(sandbox: &Sandbox) -> Vec<Output> {
    let calls: [&[&str]; 9] = [
        &["show", "1"],
        &["show", "1", "--json"],
        &["list"],
        &["list", "--json"],
        &["log", "-v"],
        &["log", "--json"],
        &["edit", "1", "--status", "failed,success"],
        &["edit", "1", "--status", "", "--json"],
        &["publish", "E", r#"{"id":"7"}"#, "--dry-run"],
    ];
    calls.map(|call| sandbox.hooks(call).run()).into()
}

#[track_caller]
fn assert_hidden(outputs: &[Output], secrets: &[&str]) {
    for output in outputs {
        for secret in secrets {
            let shown = [&output.stdout, &output.stderr].iter().any(|text| text.contains(secret));
            assert!(!shown, "{secret}: {}\n{}\n{}", output.command, output.stdout, output.stderr);
        }
    }
}

#[test]
fn a_basic_header_that_comes_back_decoded_is_masked() {
    for (pair, echo, hidden) in [
        ("deploy:hunter22", "no such user deploy:hunter22", "hunter22"),
        ("deploy:pa:ss word", "wrong password 'pa:ss word' of deploy", "pa:ss word"),
        ("ghp0token:", "bad token ghp0token", "ghp0token"),
        ("ünï:cödé", "cödé is wrong", "cödé"),
    ] {
        let sandbox = Sandbox::new();
        let receiver = Receiver::answering([Reply::status(403).body(echo)]);
        let header = format!("Authorization: Basic {}", base64(pair));
        sandbox.add_with(&receiver.url("/"), "E", ["--header", &header]);
        let published = sandbox.hooks(["publish", "E", r#"{"id":"7"}"#, "-v"]).run();
        published.assert_code(3).assert_stdout_has(&["***"]);
        assert_eq!(receiver.request().the_header("authorization"), &header[15..]);
        let mut outputs = views(&sandbox);
        outputs.push(published);
        assert_hidden(&outputs, &[hidden, &base64(pair)]);
    }
}

const KEY: &str = "R0abcdef0123456789abcdef01234567";

#[test]
fn a_templates_secrets_are_sent_and_never_shown() {
    let sandbox = Sandbox::new();
    let echo = format!("invalid routing key {KEY}, or QUJDREVGR0gxMjM0NTY3OA== or hunter22");
    let receiver = Receiver::answering([Reply::status(400).body(echo)]);
    let template = format!(
        r#"{{"routing_key": "{KEY}", "second": {{{{ "QUJDREVGR0gxMjM0NTY3OA==" }}}},
        "url": {{{{ "https://u:hunter22@h.example/" ~ id }}}}, "id": {{{{ deployment.id }}}}, "x": "PostDeployment" }}"#
    );
    sandbox.write("own", &template);
    let add = sandbox.hooks_add(&receiver.url("/"), "E").args(["--template", "own"]).run();
    add.assert_code(0).assert_stdout_has(&[
        "\"routing_key\": \"***\"",
        "{{ deployment.id }}",
        "PostDeployment",
    ]);
    // The file has it whole, and so has what is sent.
    assert_eq!(sandbox.hook("1")["template"], template);
    let published = sandbox.hooks(["publish", "E", r#"{"id":"7"}"#, "-v"]).run();
    published.assert_code(3);
    let body = receiver.request().json();
    assert_eq!([&body["routing_key"], &body["second"]], [KEY, "QUJDREVGR0gxMjM0NTY3OA=="]);
    assert_eq!(body["url"], "https://u:hunter22@h.example/7");
    let mut outputs = views(&sandbox);
    outputs.extend([add, published]);
    assert_hidden(&outputs, &[KEY, "QUJDREVGR0gxMjM0NTY3OA", "hunter22"]);
    let shown = sandbox.hooks(["show", "1", "--json"]).run().json();
    let masked = template
        .replace(KEY, "***")
        .replace("QUJDREVGR0gxMjM0NTY3OA==", "***")
        .replace("hunter22", "***");
    assert_eq!(shown["template"], masked);
    let revealed = sandbox.hooks(["show", "1", "--reveal"]).run();
    assert!(revealed.stdout.contains(KEY) && revealed.stdout.contains("hunter22"));
    let dry = sandbox.hooks(["publish", "E", r#"{"id":"7"}"#, "--dry-run", "--reveal"]).run();
    assert!(dry.stdout.contains(KEY), "{}", dry.stdout);
}

#[test]
#[cfg(unix)]
fn a_template_with_a_secret_is_a_secret_of_the_file() {
    let sandbox = Sandbox::new();
    sandbox.write("own", format!(r#"{{"key": "{KEY}"}}"#));
    sandbox.add_with("http://127.0.0.1:9/", "E", ["--template", "own"]);
    sandbox.set_mode("hooks.json", 0o644);
    let listed = sandbox.hooks(["list"]).run();
    listed.assert_code(0).assert_stderr_has(&["warning: others can read the secrets in"]);
    sandbox.write("own", r#"{"key": {{ id }} }"#);
    sandbox.hooks(["edit", "1", "--template", "own"]).run().assert_code(0);
    sandbox.set_mode("hooks.json", 0o644);
    assert_eq!(sandbox.hooks(["list"]).run().stderr, "");
}
