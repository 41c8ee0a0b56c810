//! No secret in any output: secrets in a URL's password, query and path, in a header and in a secret, run
//! through every verb and every way in which a delivery fails.

use std::process::Command;
use std::time::Duration;

use crate::support::{
    Identity, Output, Receiver, Reply, Request, Responder, Sandbox, Secrets, echo, needs,
};

/// Every verb that shows a hook or a delivery, as text and as JSON, after something was published to `id`.
#[track_caller]
fn assert_views_hide(sandbox: &Sandbox, secrets: &Secrets, id: &str) {
    let text: [&[&str]; 8] = [
        &["list"],
        &["list", "--event", "PostDeployment", "-v"],
        &["show", id],
        &["log"],
        &["log", id, "--failed"],
        &["publish", "PostDeployment", "{}", "--dry-run"],
        &["publish", "Other", "{}", "-v"],
        &["edit", id, "--status", "success"],
    ];
    for arguments in text {
        secrets.assert_absent(&sandbox.hooks(arguments).run());
    }
    let json: [&[&str]; 4] = [
        &["list", "--json"],
        &["show", id, "--json"],
        &["log", "--json"],
        &["edit", id, "--status", "", "--json"],
    ];
    for arguments in json {
        let finished = sandbox.hooks(arguments).run();
        finished.assert_code(0);
        secrets.assert_only_url(&finished);
    }
}

/// Publishes as text and as JSON, and checks what every verb shows of it.
#[track_caller]
fn assert_failure_hides(
    sandbox: &Sandbox,
    secrets: &Secrets,
    id: &str,
    environment: &[(&str, &str)],
) -> Output {
    let call = |arguments: &[&str]| {
        let mut call = sandbox.hooks(arguments);
        call = call.env("HOOKS_RETRIES", "0").env("HOOKS_TIMEOUT", "500ms");
        for (name, value) in environment {
            call = call.env(name, value);
        }
        call.run()
    };
    let published = call(&["publish", "PostDeployment", "{}", "-v"]);
    published.assert_code(3);
    secrets.assert_absent(&published);
    assert!(published.stdout.contains("failed"), "{}", published.stdout);
    secrets.assert_absent(&call(&["test", id]));
    secrets.assert_absent(&call(&["redeliver", id, "-v"]));
    secrets.assert_absent(&call(&["run", "PostDeployment", "-v", "--", "true"]));
    for arguments in [
        &["publish", "PostDeployment", "{}", "--json"][..],
        &["test", id, "--json"],
        &["redeliver", id, "--json"],
    ] {
        secrets.assert_only_url(&call(arguments));
    }
    assert_views_hide(sandbox, secrets, id);
    published
}

