//! Pushes to a repository whose hook is `examples/post-receive`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Commit, Invocation, PLAIN, Receiver, Reply, Repository, Sandbox, Signal, mkfifo, needs,
};

/// The script as it stands in the repository.
pub(crate) const EXAMPLE: &str = include_str!("../../../examples/post-receive");

/// The line of it that people replace.
const PLACEHOLDER: &str = r#"deploy='echo "deploying $1 at $2"'"#;

/// The script with another deploy command.
pub(crate) fn deploying(command: &str) -> String {
    assert_eq!(EXAMPLE.matches(PLACEHOLDER).count(), 1, "{EXAMPLE}");
    assert!(!command.contains('\''), "it stands between single quotes");
    EXAMPLE.replace(PLACEHOLDER, &format!("deploy='{command}'"))
}

/// A server with the example as its hook, and a receiver that waits for its deployments.
pub(super) struct Server<'a> {
    pub(super) repository: Repository<'a>,
    pub(super) receiver: Receiver,
}

impl<'a> Server<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, hook: &str, receiver: Receiver) -> Self {
        let repository = Repository::new(sandbox);
        repository.install(hook);
        let add = sandbox
            .hooks_add(&receiver.url("/"), "PostDeployment")
            .env("HOOKS_FILE", repository.bare().join("hooks.json"));
        add.run().assert_code(0);
        Self { repository, receiver }
    }

    /// A push by someone who has set nothing of `hooks`, and whose HOME the server does not know.
    pub(super) fn push(&self, refs: &[&str]) -> Invocation<'a> {
        let push = self.repository.push(refs);
        push.without_env("HOOKS_FILE").without_env("HOME").without_env("XDG_CONFIG_HOME")
    }

    /// What was published, by ref.
    fn published(&self) -> BTreeMap<String, Value> {
        let requests = self.receiver.requests();
        let by_ref = requests.iter().map(|request| {
            let deployment = request.json();
            (deployment["ref"].as_str().unwrap_or("no ref").to_owned(), deployment)
        });
        by_ref.collect()
    }

    /// What `log --json` says on the server.
    pub(super) fn log(&self, sandbox: &Sandbox) -> Vec<Value> {
        let log = sandbox
            .hooks(["log", "--json", "-n", "1000"])
            .env("HOOKS_FILE", self.repository.bare().join("hooks.json"))
            .run();
        log.assert(0, &log.stdout, "");
        log.json_lines()
    }
}

#[test]
fn three_branches_pushed_at_once_are_three_publications() {
    let sandbox = Sandbox::new();
    let server = Server::new(&sandbox, EXAMPLE, Receiver::new());
    let commits = [
        (
            "main",
            Commit {
                author: "Jürgen Müller-Łoś 山田",
                email: "jürgen@bücher.example",
                message: "Fix \"quotes\" and 'more' \\ {\"status\":\"failed\"}",
            },
        ),
        (
            "feature/ünïcode",
            Commit {
                author: "$(touch pwned) `touch pwned`",
                email: "o'brien@example.com",
                message: "A subject\n\nTwo lines\nof a body, $(touch pwned) `touch pwned`; touch pwned",
            },
        ),
        (
            "it's-$(touch${IFS}pwned)",
            Commit {
                author: "Zoë",
                email: "zoe@example.com",
                message: "-n --help\r\n\ttabs, {{ jinja }} %s %n and \u{1b}[31mred",
            },
        ),
    ];
    let hashes = commits.map(|(branch, commit)| server.repository.commit(branch, commit));
    let branches = commits.map(|(branch, _)| branch);
    let pushed = server.push(&branches).env("REMOTE_USER", "pusher").run();
    pushed.assert_code(0);
    assert_eq!(server.receiver.count(), 3);
    let published = server.published();
    for ((branch, commit), hash) in commits.iter().zip(&hashes) {
        pushed.assert_stderr_has(&[&format!("remote: deploying {branch} at {hash}")]);
        let deployment = &published[&format!("refs/heads/{branch}")];
        assert_eq!(deployment["id"], json!(hash));
        assert_eq!(deployment["author"], commit.author);
        assert_eq!(deployment["author_email"], commit.email);
        assert_eq!(deployment["message"], commit.message);
        assert_eq!(deployment["deployer"], "pusher");
        assert_eq!(deployment["status"], "success");
    }
    let bare = server.repository.bare();
    assert!(!bare.join("pwned").exists() && !sandbox.has("work/pwned") && !sandbox.has("pwned"));
}

