//! `hooks add`: what is registered, what is the same hook, what is refused.

mod arguments;
mod events;
mod from_files;
mod replace;
mod services;
mod templates;

use serde_json::json;

use crate::support::Sandbox;

#[test]
fn the_first_hook_makes_the_registry() {
    let sandbox = Sandbox::new();
    let added = sandbox.hooks_add("https://example.com/cb", "PostDeployment").arg("--json").run();
    added.assert_code(0);
    assert_eq!(added.stderr, "");
    assert_eq!(
        sandbox.registry(),
        json!({
            "version": 1,
            "next_id": 2,
            "hooks": [{
                "id": 1,
                "url": "https://example.com/cb",
                "event": "PostDeployment",
                "insecure_ssl": false,
            }],
        })
    );
}

#[test]
fn every_option_is_stored_and_the_json_keys_keep_their_order() {
    let sandbox = Sandbox::new();
    sandbox.write("ca.pem", crate::support::Identity::from_private_ca().ca_pem);
    let added = sandbox
        .hooks_add("https://user:pw@example.com/cb?key=v", "deploy.production")
        .args(["--insecure-ssl", "--status", "failed, success", "--header", "X-Team: ops"])
        .args([
            "--header",
            "Authorization: Bearer tell-nobody",
            "--ca-file",
            "ca.pem",
            "--format",
            "slack",
        ])
        .args(["--generate-secret", "--json"])
        .run();
    added.assert_code(0).assert_hides("tell-nobody").assert_hides("ops");
    let keys: Vec<_> = added.json().as_object().unwrap().keys().cloned().collect();
    // serde_json without preserve_order sorts them, so the order is looked for in the text.
    let mut places: Vec<_> =
        keys.iter().map(|key| added.stdout.find(&format!("\"{key}\":")).unwrap()).collect();
    places.sort_unstable();
    let in_order: Vec<_> =
        places.iter().map(|place| added.stdout[place + 1..].split('"').next().unwrap()).collect();
    assert_eq!(
        in_order,
        [
            "id",
            "url",
            "event",
            "insecure_ssl",
            "status",
            "format",
            "headers",
            "ca_file",
            "signed",
            "secret"
        ]
    );
    let answer = added.json();
    assert_eq!(answer["url"], "https://user:pw@example.com/cb?key=v");
    assert_eq!(answer["status"], json!(["failed", "success"]));
    assert_eq!(answer["headers"], json!({"X-Team": "***", "Authorization": "***"}));
    assert_eq!(answer["signed"], true);
    let secret = answer["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");

    let hook = sandbox.hook("1");
    assert_eq!(hook["headers"], json!({"X-Team": "ops", "Authorization": "Bearer tell-nobody"}));
    assert_eq!(hook["ca_file"].as_str().unwrap().as_bytes(), sandbox.read("ca.pem"));
    assert!(hook.to_string().contains(secret), "the secret is stored: {hook}");

    // The secret is shown once, and never again.
    for arguments in [&["show", "1", "--json"][..], &["show", "1"], &["list", "--json"], &["list"]]
    {
        sandbox
            .hooks(arguments)
            .run()
            .assert_code(0)
            .assert_hides(secret)
            .assert_hides("tell-nobody");
    }
}

#[test]
fn adding_the_same_url_and_event_twice_gives_the_same_hook() {
    let sandbox = Sandbox::new();
    let add = ["add", "--url", "https://Example.com/Cb", "--event", "PostDeployment", "--json"];
    let first = sandbox.hooks(add).run();
    first.assert_code(0);
    let before = sandbox.registry_bytes();
    for (url, event) in [
        ("https://Example.com/Cb", "PostDeployment"),
        ("HTTPS://example.COM/Cb", "PostDeployment"),
        ("https://example.com/Cb", "postDEPLOYMENT"),
    ] {
        let again = sandbox.hooks_add(url, event).arg("--json").run();
        again.assert(0, &first.stdout, "note: hook 1 is registered already\n");
        assert_eq!(sandbox.registry_bytes(), before);
    }
}