#[test]
fn no_verb_shows_a_secret_of_a_hook_that_works() {
    let sandbox = Sandbox::new();
    let secrets = Secrets::new("works");
    let receiver = Receiver::new();
    let url = secrets.url("http", receiver.port());
    let (header, secret_file) = (secrets.header(), ["--secret-file", "hook.secret"]);
    sandbox.write("hook.secret", secrets.secret());
    sandbox.write("other.secret", format!("whsec_{}", "A".repeat(32)));
    let add = |event: &str, header: &str, more: [&str; 2]| {
        let add = ["add", "--url", &url, "--event", event, "--header", header];
        sandbox.hooks(add).args(more).run()
    };
    for (code, added) in [
        (0, add("PostDeployment", &header, secret_file)),
        (0, add("PostDeployment", &header, secret_file)),
        (4, add("Other", &header, secret_file)),
        (4, add("PostDeployment", &format!("{header}2"), secret_file)),
        (4, add("PostDeployment", &header, ["--secret-file", "other.secret"])),
        (4, add("PostDeployment", &header, ["--format", "slack"])),
    ] {
        added.assert_code(code);
        secrets.assert_absent(&added);
    }
    secrets.assert_only_url(&add("PostDeployment", &header, ["--format=raw", "--json"]));
    for arguments in [
        &["publish", "PostDeployment", "{}"][..],
        &["publish", "PostDeployment", "{}", "-v"],
        &["publish", "PostDeployment", "{}", "-q"],
        &["run", "PostDeployment", "--", "true"],
        &["test", "1"],
        &["redeliver", "1"],
        &["redeliver", "--failed", "--now", "-v"],
    ] {
        let finished = sandbox.hooks(arguments).run();
        finished.assert_code(0);
        secrets.assert_absent(&finished);
    }
    assert_views_hide(&sandbox, &secrets, "1");
    let request = &receiver.requests()[0];
    assert!(
        request.header("x-auth") == header.split_once(": ").map(|(_, value)| value)
            && request.target.contains("Query-"),
        "the receiver is to get what nobody else sees: {request:#?}"
    );
    for (arguments, code) in [
        (&["remove", "1", "7"][..], 5),
        (&["remove", "1"], 0),
        (&["log"], 0),
        (&["redeliver", "1"], 5),
    ] {
        let finished = sandbox.hooks(arguments).run();
        finished.assert_code(code);
        secrets.assert_absent(&finished);
    }
}

#[test]
fn reveal_shows_urls_whole_and_still_no_header_and_no_secret() {
    let sandbox = Sandbox::new();
    let secrets = Secrets::new("reveal");
    let url = secrets.url("http", 9);
    let id = secrets.add(&sandbox, &url, "PostDeployment");
    for arguments in [&["list"][..], &["show", &id], &["edit", &id, "--disable"]] {
        let finished = sandbox.hooks(arguments).arg("--reveal").run();
        finished.assert_code(0);
        secrets.assert_only_url(&finished);
        assert!(finished.stdout.contains(&url), "{}", finished.stdout);
    }
}

#[test]
fn a_dry_run_shows_the_exact_request_only_if_asked_to_reveal_it() {
    let sandbox = Sandbox::new();
    let secrets = Secrets::new("dry");
    secrets.add(&sandbox, &secrets.url("http", 9), "PostDeployment");
    let dry_run = sandbox.hooks(["publish", "PostDeployment", "{}", "--dry-run"]);
    let masked = dry_run.run();
    masked.assert_code(0);
    secrets.assert_absent(&masked);
    for line in [
        "POST http://127.0.0.1:9/services/T0001/***?key=*** HTTP/1.1\n",
        "X-Auth: ***\n",
        "authorization: ***\n",
        "webhook-signature: ***\n",
        "x-hub-signature-256: ***\n",
    ] {
        assert!(masked.stdout.contains(line), "{line}{}", masked.stdout);
    }
    let revealed =
        sandbox.hooks(["publish", "PostDeployment", "{}", "--dry-run", "--reveal"]).run();
    let header = secrets.header();
    assert!(revealed.stdout.contains(&header), "{}", revealed.stdout);
    revealed.assert_hides(&secrets.secret());
}

