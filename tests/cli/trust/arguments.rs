//! Refused arguments, refused files and completions never quote what was given, which may be a secret in the
//! wrong place.

use crate::support::{Output, Receiver, Sandbox, Secrets, base64};

/// Runs each command line, which is refused with this code and without showing `s3cret`.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, code: i32, command_lines: &[&[&str]]) {
    for arguments in command_lines {
        let refused = sandbox.hooks(*arguments).run();
        refused
            .assert_code(code)
            .assert_stderr_has(&["error: "])
            .assert_hides("s3cret")
            .assert_hides("87654321");
        assert_eq!(refused.stdout, "", "{}", refused.command);
    }
}

const ADD: [&str; 5] = ["add", "--url", "http://h.example/", "--event", "E"];

#[test]
fn a_refused_url_is_not_quoted() {
    let sandbox = Sandbox::new();
    for url in [
        "http://u:s3cret@h:port/",
        "http://u:s3cret@h:87654321/",
        "http://u:s3cret@h /",
        "http://u:s3cret@[h/",
        "http://u:s3cret@%zz/",
        "http://u:s3cret@",
        "http:u:s3cret@h",
        "ftp://u:s3cret@h/",
        "//u:s3cret@h/",
        "u:s3cret@h",
        "https://h\u{7f}/?s3cret",
        "https://xn--0.s3cret/",
        "",
    ] {
        assert_refused(
            &sandbox,
            2,
            &[
                &["add", "--url", url, "--event", "E"],
                &["add", "--event", "E", "--url", url, "--generate-secret"],
                &["edit", "1", "--url", url],
            ],
        );
    }
    let url = "http://u:s3cret@h/";
    assert_refused(
        &sandbox,
        2,
        &[
            &["add", url],
            &["add", url, "--event", "E"],
            &["add", url, "E"],
            &["add", "--event", "E", url, "--url", "http://h/"],
            &["add", "--url", url],
            &["add", "--url", url, "--event", url],
            &["add", "--url", url, "--event", "E", "--url", url],
            &["list", url],
            &["list", "--event", url],
            &["show", url],
            &["show", "whsec_s3cret"],
            &["show", "1", url],
            &["edit", url],
            &["remove", url],
            &["rm", "1", url],
            &["test", url],
            &["log", url],
            &["redeliver", url],
            &["listen", url],
            &["publish", url],
            &["run", url, "--", "true"],
            &["run", "E", url],
            &[url],
            &["s3cret"],
            &["--file", "hooks.json", url],
        ],
    );
    assert_eq!(sandbox.names(), Vec::<String>::new());
}

#[test]
fn a_refused_header_is_not_quoted() {
    let sandbox = Sandbox::new();
    for header in [
        "s3cret",
        ": s3cret",
        "X Auth: s3cret",
        "X-Auth s3cret: x",
        "X-Auth: s3cret\u{1b}",
        "X-Auth: s3cret\r\nX-Other: x",
        "X-Auth: s3cr\u{e9}t s3cret",
        "Content-Length: 5s3cret",
        "Webhook-Id: s3cret",
        "Host: s3cret",
        "Transfer-Encoding: s3cret",
        "X-Hub-Signature-256: s3cret",
        "",
    ] {
        let add = [&ADD[..], &["--header", header]].concat();
        assert_refused(&sandbox, 2, &[&add, &["edit", "1", "--header", header]]);
    }
}

