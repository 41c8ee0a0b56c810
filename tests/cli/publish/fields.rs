//! `--id`, `--status` and the other fields, `--set` and `--git`: what they set, and that standard input is not read.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Sandbox, needs, one_hook, one_uncalled_hook};

#[test]
fn field_flags_alone_make_the_deployment_and_never_touch_standard_input() {
    let (sandbox, receiver) = one_hook();
    let published = sandbox
        .hooks([
            "publish",
            "PostDeployment",
            "--id",
            "cd5bee7",
            "--status",
            "success",
            "--author",
            "Some One",
        ])
        .args([
            "--author-email",
            "someone@example.com",
            "--message",
            "My \"fix\"\n",
            "--deployer",
            "CI",
        ])
        .args([
            "--start-time",
            "2013-06-06T01:24:16.5873293Z",
            "--end-time",
            "2013-06-06T01:24:17.63342Z",
        ])
        .args([
            "--set",
            "branch=main",
            "--set",
            "count:=12345678901234567890123",
            "--set",
            "eq=a=b",
        ])
        .args(["--set", "list:=[1, {\"a\":null}]"])
        .stdin_left_open()
        .run();
    published.assert_code(0);
    let text = receiver.request().text();
    assert!(text.contains("12345678901234567890123"), "{text}");
    let mut sent: Value = serde_json::from_str(&text).unwrap();
    sent.as_object_mut().unwrap().remove("count");
    assert_eq!(
        sent,
        json!({
            "id": "cd5bee7",
            "status": "success",
            "author": "Some One",
            "author_email": "someone@example.com",
            "message": "My \"fix\"\n",
            "deployer": "CI",
            "start_time": "2013-06-06T01:24:16.5873293Z",
            "end_time": "2013-06-06T01:24:17.63342Z",
            "branch": "main",
            "eq": "a=b",
            "list": [1, {"a": null}],
        })
    );
}

#[test]
fn field_flags_leave_standard_input_to_a_loop() {
    let (sandbox, receiver) = one_hook();
    // A post-receive hook's loop: a publish that read its input would swallow the second line.
    let script = r#"printf 'one\ntwo\n' | while read -r line; do "$@" --message "$line"; done"#;
    sandbox
        .hooks(["publish", "PostDeployment", "--status", "success"])
        .shell(script)
        .run()
        .assert_code(0);
    let messages: Vec<_> =
        receiver.wait_for(2).iter().map(|request| request.json()["message"].clone()).collect();
    assert_eq!(messages, ["one", "two"]);
}

#[test]
fn field_flags_go_over_the_json_and_other_keys_keep_their_spelling() {
    let (sandbox, receiver) = one_hook();
    let publish = |arguments: &[&str]| {
        let input =
            r#"{ "big": 1e400, "status" : "pending", "z":0.10, "a": 12345678901234567890123 }"#;
        sandbox
            .hooks(["publish", "PostDeployment"])
            .args(arguments)
            .stdin(input)
            .run()
            .assert_code(0);
        receiver.requests().pop().unwrap().text()
    };
    let text = publish(&["-", "--status", "success", "--set", "new:=true"]);
    let squeezed: String = text.split_whitespace().collect();
    assert!(squeezed.contains("\"big\":1e400") && squeezed.contains("\"z\":0.10"), "{text}");
    assert!(squeezed.contains("\"a\":12345678901234567890123"), "{text}");
    assert!(
        squeezed.contains("\"status\":\"success\"") && squeezed.contains("\"new\":true"),
        "{text}"
    );
    assert!(!text.contains("pending"), "{text}");
    let (big, z) = (text.find("big").unwrap(), text.find("\"z\"").unwrap());
    assert!(big < z, "the order is kept: {text}");
}

#[test]
fn a_flag_replaces_every_spelling_of_a_duplicate_key() {
    let (sandbox, receiver) = one_hook();
    let input = r#"{"status":"pending","status":"failed","st\u0061tus":"building"}"#;
    let publish = sandbox.hooks(["publish", "PostDeployment", "-", "--status", "success"]);
    publish.stdin(input).run().assert_code(0);
    let text = receiver.request().text();
    for gone in ["pending", "failed", "building"] {
        assert!(!text.contains(gone), "{text}");
    }
}

