//! `--template FILE`: the user's own format.

use serde_json::{Value, json};

use crate::support::{Receiver, Sandbox};

const GOOD: &str =
    r#"{"text": {{ status ~ ": " ~ message }}, "n": {{ build }}, "e": {{ event }} }"#;

#[test]
fn it_is_stored_in_the_hook_and_renders_what_is_sent() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let template = sandbox.write("own.json.j2", GOOD);
    let id = sandbox.add_with(&receiver.url("/"), "*", ["--template", "own.json.j2"]);
    std::fs::remove_file(template).unwrap();
    assert_eq!(sandbox.hook(&id)["template"], GOOD);
    let deployment = r#"{"status":"failed","message":"a \"b\"\n{{ c }}","build":12345678901234567890123,"event":"x"}"#;
    sandbox.hooks(["publish", "Backup", deployment]).run().assert_code(0);
    let request = receiver.request();
    assert_eq!(request.the_header("content-type"), "application/json");
    assert_eq!(
        request.json(),
        json!({"text": "failed: a \"b\"\n{{ c }}", "n": "12345678901234567890123", "e": "Backup"})
    );
}

/// `hooks add` with this template, where nothing may be registered.
#[track_caller]
fn refused(template: &[u8], reason: &str) -> String {
    let sandbox = Sandbox::new();
    sandbox.write("own", template);
    let add = ["add", "--url", "http://127.0.0.1:9/cb", "--event", "E"];
    let refused = sandbox.hooks(add).args(["--template", "own"]).run();
    refused.assert_code(2).assert_stderr_has(&["error: could not use the template own: ", reason]);
    assert_eq!(refused.stdout, "");
    assert!(!sandbox.has("hooks.json"));
    refused.stderr
}

#[test]
fn a_broken_template_is_refused_with_its_line() {
    refused(b"{\n{% if %}\n}", "line 2: syntax error");
    refused(b"{\"a\":\n\n{{ status|nope }} }", "line 3: unknown filter");
    refused(b"{% include '/etc/passwd' %}", "syntax error");
    refused(b"{{ message + 1 }}", "invalid operation");
    refused(
        b"{% for x in range(90000) %}{% for y in range(90000) %}{% endfor %}{% endfor %}1",
        "too much work",
    );
}

#[test]
fn a_template_that_does_not_give_json_is_refused() {
    let said = refused(br#"{"text": "{{ message }}"}"#, "yields no JSON");
    assert_eq!(said.matches("values bring their own quotes").count(), 1, "{said}");
    refused(b"", "yields no JSON");
    refused(b"text={{ message }}", "yields no JSON");
    // JSON for a success alone.
    refused(br#"{% if status == "failed" %}oops{% else %}1{% endif %}"#, "yields no JSON");
}

#[test]
fn a_template_over_64_kib_is_refused() {
    let sized = |size: usize| format!("{{{{ event }}}}{}", " ".repeat(size - 11));
    let said = refused(sized(64 * 1024 + 1).as_bytes(), "65537 bytes");
    assert!(!said.contains("quotes"), "that would be no help: {said}");
    refused(sized(2 * 1024 * 1024).as_bytes(), "");
    let sandbox = Sandbox::new();
    sandbox.write("own", sized(64 * 1024));
    sandbox.add_with("http://127.0.0.1:9/cb", "E", ["--template", "own"]);
}

#[test]
fn a_template_that_is_no_text_or_not_there_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("latin", b"{\"a\": \"\xe9\"}");
    let add = ["add", "--url", "http://127.0.0.1:9/cb", "--event", "E", "--template"];
    for file in ["latin", "absent", "."] {
        let refused = sandbox.hooks(add).arg(file).run();
        assert!([Some(1), Some(2)].contains(&refused.code()));
        refused.assert_stderr_has(&[&format!("error: could not use the template {file}: ")]);
    }
    assert!(!sandbox.has("hooks.json"));
}

#[test]
fn edit_refuses_it_too_and_keeps_what_was_there() {
    let sandbox = Sandbox::new();
    sandbox.write("good", GOOD);
    sandbox.write("bad", "{{ nope");
    let id = sandbox.add_with("http://127.0.0.1:9/cb", "E", ["--template", "good"]);
    let before = sandbox.registry_bytes();
    sandbox.hooks(["edit", &id, "--template", "bad"]).run().assert_code(2);
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn a_format_takes_the_place_of_a_template_and_the_other_way_round() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.write("own", r#"{"own": {{ status }} }"#);
    let id = sandbox.add_with(&receiver.url("/"), "E", ["--format", "slack"]);
    let edit = |options: [&str; 2]| -> Value {
        sandbox.hooks(["edit", &id]).args(options).run().assert_code(0);
        sandbox.hooks(["publish", "E", r#"{"status":"success"}"#]).run().assert_code(0);
        receiver.requests().pop().unwrap().json()
    };
    assert_eq!(edit(["--template", "own"]), json!({"own": "success"}));
    assert_eq!(sandbox.hook(&id)["format"], Value::Null);
    assert!(edit(["--format", "discord"])["embeds"].is_array());
    assert_eq!(sandbox.hook(&id)["template"], Value::Null);
    assert_eq!(edit(["--format", "raw"]), json!({"status": "success"}));
}

#[test]
fn a_deployment_that_its_template_cannot_take_fails_that_hook_alone() {
    let (sandbox, own, plain) = (Sandbox::new(), Receiver::new(), Receiver::new());
    sandbox.write("own", r#"{"next": {{ build + 1 }} }"#);
    let id = sandbox.add_with(&own.url("/"), "E", ["--template", "own"]);
    sandbox.add(&plain.url("/"), "E");
    sandbox.hooks(["publish", "E", r#"{"build":41}"#]).run().assert_code(0);
    assert_eq!(own.request().json(), json!({"next": 42}));
    let failed = sandbox.hooks(["publish", "E", r#"{"build":"x"}"#]).run();
    failed.assert_code(3);
    assert!(failed.stdout.contains("the template fails in line 1"), "{}", failed.stdout);
    assert_eq!(own.count(), 1);
    assert_eq!(plain.count(), 2);
    assert_eq!(sandbox.hook(&id)["last_status"], "Failure");
}
