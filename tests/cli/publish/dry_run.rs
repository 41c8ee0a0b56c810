//! `hooks publish --dry-run`.

use crate::support::{Receiver, Sandbox};

#[test]
fn a_dry_run_prints_the_exact_request_of_each_hook_and_sends_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::never();
    sandbox.add_with(
        &receiver.url_as("http://user:hush@127.0.0.1", "/T0AB12CD34EF56GH78?k=hush"),
        "PostDeployment",
        ["--header", "X-Key: hush"],
    );
    sandbox.add(&receiver.url("/second"), "*");
    sandbox.add(&receiver.url("/other"), "Other");
    let before = (sandbox.names(), sandbox.registry_bytes());
    let publish = ["publish", "PostDeployment", "{ \"n\":1e400,\n\"m\":\"\u{9b}\" }", "--dry-run"];
    let version = env!("CARGO_PKG_VERSION");
    let request = |target: &str, own: &str| {
        format!(
            "\
POST http://{target} HTTP/1.1
host: 127.0.0.1:[PORT]
content-type: application/json
user-agent: hooks/{version}
webhook-id: [ID]
webhook-timestamp: [NUMBER]
webhook-event: PostDeployment
{own}content-length: 23

{{ \"n\":1e400,
\"m\":\"\\u{{9b}}\" }}

"
        )
    };
    let first = request("127.0.0.1:[PORT]/***?k=***", "authorization: ***\nX-Key: ***\n");
    let second = request("127.0.0.1:[PORT]/second", "");
    let dry = sandbox.hooks(publish).run();
    let expected = format!("# hook 1\n{first}# hook 2\n{second}");
    dry.assert(0, &expected, "note: nothing was sent\n");
    let revealed = sandbox.hooks(publish).arg("--reveal").run();
    revealed.assert_code(0);
    assert!(revealed.stdout.contains("T0AB12CD34EF56GH78?k=hush"), "{}", revealed.stdout);
    assert_eq!((sandbox.names(), sandbox.registry_bytes()), before);
}

#[test]
fn a_dry_run_refuses_what_a_real_one_would() {
    let sandbox = Sandbox::new();
    sandbox.hooks(["publish", "PostDeployment", "[]", "--dry-run"]).run().assert_code(1);
    let none = sandbox.hooks(["publish", "PostDeployment", "{}", "--dry-run"]).run();
    none.assert_code(0).assert_stderr_has(&["PostDeployment"]);
}
