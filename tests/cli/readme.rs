//! The commands of the README and of its further pages work: their `sh` blocks are run, in order, in one folder.

use std::process::{Command, Stdio};

use crate::support::{Sandbox, needs};

const PAGES: [&str; 3] = [
    include_str!("../../README.md"),
    include_str!("../../docs/receivers.md"),
    include_str!("../../docs/operations.md"),
];

/// The texts between "```sh" and "```".
fn blocks() -> impl Iterator<Item = &'static str> {
    let after_fences = PAGES.iter().flat_map(|page| page.split("\n```sh\n").skip(1));
    after_fences.map(|rest| rest.split("\n```").next().unwrap_or(rest))
}

/// A page that nobody reads to its end tells nobody.
#[test]
fn the_readme_is_no_longer_than_three_hundred_lines() {
    assert!(PAGES[0].lines().count() <= 300);
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
    assert!(script.contains("PORT=$(") && !script.contains("9000"), "{script}");
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_hooks"));
    let folder = binary.parent().expect("the binary is in a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let run = Command::new("sh")
        .args(["-xc", &script])
        .current_dir(sandbox.path())
        .env_clear()
        .envs([("PATH", path.as_str()), ("EXAMPLES", examples), ("LC_ALL", "C.UTF-8")])
        .env("HOME", sandbox.path())
        .stdin(Stdio::null())
        .output()
        .expect("sh runs");
    let (stdout, stderr) =
        (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{}\n--- stdout\n{stdout}\n--- stderr\n{stderr}", run.status);
    let received = std::fs::read_to_string(sandbox.path().join("received")).unwrap();
    // The push has sent the chat message that the README promises.
    assert!(received.contains("Say hello"), "{received}\n{stdout}\n{stderr}");
    assert!(!stdout.contains("unfinished") && !stdout.contains("failed "), "{stdout}");
}