#[test]
fn a_deleted_branch_and_a_tag_in_the_same_push_are_not_published() {
    let sandbox = Sandbox::new();
    let server = Server::new(&sandbox, EXAMPLE, Receiver::new());
    server.repository.commit("old", PLAIN);
    server.push(&["old"]).run().assert_code(0);
    let hash = server.repository.commit("new", PLAIN);
    server.repository.commit("another", PLAIN);
    server.repository.git(&server.repository.work(), &["tag", "-a", "-m", "tag", "v1"]);
    let pushed = server.push(&["new", ":old", "v1", "another"]).run();
    pushed.assert_code(0);
    assert!(!pushed.stderr.contains("error:"), "{}", pushed.stderr);
    let published = server.published();
    let refs: Vec<_> = published.keys().collect();
    assert_eq!(refs, ["refs/heads/another", "refs/heads/new", "refs/heads/old"]);
    assert_eq!(published["refs/heads/new"]["id"], json!(hash));
    assert_eq!(server.receiver.count(), 3);
}

#[test]
fn a_receiver_that_hangs_delays_the_push_by_the_deadline_at_most() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent()]);
    let server = Server::new(&sandbox, EXAMPLE, receiver);
    server.repository.commit("main", PLAIN);
    let pushed = server.push(&["main"]).env("HOOKS_DEADLINE", "2s").run();
    pushed
        .assert_code(0)
        .assert_took(Duration::from_secs(1), Duration::from_secs(6))
        .assert_stderr_has(&["remote: deploying main at", "remote: failed     hook 1"]);
    let log = server.log(&sandbox);
    assert_eq!(log.len(), 1);
    assert_eq!(log[0]["state"], "failed");
}

#[test]
fn the_example_sets_a_deadline_itself() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent()]);
    let server = Server::new(&sandbox, EXAMPLE, receiver);
    server.repository.commit("main", PLAIN);
    let pushed = server.push(&["main"]).run();
    pushed.assert_code(0).assert_took(Duration::from_secs(5), Duration::from_secs(20));
}

#[test]
fn a_push_whose_client_is_killed_is_deployed_and_published_to_the_end() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    // git stops reading from a hook whose client has gone, so more output than a pipe holds could block the hook.
    let hook = deploying("head -c 100000 /dev/zero; echo");
    let server = Server::new(&sandbox, &hook, receiver);
    for branch in ["a", "b", "c"] {
        server.repository.commit(branch, PLAIN);
    }
    // Each process that the push starts has this pipe open, so its end tells that all have ended.
    mkfifo(&sandbox, "held");
    let held = sandbox.path().join("held");
    let push = server
        .push(&["a", "b", "c"])
        .shell(r#"shift; exec git "$@" 9>"$HELD""#)
        .env("HELD", &held)
        .spawn();
    let (ended, descendants) = mpsc::channel();
    thread::spawn(move || {
        File::open(held).unwrap().read_to_end(&mut Vec::new()).unwrap();
        ended.send(())
    });
    server.receiver.wait_for(1);
    push.signal(Signal::Kill);
    push.wait();
    server.receiver.release();
    let all_ended = descendants.recv_timeout(Duration::from_secs(30));
    assert!(all_ended.is_ok(), "something still runs or hangs");
    let published = server.published();
    assert_eq!(published.len(), 3);
    assert!(published.values().all(|deployment| deployment["status"] == "success"));
    let registry = std::fs::read(server.repository.bare().join("hooks.json")).unwrap();
    let registry: Value = serde_json::from_slice(&registry).unwrap();
    assert_eq!(registry["hooks"][0]["last_status"], "OK");
    let log = server.log(&sandbox);
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|entry| entry["state"] == "delivered"), "{log:#?}");
    assert!(!server.repository.bare().join("hooks.json.tmp").exists());
}

#[test]
fn a_deployment_that_fails_is_published_as_such_and_the_push_succeeds() {
    let sandbox = Sandbox::new();
    let hook = deploying("echo \"disk full\" >&2\nfalse\necho \"not reached\"");
    let server = Server::new(&sandbox, &hook, Receiver::new());
    server.repository.commit("main", PLAIN);
    let pushed = server.push(&["main"]).run();
    pushed.assert_code(0).assert_stderr_has(&["remote: disk full"]);
    assert!(!pushed.stderr.contains("not reached"));
    assert_eq!(server.published()["refs/heads/main"]["status"], "failed");
}

