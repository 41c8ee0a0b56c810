//! `hooks edit`.

use serde_json::{Value, json};

use crate::support::{Identity, Sandbox};

fn one_hook() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/a", "PostDeployment");
    sandbox
}

#[test]
fn each_option_changes_that_and_nothing_else() {
    let sandbox = one_hook();
    sandbox.write("ca.pem", Identity::from_private_ca().ca_pem);
    let pem = String::from_utf8(sandbox.read("ca.pem")).unwrap();
    let mut expected = sandbox.hook("1");
    for (options, key, value) in [
        (&["--url", "http://u:p@h.example/b"][..], "url", json!("http://u:p@h.example/b")),
        (&["--event", "Other"], "event", json!("Other")),
        (&["--event", "*"], "event", json!("*")),
        (&["--insecure-ssl"], "insecure_ssl", json!(true)),
        (&["--insecure-ssl=false"], "insecure_ssl", json!(false)),
        (&["--status", "failed,success"], "status", json!(["failed", "success"])),
        (&["--header", "X-A: 1", "--header", "X-B: 2"], "headers", json!({"X-A": "1", "X-B": "2"})),
        (&["--header", "X-A: 3"], "headers", json!({"X-A": "3", "X-B": "2"})),
        (&["--header", "X-A:"], "headers", json!({"X-B": "2"})),
        (&["--ca-file", "ca.pem"], "ca_file", json!(pem)),
        (&["--format", "slack"], "format", json!("slack")),
        (&["--disable"], "enabled", json!(false)),
        (&["--enable"], "enabled", Value::Null),
        (&["--status", ""], "status", Value::Null),
        (&["--header", "x-b:"], "headers", Value::Null),
        (&["--ca-file", ""], "ca_file", Value::Null),
    ] {
        sandbox.hooks(["edit", "1"]).args(options).run().assert_code(0);
        let fields = expected.as_object_mut().unwrap();
        // A default is left out.
        if value.is_null() {
            fields.remove(key)
        } else {
            fields.insert(key.to_owned(), value)
        };
        assert_eq!(sandbox.hook("1"), expected, "{options:?}");
    }
}

#[test]
fn the_changed_hook_is_printed() {
    let sandbox = one_hook();
    let edited = sandbox.hooks(["edit", "1", "--event", "Other", "--json"]).run();
    edited.assert_code(0);
    assert_eq!(edited.json(), sandbox.hook("1"));
    assert_eq!(edited.stderr, "");
}

#[test]
fn an_edit_without_a_change_to_make_is_a_wrong_argument() {
    let sandbox = one_hook();
    let before = sandbox.registry_bytes();
    sandbox.hooks(["edit", "1"]).run().assert_code(2).assert_stderr_has(&["error: "]);
    sandbox.hooks(["edit", "1", "--enable", "--disable"]).run().assert_code(2);
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn an_unknown_id_is_exit_code_5() {
    let sandbox = one_hook();
    let before = sandbox.registry_bytes();
    sandbox
        .hooks(["edit", "2", "--disable"])
        .run()
        .assert_code(5)
        .assert_stderr_has(&["error: ", "2"]);
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn an_edit_cannot_give_a_hook_the_url_of_another() {
    let sandbox = one_hook();
    sandbox.add("https://h.example/b", "PostDeployment");
    let before = sandbox.registry_bytes();
    let conflict = sandbox.hooks(["edit", "2", "--url", "https://H.example/a"]).run();
    conflict.assert_code(4).assert_stderr_has(&["error: ", "hook 1"]);
    assert_eq!(sandbox.registry_bytes(), before);
    // Its own URL is no conflict.
    sandbox
        .hooks(["edit", "2", "--url", "https://h.example/b", "--event", "Other"])
        .run()
        .assert_code(0);
}

#[test]
fn a_refused_value_changes_nothing_and_is_not_quoted() {
    let sandbox = one_hook();
    let before = sandbox.registry_bytes();
    for options in [
        &["--url", "http://u:s3cret@"][..],
        &["--event", "s3cret s3cret"],
        &["--header", "s3cret"],
        &["--insecure-ssl=s3cret"],
        &["--format", "s3cret"],
    ] {
        let refused = sandbox.hooks(["edit", "1"]).args(options).run();
        refused
            .assert_code(2)
            .assert_stderr_has(&["error: ", options[0].split('=').next().unwrap()]);
        refused.assert_hides("s3cret");
    }
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn a_new_secret_is_shown_once_and_no_secret_ends_signing() {
    let sandbox = one_hook();
    let edited = sandbox.hooks(["edit", "1", "--generate-secret", "--json"]).run();
    edited.assert_code(0);
    let secret = edited.json()["secret"].as_str().unwrap().to_owned();
    assert!(sandbox.hook("1").to_string().contains(&secret));
    let other = sandbox.hooks(["edit", "1", "--event", "Other", "--json"]).run();
    other.assert_code(0).assert_hides(&secret);
    assert_eq!(other.json()["signed"], true);
    let unsigned = sandbox.hooks(["edit", "1", "--no-secret", "--json"]).run();
    unsigned.assert_code(0);
    assert_eq!(unsigned.json().get("signed"), None);
    assert!(
        !sandbox.hook("1").to_string().contains(&secret),
        "a secret that signs no more is forgotten"
    );
}

#[test]
fn an_edit_to_what_the_hook_is_already_writes_nothing() {
    let sandbox = one_hook();
    let before = std::fs::metadata(sandbox.path().join("hooks.json")).unwrap().modified().unwrap();
    sandbox.hooks(["edit", "1", "--event", "PostDeployment"]).run().assert_code(0);
    let after = std::fs::metadata(sandbox.path().join("hooks.json")).unwrap().modified().unwrap();
    assert_eq!(before, after);
}
