//! What a publish prints: a line a delivery, `--json`, `--quiet`, `--verbose`, the live line on a terminal.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{DEPLOYMENT, Receiver, Reply, Sandbox, needs, refused_url, wait_until};

#[test]
fn a_result_line_comes_as_each_delivery_ends() {
    let sandbox = Sandbox::new();
    let (quick, slow) = (Receiver::new(), Receiver::answering([Reply::status(404).held()]));
    sandbox.add(&slow.url("/slow"), "PostDeployment");
    sandbox.add(&quick.url("/quick"), "PostDeployment");
    let publish = sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT]).spawn();
    let line = publish.stdout_line("/quick");
    assert!(line.contains("delivered") && line.contains("hook 2"), "{line}");
    assert_eq!(slow.wait_for(1).len(), 1, "while the other one is still awaited");
    slow.release();
    let published = publish.wait();
    published.assert_code(3);
    assert!(!published.stdout.contains('\u{1b}') && !published.stderr.contains('\u{1b}'));
    assert!(!published.stderr.contains('\r'), "no progress off a terminal");
}

#[test]
fn quiet_shows_only_what_failed() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.hooks(["publish", "PostDeployment", "{}", "--quiet"]).run().assert(0, "", "");
    sandbox.hooks(["publish", "Nothing", "{}", "-q"]).run().assert(0, "", "");
    sandbox.add(refused_url(), "PostDeployment");
    let failed = sandbox.hooks(["publish", "PostDeployment", "{}", "-q", "--retries", "0"]).run();
    failed.assert_code(3);
    let said = format!("{}{}", failed.stdout, failed.stderr);
    assert!(said.contains("hook 2") && !said.contains("hook 1"), "{said}");
    sandbox
        .hooks(["publish", "PostDeployment", "[]", "-q"])
        .run()
        .assert_code(1)
        .assert_stderr_has(&["error: "]);
    sandbox.hooks(["list", "-q", "-v"]).run().assert_code(2);
}

#[test]
fn verbose_shows_each_attempt_and_each_hook_that_was_skipped() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(503), Reply::status(200)]);
    let other = Receiver::never();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.add_with(&other.url("/filtered"), "PostDeployment", ["--status", "failed"]);
    sandbox.add(&other.url("/disabled"), "PostDeployment");
    sandbox.hooks(["edit", "3", "--disable"]).run().assert_code(0);
    let published = sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT, "--verbose"]).run();
    published.assert_code(0).assert_stderr_has(&["503", "hook 2", "hook 3", "disabled"]);
}

#[test]
fn on_a_terminal_a_line_shows_the_deliveries_that_are_awaited() {
    if !needs("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    sandbox.add(&receiver.url("/awaited"), "PostDeployment");
    let script = r#"script -qec "'$1' publish PostDeployment '{}'" /dev/null; echo "code $?""#;
    let publish = sandbox.hooks::<&str>([]).shell(script).env("TERM", "xterm-256color").spawn();
    receiver.wait_for(1);
    // A line that is drawn again has no end that could be awaited, so time has to pass.
    std::thread::sleep(std::time::Duration::from_millis(2500));
    receiver.release();
    let published = publish.wait();
    let drawn = published.stdout.matches('\r').count();
    assert!(drawn >= 2, "drawn {drawn} times: {:?}", published.stdout);
    assert!(
        published.stdout.contains("awaited") || published.stdout.contains("waiting"),
        "{:?}",
        published.stdout
    );
    let last_lines = published.stdout.rsplit("\u{1b}[").next().unwrap_or_default().to_owned();
    assert!(last_lines.ends_with("code 0\n"), "{last_lines:?}");
}

#[test]
fn each_delivery_is_a_line_of_text() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    let bad = Receiver::answering([Reply::status(404).body("no such\nchannel")]);
    let moved = Receiver::answering([
        Reply::status(302).header("location", "https://new.example/cb?key=hush")
    ]);
    sandbox.add(
        &good.url_as("http://user:hush@127.0.0.1", "/T0AB12CD34EF56GH78?k=hush"),
        "PostDeployment",
    );
    sandbox.add(&bad.url("/"), "PostDeployment");
    sandbox.add(&moved.url("/"), "PostDeployment");
    sandbox.add(refused_url(), "PostDeployment");
    let publish = ["publish", "PostDeployment", "{}", "--retries", "1"];
    sandbox.hooks(publish).run().sorted().assert(
        3,
        "\
delivered  hook 1  http://user:***@127.0.0.1:[PORT]/***?k=***  200 OK ([MS])
failed     hook 2  http://127.0.0.1:[PORT]/  404 Not Found: no such\\nchannel ([MS])
failed     hook 3  http://127.0.0.1:[PORT]/  302 Found: redirects to https://new.example/cb?key=***, which is not followed ([MS])
failed     hook 4  http://127.0.0.1:9/refused  connection refused (2 attempts, [MS])
",
        "note: 3 not delivered; to send again: hooks redeliver --failed\n",
    );
}

