//! The README's commands work: its `sh` blocks are run, in order, in one folder.

use std::process::{Command, Stdio};

use crate::support::{Sandbox, needs};

const README: &str = include_str!("../../README.md");

/// The texts between "```sh" and "```".
fn blocks() -> Vec<&'static str> {
    let after_fence = README.split("\n```sh\n").skip(1);
    after_fence
        .map(|rest| rest.split("\n```").next().unwrap_or(rest))
        .collect()
}

#[test]
fn the_commands_of_the_readme_work_as_they_stand() {
    if !needs("git") {
        return;
    }
    let sandbox = Sandbox::new();
    // The README's port may be in use here, and the receiver has to end with the script.
    let listening = "hooks listen --port 9000 &";
    let port = "hooks listen --port 0 >received 2>address & receiver=$!; trap 'kill $receiver' EXIT
        until grep -q listening address; do kill -0 $receiver; sleep 0.05; done
        PORT=$(sed 's/.*://' address)";
    let mut script = String::from("set -eu\n");
    for block in blocks() {
        let block = block.replace(listening, port).replace(":9000/", ":$PORT/");
        script += &block;
        script += "\n";
    }
    assert!(
        script.contains("PORT=$(") && !script.contains("9000"),
        "{script}"
    );
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_hooks"));
    let folder = binary
        .parent()
        .expect("the binary is in a folder")
        .display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let run = Command::new("sh")
        .args(["-xc", &script])
        .current_dir(sandbox.path())
        .env_clear()
        .envs([
            ("PATH", path.as_str()),
            ("EXAMPLES", examples),
            ("LC_ALL", "C.UTF-8"),
        ])
        .env("HOME", sandbox.path())
        .stdin(Stdio::null())
        .output()
        .expect("sh runs");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    assert!(
        run.status.success(),
        "{}\n--- stdout\n{stdout}\n--- stderr\n{stderr}",
        run.status
    );
    let received = std::fs::read_to_string(sandbox.path().join("received")).unwrap();
    // The push has sent the chat message that the README promises.
    assert!(
        received.contains("Say hello"),
        "{received}\n{stdout}\n{stderr}"
    );
    assert!(
        !stdout.contains("unfinished") && !stdout.contains("failed "),
        "{stdout}"
    );
}