#[test]
fn a_refused_value_of_another_flag_is_not_quoted() {
    let sandbox = Sandbox::new();
    let values = [
        "--timeout=s3cret",
        "--deadline=s3cret",
        "--retries=s3cret",
        "--retries=87654321987654321",
        "--jobs=87654321",
        "--status=s3cret",
        "--set=s3cret",
        "--set=s3cret:={",
        "--git={s3cret",
        "--unknown=s3cret",
        "--token-s3cret",
        "--password",
        "-s3cret",
        "--reveal=s3cret",
        "--color=s3cret",
    ];
    for value in values {
        assert_refused(&sandbox, 2, &[&["publish", "E", "{}", value]]);
    }
    for option in [
        ["--format", "s3cret"],
        ["--insecure-ssl=s3cret", "--json"],
        ["--generate-secret=s3cret", "--json"],
        ["--status", "s3cret,\n"],
        ["--secret", "s3cret"],
    ] {
        assert_refused(&sandbox, 2, &[&[&ADD[..], &option].concat()]);
    }
    assert_refused(
        &sandbox,
        2,
        &[
            &["publish", "s3cret event"],
            &["publish", "E", "{}", "s3cret"],
            &["log", "-n", "s3cret"],
            &["log", "-n", "-87654321"],
            &["listen", "--port", "87654321"],
            &["listen", "--secret", "s3cret"],
            &["listen", "--respond", "87654321"],
            &["redeliver", "--failed", "--since", "s3cret"],
            &["redeliver", "whsec_s3cret"],
            &["add", "--url", "http://h/", "--event", "E", "--name", "WHSEC_s3cret"],
        ],
    );
    for name in ["HOOKS_TIMEOUT", "HOOKS_RETRIES", "HOOKS_JOBS"] {
        let refused = sandbox.hooks(["publish", "E", "{}"]).env(name, "s3cret");
        refused.run().assert_code(2).assert_hides("s3cret");
    }
}

#[test]
fn an_invalid_deployment_is_not_quoted() {
    let sandbox = Sandbox::new();
    assert_refused(
        &sandbox,
        1,
        &[
            &["publish", "E", "http://u:s3cret@h/"],
            &["publish", "E", "\"s3cret\""],
            &["publish", "E", "87654321"],
            &["publish", "E", "{\"a\":s3cret}"],
            &["publish", "E", "{\"s3cret\"}"],
            &["publish", "E", "[\"s3cret\"]"],
            &["publish", "E", "{\"a\":\"s3cret"],
        ],
    );
    let piped = sandbox.hooks(["publish", "E"]).stdin("http://u:s3cret@h/\n");
    piped.run().assert_code(1).assert_hides("s3cret");
}

#[test]
fn a_secret_given_in_place_of_its_file_is_not_quoted() {
    let sandbox = Sandbox::new();
    let key = base64([7; 32]);
    let secret = format!("whsec_{key}");
    for arguments in [
        [&ADD[..], &["--secret-file", &secret]].concat(),
        vec!["edit", "1", "--secret-file", &secret],
        vec!["listen", "--port", "0", "--secret-file", &secret],
    ] {
        let refused = sandbox.hooks(arguments).run();
        assert_ne!(refused.code(), Some(0));
        refused.assert_hides(&key).assert_stderr_has(&["file"]);
    }
}

#[test]
fn a_secret_file_that_holds_something_else_is_not_quoted() {
    let sandbox = Sandbox::new();
    for text in [
        "s3cret",
        "whsec_s3cret!",
        "whsec_s3cre",
        "",
        "whsec_czNjcmV0\nwhsec_czNjcmV0",
        "PASSWORD=s3cret",
        "{\"secret\":\"s3cret\"}",
    ] {
        sandbox.write("secret", text);
        let add = sandbox.hooks(ADD).args(["--secret-file", "secret"]);
        let add = add.run();
        add.assert_code(2).assert_hides("s3cre").assert_hides("czN");
        let piped = sandbox.hooks(ADD).args(["--secret-file", "-"]);
        piped.stdin(text).run().assert_code(2).assert_hides("s3cre");
    }
}