#[test]
fn the_json_of_a_publication_tells_of_every_delivery() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    let bad = Receiver::answering([Reply::status(404).body("no such channel")]);
    let url = good.url_as("http://u:p@127.0.0.1", "/u:p?k=v");
    sandbox.add(&url, "PostDeployment");
    sandbox.add(&bad.url("/"), "PostDeployment");
    sandbox.add(refused_url(), "PostDeployment");
    let published =
        sandbox.hooks(["publish", "PostDeployment", "{}", "--json", "--retries", "0"]).run();
    published.assert_code(3);
    let publication = published.json();
    assert_eq!(publication["event"], "PostDeployment");
    let deliveries = publication["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 3);
    let of =
        |hook: u64| deliveries.iter().find(|delivery| delivery["hook"] == hook).unwrap().clone();
    let mut delivered = of(1);
    assert!(delivered["duration_ms"].is_u64(), "{delivered}");
    delivered.as_object_mut().unwrap().remove("duration_ms");
    assert_eq!(
        delivered,
        json!({
            "hook": 1,
            "url": url,
            "delivered": true,
            "state": "delivered",
            "status": "OK",
            "code": 200,
            "reason": "delivered",
            "attempts": 1,
        })
    );
    assert_eq!(
        (&of(2)["delivered"], &of(2)["status"], &of(2)["code"], &of(2)["reason"]),
        (&json!(false), &json!("Not Found"), &json!(404), &json!("no such channel"))
    );
    assert_eq!((&of(3)["delivered"], &of(3)["status"]), (&json!(false), &json!("Failure")));
    assert_eq!(of(3).get("code"), None);
    assert!(of(3)["reason"].as_str().unwrap().to_lowercase().contains("refused"), "{}", of(3));
    let nobody = sandbox.hooks(["publish", "Nothing", "{}", "--json"]).run();
    nobody.assert_code(0);
    assert_eq!(nobody.json()["deliveries"], json!([]));
}

#[test]
#[cfg(unix)]
fn with_standard_output_and_error_closed_it_delivers_and_records() {
    for script in [
        r#""$@" >&- 2>&-"#,
        r#""$@" >&- 2>&- <&-"#,
        r#""$@" > /dev/full 2> /dev/full"#,
        r#"{ sleep 0.2; "$@"; echo $? > code; } 2>&1 | true; read -r code < code; exit "$code""#,
    ] {
        let sandbox = Sandbox::new();
        let receiver = Receiver::new();
        let id = sandbox.add(&receiver.url("/"), "PostDeployment");
        let published =
            sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT]).shell(script).run();
        receiver.request();
        assert_eq!(sandbox.hook(&id)["last_status"], "OK", "{script}");
        assert_eq!(sandbox.log()[0]["state"], "delivered", "{script}");
        assert!(matches!(published.code(), Some(0 | 1)), "{script}: {:?}", published.status);
    }
}

/// A pipe that nobody reads, but that is not closed either: git keeps such a pipe for a hook whose push client was
/// killed.
#[test]
fn more_lines_than_a_pipe_holds_do_not_stop_a_publish() {
    let sandbox = Sandbox::new();
    let mut hooks = String::new();
    for id in 1..=600 {
        let separator = if id == 1 { "" } else { "," };
        // 600 lines of over 150 bytes are more than the 64 KiB of a pipe.
        let path = "a-long-path/".repeat(10);
        let _ = write!(
            hooks,
            r#"{separator}{{"id":{id},"url":"http://127.0.0.1:9/{path}{id}","event":"E"}}"#
        );
    }
    sandbox.write("hooks.json", format!(r#"{{"version":1,"hooks":[{hooks}]}}"#));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut publish = Command::new(env!("CARGO_BIN_EXE_hooks"))
        .args(["publish", "E", "{}", "--retries", "0", "--deadline", "50s"])
        .env("HOOKS_FILE", sandbox.path().join("hooks.json"))
        .current_dir(sandbox.path())
        .stdin(Stdio::null())
        .stdout(writer.try_clone().expect("a second writer"))
        .stderr(writer)
        .spawn()
        .expect("hooks starts");
    // If the full pipe stopped it, it would never end.
    let mut status = None;
    wait_until(|| {
        status = publish.try_wait().expect("hooks can be waited for");
        status.is_some()
    });
    let status = status.expect("it has ended");
    assert_eq!(status.code(), Some(3));
    drop(reader);
    let log = sandbox.hooks(["log", "--json", "-n", "1000"]).run();
    assert_eq!(log.stdout.matches(r#""state":"failed""#).count(), 600);
    assert_eq!(sandbox.hook("600")["last_status"], "Failure");
}