#[test]
fn adding_again_with_the_same_options_is_no_conflict() {
    let sandbox = Sandbox::new();
    let add = [
        "add",
        "--url",
        "https://h.example/",
        "--event",
        "E",
        "--status",
        "failed",
        "--header",
        "X-A: 1",
    ];
    sandbox.hooks(add).run().assert_code(0);
    let before = sandbox.registry_bytes();
    sandbox.hooks(add).run().assert_code(0);
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn a_path_in_another_case_is_another_url() {
    let sandbox = Sandbox::new();
    for url in [
        "https://h.example/a",
        "https://h.example/A",
        "https://h.example/a/",
        "https://U@h.example/a",
    ] {
        sandbox.add(url, "PostDeployment");
    }
    assert_eq!(sandbox.ids(), ["1", "2", "3", "4"]);
}

#[test]
fn adding_a_disabled_hook_again_leaves_it_disabled_and_says_so() {
    let sandbox = Sandbox::new();
    let id = sandbox.add("https://h.example/", "PostDeployment");
    sandbox.hooks(["edit", &id, "--disable"]).run().assert_code(0);
    let again = sandbox.hooks_add("https://h.example/", "PostDeployment").run();
    again.assert_code(0).assert_stderr_has(&["hook 1", "disabled", "hooks edit 1 --enable"]);
    assert_eq!(sandbox.hook(&id)["enabled"], false);
}

#[test]
fn the_same_url_for_another_event_is_a_conflict_that_leaves_the_file_as_it_was() {
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/", "PostDeployment");
    let before = sandbox.registry_bytes();
    let conflict = sandbox.hooks_add("https://h.example/", "Other").run();
    conflict.assert_code(4).assert_stderr_has(&[
        "error: ",
        "hook 1",
        "PostDeployment",
        "hooks edit 1 --event 'PostDeployment,Other'",
    ]);
    assert_eq!(conflict.stdout, "");
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn the_same_hook_with_other_options_is_a_conflict_that_names_the_edit() {
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/", "PostDeployment");
    sandbox.write("secret", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n");
    sandbox.write("t.json", r#"{"a": {{ id }} }"#);
    let before = sandbox.registry_bytes();
    for (option, edit) in [
        (&["--insecure-ssl"][..], "hooks edit 1 --insecure-ssl"),
        (&["--status", "failed"], "hooks edit 1 --status 'failed'"),
        (&["--header", "X-A: 1"], "hooks edit 1 --header"),
        (&["--generate-secret"], "hooks edit 1 --generate-secret"),
        (&["--secret-file", "secret"], "hooks edit 1 --secret-file"),
        (&["--format", "slack"], "hooks edit 1 --format slack"),
        (&["--template", "t.json"], "hooks edit 1 --template"),
    ] {
        let conflict = sandbox.hooks_add("https://h.example/", "PostDeployment").args(option).run();
        conflict
            .assert_code(4)
            .assert_stderr_has(&["error: ", "hook 1", edit])
            .assert_hides("whsec_");
        assert_eq!(sandbox.registry_bytes(), before, "{option:?}");
    }
}

#[test]
fn adding_without_an_option_that_the_hook_has_is_a_conflict() {
    let sandbox = Sandbox::new();
    sandbox.add_with("https://h.example/", "PostDeployment", ["--insecure-ssl"]);
    let conflict = sandbox.hooks_add("https://h.example/", "PostDeployment").run();
    conflict.assert_code(4).assert_stderr_has(&["hook 1", "hooks edit 1 --insecure-ssl=false"]);
}

#[test]
fn a_valid_url_is_kept_as_it_was_written() {
    let sandbox = Sandbox::new();
    for url in [
        "http://h",
        "HTTPS://Example.com:65535/a?b=c#d",
        "http://user:p%40ss@127.0.0.1:1/",
        "http://[::1]:9000/cb",
        "https://xn--bcher-kva.example/%7Ecb",
    ] {
        let id = sandbox.add(url, "PostDeployment");
        assert_eq!(sandbox.hook(&id)["url"], url);
    }
}

#[test]
fn a_secret_comes_from_a_file_or_standard_input_and_is_never_shown() {
    let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let sandbox = Sandbox::new();
    sandbox.write("secret", format!("{secret}\n"));
    let add =
        |url: &str, from: &str| sandbox.hooks_add(url, "E").args(["--secret-file", from, "--json"]);
    let added =
        [add("http://h/file", "secret").run(), add("http://h/stdin", "-").stdin(secret).run()];
    for added in added {
        added.assert_code(0).assert_hides(secret);
        assert_eq!(added.json()["signed"], true);
        assert!(sandbox.hook(&added.json()["id"].to_string()).to_string().contains(secret));
    }
}

#[test]
fn the_text_shows_the_hook_and_its_new_secret_once() {
    let sandbox = Sandbox::new();
    let add = [
        "add",
        "--url",
        "https://user:hush@h.example/cb",
        "--event",
        "PostDeployment",
        "--insecure-ssl",
        "--generate-secret",
    ];
    sandbox.hooks(add).run().assert(
        0,
        "\
id              1
url             https://user:***@h.example/cb
event           PostDeployment
insecure_ssl    true (the receiver's certificate is not checked)
signed          true
secret          [SECRET]
",
        "",
    );
}
