//! A pipe that nobody reads any more, but that is not closed either, holds nothing up: git keeps such a pipe to a
//! hook whose push client was killed.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use crate::support::{Sandbox, wait_until};

#[test]
fn more_lines_than_a_pipe_takes_keep_nobody_from_delivering_and_recording() {
    let sandbox = Sandbox::new();
    let mut hooks = String::new();
    for id in 1..=600 {
        let separator = if id == 1 { "" } else { "," };
        // A refused address is as good an outcome as any; 600 lines of over 150 bytes are more than 64 KiB.
        let path = "a-long-path/".repeat(10);
        let _ = write!(
            hooks,
            r#"{separator}{{"id":{id},"url":"http://127.0.0.1:9/{path}{id}","event":"E"}}"#
        );
    }
    sandbox.write(
        "hooks.json",
        format!(r#"{{"version":1,"hooks":[{hooks}]}}"#),
    );
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
    // Where the full pipe holds it up, it would never end by itself.
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