#[test]
fn of_a_long_output_of_the_deployment_the_end_is_shown() {
    let sandbox = Sandbox::new();
    let hook = deploying(r#"echo "the start"; yes "a line" | head -n 100000; echo "the end""#);
    let server = Server::new(&sandbox, &hook, Receiver::new());
    server.repository.commit("main", PLAIN);
    let pushed = server.push(&["main"]).run();
    pushed.assert_code(0).assert_stderr_has(&["remote: the end", "remote: delivered"]);
    assert!(!pushed.stderr.contains("the start"));
}

#[test]
fn a_deploy_command_that_reads_its_input_hides_no_branch() {
    let sandbox = Sandbox::new();
    let server = Server::new(&sandbox, &deploying("cat"), Receiver::new());
    for branch in ["a", "b", "c"] {
        server.repository.commit(branch, PLAIN);
    }
    server.push(&["a", "b", "c"]).run().assert_code(0);
    assert_eq!(server.published().len(), 3);
}

#[test]
fn a_program_that_the_deployment_leaves_running_does_not_hold_the_push() {
    let sandbox = Sandbox::new();
    let hook = deploying(r#"sleep 300 & echo $! >"$PIDS"; echo started"#);
    let server = Server::new(&sandbox, &hook, Receiver::new());
    server.repository.commit("main", PLAIN);
    let push = server.push(&["main"]).env("PIDS", sandbox.path().join("pid"));
    let pushed = push.run();
    let pid = String::from_utf8(sandbox.read("pid")).unwrap();
    let killed = Command::new("kill").arg(pid.trim()).status().unwrap();
    assert!(killed.success(), "it was running until now");
    pushed
        .assert_code(0)
        .assert_took(Duration::ZERO, Duration::from_secs(30))
        .assert_stderr_has(&["remote: started"]);
    assert_eq!(server.published()["refs/heads/main"]["status"], "success");
}

#[test]
fn a_site_is_checked_out_with_readable_files_under_any_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    for umask in ["000", "022", "077", "0777"] {
        let sandbox = Sandbox::new();
        let hook = deploying(
            r#"mkdir -p "$SITES/$1" && git --work-tree="$SITES/$1" checkout --force "$1""#,
        );
        let server = Server::new(&sandbox, &hook, Receiver::new());
        std::fs::write(server.repository.work().join("index.html"), "hello").unwrap();
        server.repository.git(&server.repository.work(), &["add", "index.html"]);
        server.repository.commit("main", PLAIN);
        // For the hook alone: git itself does not work under every umask.
        let hook = server.repository.bare().join("hooks/post-receive");
        let script = std::fs::read_to_string(&hook).unwrap();
        let script = script.replacen('\n', &format!("\numask {umask}\n"), 1);
        std::fs::write(&hook, script).unwrap();
        let sites = sandbox.path().join("sites");
        let pushed = server.push(&["main"]).env("SITES", &sites).run();
        pushed.assert_code(0);
        let page = sites.join("main/index.html");
        let mode = std::fs::metadata(&page).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "umask {umask}");
        for file in ["hooks.json", "hooks.json.journal", "hooks.json.lock"] {
            let file = server.repository.bare().join(file);
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "umask {umask}: {}", file.display());
        }
        assert_eq!(server.published()["refs/heads/main"]["status"], "success");
    }
}

#[test]
fn without_a_registry_or_with_a_damaged_one_it_deploys() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox);
    repository.install(EXAMPLE);
    let push = |branch: &str| {
        repository.commit(branch, PLAIN);
        let pushed = repository.push(&[branch]).without_env("HOOKS_FILE").run();
        pushed.assert_code(0);
        pushed.assert_stderr_has(&[&format!("remote: deploying {branch} at")]);
        pushed.stderr
    };
    let said = push("main");
    assert!(said.contains("no hook is to be called for PostDeployment"), "{said}");
    sandbox.write("site.git/hooks.json", "{ broken");
    let said = push("next");
    assert!(said.contains("warning: ") && said.contains("hooks.json"), "{said}");
    assert_eq!(sandbox.read("site.git/hooks.json"), b"{ broken");
}

#[test]
fn every_posix_shell_runs_the_example() {
    for shell in ["dash", "bash --posix", "bash"] {
        let (program, _) = shell.split_once(' ').unwrap_or((shell, ""));
        if !needs(program) {
            continue;
        }
        let sandbox = Sandbox::new();
        let hook = EXAMPLE.replacen("#!/bin/sh", &format!("#!/usr/bin/env -S {shell}"), 1);
        let server = Server::new(&sandbox, &hook, Receiver::new());
        server.repository.commit("main", PLAIN);
        server.repository.commit("next", PLAIN);
        server.push(&["main", "next"]).run().assert_code(0);
        assert_eq!(server.published().len(), 2, "{shell}");
    }
}