#[test]
fn a_registry_that_cannot_be_read_is_not_quoted() {
    let sandbox = Sandbox::new();
    let hook = |members: &str| {
        format!(
            "{{\"version\":1,\"hooks\":[{{\"id\":1,\"url\":\"http://u:s3cret@h/\",\"event\":\"E\",{members}}}]}}"
        )
    };
    for text in [
        hook("\"headers\":{\"X-Auth\":87654321}"),
        hook("\"headers\":{\"X-Auth\":8765.4321}"),
        hook("\"headers\":{\"X-Auth\":[\"s3cret\"]}"),
        hook("\"headers\":\"X-Auth: s3cret\""),
        hook("\"headers\":[\"s3cret\"]"),
        hook("\"secrets\":\"s3cret\""),
        hook("\"secrets\":[\"s3cret\"]"),
        hook("\"secrets\":[{\"secret\":\"s3cret\"}]"),
        hook("\"secrets\":[{\"secret\":87654321}]"),
        hook("\"secrets\":[{\"secret\":\"whsec_s3cret\"}]"),
        hook("\"secrets\":[{\"until\":\"s3cret\"}]"),
        hook("\"enabled\":\"s3cret\""),
        hook("\"insecure_ssl\":\"s3cret\""),
        hook("\"last_code\":87654321"),
        hook("\"last_code\":\"s3cret\", expected \""),
        hook("\"id\":\"s3cret\""),
        hook("\"url\":87654321"),
        hook("\"url\":\"s3cret"),
        hook("\"status\":\"s3cret\""),
        "[{\"id\":\"s3cret\"}]".into(),
        "\"s3cret\"".into(),
        "87654321".into(),
        "http://u:s3cret@h/".into(),
        "{\"version\":\"s3cret\"}".into(),
    ] {
        sandbox.write("hooks.json", &text);
        for arguments in [&["list"][..], &["publish", "E", "{}"], &["test", "1"]] {
            assert_refused(&sandbox, 1, &[arguments]);
        }
        assert_refused(&sandbox, 1, &[&ADD]);
        assert_eq!(sandbox.registry_bytes(), text.as_bytes());
    }
}

#[test]
fn a_damaged_journal_is_not_quoted() {
    let sandbox = Sandbox::new();
    let secrets = Secrets::new("journal");
    let receiver = Receiver::new();
    let url = secrets.url("http", receiver.port());
    secrets.add(&sandbox, &url, "PostDeployment");
    sandbox.publish().assert_code(0);
    let mut journal = sandbox.read("hooks.json.journal");
    let half = journal[..journal.len() / 2].to_vec();
    journal.extend(half);
    sandbox.write("hooks.json.journal", journal);
    for arguments in [&["log"][..], &["log", "-v"], &["redeliver", "--failed"]] {
        let finished = sandbox.hooks(arguments).run();
        finished.assert_code(0).assert_stderr_has(&["damaged"]);
        secrets.assert_absent(&finished);
    }
}

/// What the completion of `shell` gets for these words, of which the last is being typed.
fn completed(sandbox: &Sandbox, shell: &str, words: &[&str]) -> Output {
    let index = (words.len() - 1).to_string();
    sandbox
        .hooks(["--"])
        .args(words)
        .env("HOOKS_COMPLETE", shell)
        .env("_CLAP_COMPLETE_INDEX", index)
        .env("_CLAP_IFS", "\n")
        .run()
}

#[test]
fn completions_show_no_secret_and_no_event_that_a_shell_might_run() {
    let sandbox = Sandbox::new();
    let secrets = Secrets::new("complete");
    let url = secrets.url("http", 9);
    let id = secrets.add(&sandbox, &url, "Deployed");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        for (words, offered) in [
            (&["hooks", "show", ""][..], id.as_str()),
            (&["hooks", "redeliver", ""], &id),
            (&["hooks", "publish", ""], "Deployed"),
            (&["hooks", "add", "--url", &url, "--event", "D"], "Deployed"),
            (&["hooks", "add", "--url", &url], ""),
            (&["hooks", "edit", &id, "--header", &secrets.header()], ""),
        ] {
            let completed = completed(&sandbox, shell, words);
            assert!(completed.stdout.contains(offered), "{}", completed.stdout);
            assert_eq!(completed.stderr, "");
            // The word that is being typed may be offered, because it is on the command line already.
            if offered.is_empty() {
                secrets.assert_only_url(&completed);
            } else {
                secrets.assert_absent(&completed);
            }
        }
    }
    let hostile = "E\u{1b}]0;x\u{7}$(touch x)\nSecondLine";
    let hook = serde_json::json!({ "id": 1, "url": "http://h/", "event": hostile });
    sandbox.write("hooks.json", serde_json::json!([hook]).to_string());
    let events = completed(&sandbox, "bash", &["hooks", "publish", ""]);
    events.assert_code(0);
    for bad in ["\u{1b}", "$(", "SecondLine"] {
        assert!(!events.stdout.contains(bad), "{:?}", events.stdout);
    }
    sandbox.write("hooks.json", "[{\"id\":\"s3cret");
    let nothing = completed(&sandbox, "bash", &["hooks", "show", ""]);
    nothing.assert_code(0).assert_hides("s3cret");
    assert_eq!(nothing.stderr, "", "errors are silence");
}