#[test]
fn a_status_has_kudus_five_values() {
    let (sandbox, receiver) = one_hook();
    for status in ["pending", "building", "deploying", "failed", "success"] {
        sandbox.hooks(["publish", "PostDeployment", "--status", status]).run().assert_code(0);
        assert_eq!(receiver.requests().pop().unwrap().json()["status"], status);
    }
    let refused = sandbox.hooks(["publish", "PostDeployment", "--status", "done"]).run();
    refused.assert_code(2).assert_stderr_has(&["error: ", "--status", "success"]);
    receiver.wait_for(5);
    assert_eq!(receiver.count(), 5);
}

#[test]
fn an_invalid_assignment_is_a_wrong_argument_and_is_not_quoted() {
    let (sandbox, _receiver) = one_uncalled_hook();
    for assignment in ["s3cret", "=s3cret", "a:=s3cret", ":=1", "a:="] {
        let refused = sandbox.hooks(["publish", "PostDeployment", "--set", assignment]).run();
        refused.assert_code(2).assert_stderr_has(&["error: ", "--set"]).assert_hides("s3cret");
    }
}

#[test]
fn git_fills_the_fields_from_a_commit_and_never_touches_standard_input() {
    if !needs("git") {
        return;
    }
    let (sandbox, receiver) = one_hook();
    repository(&sandbox);
    let publish = |arguments: &[&str]| {
        let publish =
            sandbox.hooks(["publish", "PostDeployment"]).args(arguments).env("USER", "deployer");
        publish.directory(sandbox.path().join("repository")).stdin_left_open().run().assert_code(0);
        receiver.requests().pop().unwrap().json()
    };
    let sent = publish(&["--git"]);
    assert_eq!(sent["author"], "Q \"Grüße\" R");
    assert_eq!(sent["author_email"], "q@example.com");
    assert_eq!(sent["message"].as_str().unwrap().trim_end(), "Second\n\nwith a body");
    assert_eq!(sent["deployer"], "deployer");
    assert_eq!(sent["status"], "success");
    assert_eq!(sent["id"].as_str().unwrap().len(), 40);
    assert_eq!(sent["start_time"], sent["end_time"]);
    let first = publish(&["--git", "HEAD~1", "--status", "failed", "--set", "branch=main"]);
    assert_eq!(first["message"].as_str().unwrap().trim_end(), "First");
    assert_eq!((&first["status"], &first["branch"]), (&json!("failed"), &json!("main")));
    assert_ne!(first["id"], sent["id"]);
}

#[test]
fn an_unknown_revision_is_refused_with_a_hint() {
    if !needs("git") {
        return;
    }
    let (sandbox, _receiver) = one_uncalled_hook();
    repository(&sandbox);
    for revision in ["", "-", "{}", "--output=x", "absent"] {
        let publish = sandbox.hooks(["publish", "PostDeployment", &format!("--git={revision}")]);
        let refused = publish.directory(sandbox.path().join("repository")).run();
        assert!(
            matches!(refused.code(), Some(1 | 2)),
            "{revision:?}: {:?} {}",
            refused.status,
            refused.stderr
        );
        refused.assert_stderr_has(&["error: "]);
    }
    // Outside a repository git's own message is shown.
    let outside = sandbox
        .hooks(["publish", "PostDeployment", "--git"])
        .env("GIT_CEILING_DIRECTORIES", "/")
        .run();
    outside.assert_code(1).assert_stderr_has(&["error: ", "git"]);
}

/// A repository with two commits in `repository/`.
fn repository(sandbox: &Sandbox) {
    let path = sandbox.path().join("repository");
    std::fs::create_dir(&path).expect("a folder can be made");
    let git = |arguments: &[&str]| {
        let status = Command::new("git")
            .args([
                "-c",
                "user.name=Q \"Grüße\" R",
                "-c",
                "user.email=q@example.com",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .current_dir(&path)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .status()
            .expect("git runs");
        assert!(status.success(), "git {arguments:?}");
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "-m", "First"]);
    git(&["commit", "--quiet", "--allow-empty", "-m", "Second\n\nwith a body"]);
}

#[test]
fn flags_do_not_make_a_deployment_larger_than_what_is_published() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let large = "x".repeat(100_000);
    let keys: Vec<String> = (0..11).map(|n| format!("--set=k{n}={large}")).collect();
    let refused = sandbox.hooks(["publish", "PostDeployment"]).args(&keys).run();
    refused.assert(
        1,
        "",
        "error: could not make the deployment: with its flags it is larger than 1 MiB\n",
    );
    assert!(!sandbox.has("hooks.json.journal"));
}
