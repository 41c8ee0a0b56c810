//! `hooks show`.

use serde_json::json;

use crate::support::{Receiver, Reply, Sandbox};

#[test]
fn a_hook_is_shown_whole_as_json_with_nothing_but_what_it_holds() {
    let sandbox = Sandbox::new();
    sandbox.add("https://user:pw@h.example/cb", "PostDeployment");
    let shown = sandbox.hooks(["show", "1", "--json"]).run();
    shown.assert_code(0);
    assert_eq!(
        shown.json(),
        json!({
            "id": 1,
            "url": "https://user:pw@h.example/cb",
            "event": "PostDeployment",
            "insecure_ssl": false,
        })
    );
    assert_eq!(shown.stderr, "");
}

#[test]
fn an_id_that_no_hook_has_is_exit_code_5() {
    let sandbox = Sandbox::new();
    let unknown = sandbox.hooks(["show", "7"]).run();
    unknown.assert_code(5).assert_stderr_has(&["error: ", "7", "hint: ", "hooks list"]);
    sandbox.add("https://h.example/", "PostDeployment");
    let unknown = sandbox.hooks(["show", "7", "--json"]).run();
    unknown.assert_code(5).assert_stderr_has(&["error: ", "7"]);
    assert_eq!(unknown.stdout, "");
}

#[test]
fn what_is_neither_an_id_nor_a_name_is_a_wrong_argument() {
    let sandbox = Sandbox::new();
    sandbox
        .hooks(["show", "1one"])
        .run()
        .assert_code(2)
        .assert_stderr_has(&["error: ", "hooks list"]);
}

#[test]
fn the_text_shows_no_secret_unless_reveal_shows_the_url() {
    let sandbox = Sandbox::new();
    sandbox.add_with(
        "https://user:hush@h.example/services/T0AB12CD34EF56GH78/cb?key=hush",
        "PostDeployment",
        ["--header", "X-Key: hush"],
    );
    sandbox
        .hooks(["show", "1"])
        .run()
        .assert_code(0)
        .assert_hides("hush")
        .assert_hides("T0AB12CD34EF56GH78");
    let revealed = sandbox.hooks(["show", "1", "--reveal"]).run();
    revealed.assert_code(0).assert_hides("X-Key: hush");
    assert!(
        revealed
            .stdout
            .contains("https://user:hush@h.example/services/T0AB12CD34EF56GH78/cb?key=hush")
    );
}

#[test]
fn the_text_shows_every_key_that_is_set() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(410).body("moved\naway")]);
    sandbox.add_with(
        &receiver.url_as("http://user:hush@127.0.0.1", "/cb?key=hush"),
        "PostDeployment",
        [
            "--status",
            "failed,success",
            "--header",
            "X-Key: hush",
            "--header",
            "X-Team: ops",
            "--format",
            "slack",
            "--generate-secret",
        ],
    );
    let shown = |last: &str| {
        sandbox.hooks(["show", "1"]).run().assert(
            0,
            &format!(
                "\
id              1
url             http://user:***@127.0.0.1:[PORT]/cb?key=***
event           PostDeployment
{last}"
            ),
            "",
        );
    };
    let options = "\
status          failed,success
format          slack
header          X-Key: ***
header          X-Team: ***
signed          true
";
    shown(options);
    // The line end after it is shown no more than that of a template.
    let publish = ["publish", "PostDeployment", "{\"status\":\"failed\"}\n"];
    sandbox.hooks(publish).run().assert_code(3);
    shown(&format!(
        "enabled         false
disabled_reason 410 Gone at [TIME]: moved\\naway
{options}last_datetime   [TIME]
last_status     Gone
last_code       410
last_reason     moved\\naway
last_context    {{\"status\":\"failed\"}}
"
    ));
}
