//! `add --replace`: the hook of that name, else of that URL, is made what is given.

use serde_json::json;

use crate::support::{Receiver, Reply, Sandbox};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Runs `add --replace` and checks its note.
#[track_caller]
fn replace(sandbox: &Sandbox, options: &[&str], note: &str) {
    let replaced = sandbox.hooks(["add", "--replace"]).args(options).run();
    replaced.assert(0, &replaced.stdout, &format!("note: {note}\n"));
}

#[test]
fn the_first_run_adds_the_second_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("t.j2", r#"{"a": {{ id }} }"#);
    sandbox.write("secret", SECRET);
    let options = [
        "--name",
        "chat",
        "--url",
        "http://h/1",
        "--event",
        "A,deploy.*",
        "--status",
        "failed",
        "--when",
        "a == 1",
        "--expect",
        "ok",
        "--header",
        "X-A: 1",
        "--header",
        "X-B: 2",
        "--template",
        "t.j2",
        "--secret-file",
        "secret",
        "--insecure-ssl",
    ];
    replace(&sandbox, &options, "hook 1 (chat) is added");
    let before = sandbox.registry_bytes();
    replace(&sandbox, &options, "hook 1 (chat) is unchanged");
    assert_eq!(sandbox.registry_bytes(), before);
    let quiet = sandbox.hooks(["-q", "add", "--replace"]).args(options).run();
    let shown = sandbox.hooks(["show", "1"]).run();
    quiet.assert(0, &shown.stdout, "");
}

#[test]
fn what_is_not_given_goes_to_its_default_and_the_change_is_said() {
    let sandbox = Sandbox::new();
    let add = ["add", "--name", "chat", "--url", "http://h/1", "--event", "A", "--json"];
    sandbox
        .hooks(add)
        .args(["--status", "failed", "--header", "X: s3cret", "--format", "slack", "--when", "a"])
        .run()
        .assert_code(0);
    let options = ["--name", "chat", "--url", "http://h/1", "--event", "B", "--expect", "ok"];
    replace(
        &sandbox,
        &options,
        "hook 1 (chat) is changed: event, expect, format, headers, status, when",
    );
    let expected = json!({
        "id": 1, "name": "chat", "url": "http://h/1", "event": "B", "insecure_ssl": false, "expect": "ok",
    });
    assert_eq!(sandbox.hook("1"), expected);
}

#[test]
fn the_name_decides_which_hook_it_is_and_else_the_url() {
    let sandbox = Sandbox::new();
    sandbox
        .hooks(["add", "--url", "http://h/1", "--event", "E", "--name", "chat"])
        .run()
        .assert_code(0);
    sandbox.add("http://h/2", "E");
    replace(
        &sandbox,
        &["--name", "CHAT", "--url", "http://h/new", "--event", "E"],
        "hook 1 (CHAT) is changed: name, url",
    );
    replace(
        &sandbox,
        &["--name", "ci", "--url", "HTTP://H/2", "--event", "E"],
        "hook 2 (ci) is changed: name, url",
    );
    replace(&sandbox, &["--url", "http://h/2", "--event", "E"], "hook 2 is changed: name, url");
    assert_eq!(sandbox.ids(), ["1", "2"]);
    let before = sandbox.registry_bytes();
    let conflict = sandbox
        .hooks(["add", "--replace", "--name", "chat", "--url", "http://h/2", "--event", "E"])
        .run();
    let said =
        "error: could not replace hook 1 (CHAT): hook 2 has that URL\nhint: see 'hooks show 2'\n";
    conflict.assert(4, "", said);
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn a_disabled_hook_is_enabled() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(410)]);
    let url = receiver.url("/");
    sandbox.add(&url, "E");
    sandbox.hooks(["publish", "E", "{}"]).run().assert_code(3);
    let options = ["--url", &url, "--event", "E"];
    replace(&sandbox, &options, "hook 1 is changed: disabled_reason, enabled");
    assert_eq!(sandbox.hook("1").get("enabled"), None);
    assert_eq!(sandbox.hook("1")["last_code"], 410, "its last delivery stays");
    replace(&sandbox, &options, "hook 1 is unchanged");
}

#[test]
fn a_secret_stays_unless_another_is_given() {
    let sandbox = Sandbox::new();
    let options = ["--url", "http://h/", "--event", "E"];
    let generate = |note: &str| {
        let replaced =
            sandbox.hooks(["add", "--replace", "--generate-secret", "--json"]).args(options).run();
        replaced.assert_code(0).assert_stderr_has(&[note]);
        replaced.json().get("secret").map(|secret| secret.as_str().unwrap().to_owned())
    };
    let first = generate("hook 1 is added").expect("it is shown this once");
    assert_eq!(generate("hook 1 is unchanged"), None, "it has one");
    replace(&sandbox, &options, "hook 1 is unchanged");
    sandbox.write("secret", SECRET);
    let with_file = [&options[..], &["--secret-file", "secret"]].concat();
    replace(&sandbox, &with_file, "hook 1 is changed: secrets");
    let secrets = sandbox.hook("1")["secrets"].clone();
    assert_eq!(secrets[0], json!({"secret": SECRET}));
    assert_eq!(secrets[1]["secret"], *first, "it goes on signing for a day");
    replace(&sandbox, &with_file, "hook 1 is unchanged");
}

#[test]
fn its_id_its_last_delivery_and_later_keys_stay() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let url = receiver.url("/");
    let text =
        format!(r#"{{"version":1,"hooks":[{{"id":7,"url":"{url}","event":"E","later":1e400}}]}}"#);
    sandbox.write("hooks.json", text);
    sandbox.hooks(["publish", "E", "{}"]).run().assert_code(0);
    replace(
        &sandbox,
        &["--url", &url, "--event", "F", "--name", "x"],
        "hook 7 (x) is changed: event, name",
    );
    let text = String::from_utf8(sandbox.registry_bytes()).unwrap();
    assert!(text.contains("\"later\": 1e400") && text.contains("\"last_code\": 200"), "{text}");
    replace(
        &sandbox,
        &["--url", "http://h/", "--event", "F", "--name", "x"],
        "hook 7 (x) is changed: url",
    );
    let text = String::from_utf8(sandbox.registry_bytes()).unwrap();
    assert!(text.contains("\"later\": 1e400") && !text.contains("last_"), "{text}");
}

#[test]
fn what_add_refuses_it_refuses() {
    let sandbox = Sandbox::new();
    for options in [
        &["--url", "h", "--event", "E"][..],
        &["--url", "http://h/"],
        &["--url", "http://h/", "--event", "E", "--when", "a b"],
        &["--url", "http://h/", "--event", "E", "--name", "1"],
    ] {
        sandbox.hooks(["add", "--replace"]).args(options).run().assert_code(2);
    }
    assert!(!sandbox.has("hooks.json"));
}