#[test]
fn secrets_that_a_receiver_sends_back_are_not_shown() {
    type Answer = fn(&Request) -> Vec<u8>;
    let answers: [(&'static str, Answer, &str); 4] = [
        ("echo", echo::whole, "500 Internal Server Error: POST /services/"),
        ("json", echo::json, "410 Gone: {"),
        ("token", echo::token, "403 Forbidden: no such token: "),
        ("location", echo::location, "307 Temporary Redirect: "),
    ];
    for (name, answer, said) in answers {
        let sandbox = Sandbox::new();
        let secrets = Secrets::new(name);
        let receiver = Responder::new(answer);
        let url = secrets.url("http", receiver.port());
        let id = secrets.add(&sandbox, &url, "PostDeployment");
        // 410 disables the hook, and its reason is kept a second time.
        let published = sandbox.hooks(["publish", "PostDeployment", "{}", "-v", "--retries", "0"]);
        let published = published.run();
        published.assert_code(3);
        secrets.assert_absent(&published);
        assert!(published.stdout.contains(said), "{}", published.stdout);
        assert_views_hide(&sandbox, &secrets, &id);
        sandbox.hooks(["edit", &id, "--enable"]).run().assert_code(0);
        if name == "json" {
            // Each delivery disables it again.
            secrets.assert_absent(&sandbox.hooks(["test", &id]).run());
            secrets.assert_only_url(&sandbox.hooks(["test", &id, "--json"]).run());
        } else {
            assert_failure_hides(&sandbox, &secrets, &id, &[]);
        }
        assert!(receiver.requests() >= 3);
    }
}

#[test]
fn a_redirect_shows_its_location_without_the_secrets_in_it() {
    for (name, location, shown) in [
        (
            "lurl",
            "https://u:Pw-lurl@h.example/a?key=Query-lurl",
            "https://u:***@h.example/a?key=***",
        ),
        ("lpath", "/in?key=Query-lpath#Pw-lpath", "/in?key=***#***"),
        ("lhost", "//u:Pw-lhost@h.example/Query-lhost-12345678", "***"),
        ("lfile", "file:///Token7lfile8canary9x0y", "file://"),
        ("ldata", "data:text/html,u:Pw-ldata@x", "***"),
        ("lodd", "https://u:Pw-lodd/12@h.example/", "https://***"),
    ] {
        let sandbox = Sandbox::new();
        let secrets = Secrets::new(name);
        let reply = Reply::status(302).header("location", location);
        let receiver = Receiver::answering([reply]);
        let id = sandbox.add(&receiver.url("/"), "PostDeployment");
        let published = assert_failure_hides(&sandbox, &secrets, &id, &[]);
        assert!(published.stdout.contains(shown), "{}", published.stdout);
    }
}

#[test]
fn no_error_of_a_failing_delivery_shows_a_secret() {
    let silent = Receiver::answering([Reply::silent()]);
    let hung_up = Receiver::answering([Reply::hang_up()]);
    let distrusted = Receiver::untrusted(&Identity::from_private_ca());
    let plain = Receiver::without_request(Reply::greeting("220 smtp.example ESMTP\r\n"));
    for (name, scheme, port, said) in [
        ("refused", "http", 9, "connection refused"),
        ("silent", "http", silent.port(), "timed out"),
        ("hungup", "http", hung_up.port(), "closed"),
        ("distrust", "https", distrusted.port(), "certificate"),
        ("plain", "https", plain.port(), "TLS"),
    ] {
        let sandbox = Sandbox::new();
        let secrets = Secrets::new(name);
        let url = secrets.url(scheme, port);
        let id = secrets.add(&sandbox, &url, "PostDeployment");
        let published = assert_failure_hides(&sandbox, &secrets, &id, &[]);
        assert!(published.stdout.contains(said), "{}", published.stdout);
    }
    distrusted.wait_for_connections(1);
    plain.wait_for_connections(1);
}

#[test]
fn the_note_about_a_retry_shows_no_secret() {
    let sandbox = Sandbox::new();
    let secrets = Secrets::new("again");
    let receiver = Responder::new(echo::whole);
    let url = secrets.url("http", receiver.port());
    secrets.add(&sandbox, &url, "PostDeployment");
    let limits = ["--retries", "1", "--verbose"];
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]);
    let published = publish.args(limits).run();
    published.assert_code(3).assert_stderr_has(&["attempt 1 failed", "POST /services/"]);
    secrets.assert_absent(&published);
    assert_eq!(receiver.requests(), 2);
}

#[test]
fn no_error_of_a_proxy_shows_its_password() {
    let denying = Receiver::answering([Reply::status(407).body("denied for Pw-proxy")]);
    let port = denying.port();
    for proxy in [
        "http://u:Pw-proxy@127.0.0.1:9".to_owned(),
        format!("http://u:Pw-proxy@127.0.0.1:{port}"),
        format!("u:Pw-proxy@127.0.0.1:{port}"),
        "http://u:Pw-proxy@127.0.0.1:99999".to_owned(),
        "ftp://u:Pw-proxy@127.0.0.1:9".to_owned(),
        "http://u:Pw-proxy@".to_owned(),
        "http://u:Pw-proxy%ff@127.0.0.1:9".to_owned(),
        "http://u:Pw-proxy\u{1b} @127.0.0.1:9".to_owned(),
        "socks5://u:Pw-proxy@127.0.0.1:9".to_owned(),
    ] {
        let sandbox = Sandbox::new();
        let secrets = Secrets::new("proxy");
        let url = secrets.url("http", 9);
        let id = secrets.add(&sandbox, &url, "PostDeployment");
        let environment = [("http_proxy", proxy.as_str())];
        assert_failure_hides(&sandbox, &secrets, &id, &environment);
    }
}

#[test]
fn an_invalid_url_edited_by_hand_is_not_shown() {
    for (name, url) in [
        ("bare", "u:Pw-bare@127.0.0.1/?Query-bare"),
        ("port", "http://u:Pw-port@127.0.0.1:99999/?Query-port"),
        ("space", "http://u:Pw-space@127.0.0.1/ ?Query-space"),
        ("slash", "http://u:Pw-slash/12@127.0.0.1/?Query-slash"),
        ("back", "http://u:Pw-back\\@127.0.0.1:9/?Query-back"),
        ("ftp", "ftp://u:Pw-ftp@127.0.0.1/?Query-ftp"),
        ("three", "http:///u:Pw-three@127.0.0.1/?Query-three"),
        ("line", "http://u:Pw-line\n@127.0.0.1/?Query-line"),
        ("digits", "http://u:9/Pw-digits@127.0.0.1/?Query-digits"),
    ] {
        let sandbox = Sandbox::new();
        let secrets = Secrets::new(name);
        let hook = serde_json::json!({ "id": 1, "url": url, "event": "PostDeployment" });
        sandbox.write("hooks.json", serde_json::json!([hook]).to_string());
        assert_failure_hides(&sandbox, &secrets, "1", &[]);
    }
}

#[test]
fn no_command_line_of_any_process_shows_a_secret_while_it_publishes() {
    if !needs("ps") {
        return;
    }
    let sandbox = Sandbox::new();
    let secrets = Secrets::new("process");
    let receiver = Receiver::answering([Reply::status(200).held()]);
    let url = secrets.url("http", receiver.port());
    secrets.add(&sandbox, &url, "PostDeployment");
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]).spawn();
    receiver.wait_for(1);
    let ps = ["-A", "-ww", "-o", "pid=,args="];
    let ps = Command::new("ps").args(ps).output().unwrap();
    let lines = String::from_utf8_lossy(&ps.stdout).into_owned();
    receiver.release();
    assert!(lines.contains("publish PostDeployment"), "{lines}");
    assert_eq!(secrets.found_in(&lines), None);
    publish.wait().assert_code(0);
}

#[test]
fn the_live_line_on_a_terminal_shows_no_secret() {
    if !needs("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let secrets = Secrets::new("live");
    let slow = Reply::status(200).delay(Duration::from_millis(700));
    let receiver = Receiver::answering([slow]);
    let url = secrets.url("http", receiver.port());
    secrets.add(&sandbox, &url, "PostDeployment");
    let script = r#"script -qec "'$1' publish PostDeployment '{}'" /dev/null"#;
    let published = sandbox.hooks::<&str>([]).shell(script);
    let published = published.env("TERM", "xterm-256color").run();
    published.assert_code(0);
    assert!(published.stdout.contains("awaiting"), "{}", published.stdout);
    secrets.assert_absent(&published);
}
