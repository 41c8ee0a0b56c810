//! A push over smart HTTP: `git http-backend` behind a web server, as on a host without shell accounts.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::push::{EXAMPLE, deploying};
use crate::support::{Commit, Output, PLAIN, Receiver, Reply, Repository, Sandbox, SmartHttp};

const COMMIT: Commit = Commit {
    author: "Jürgen Müller-Łoś 山田",
    email: "jürgen@bücher.example",
    message: "Fix \"quotes\"\n\nand $(touch pwned) 'more'",
};

/// Registers a hook in the repository on the server.
fn add(sandbox: &Sandbox, repository: &Repository, receiver: &Receiver) {
    sandbox
        .hooks_add(&receiver.url("/"), "PostDeployment")
        .env("HOOKS_FILE", repository.bare().join("hooks.json"))
        .run()
        .assert_code(0);
}

fn push(repository: &Repository, url: &str, refs: &[&str]) -> Output {
    let url = [url, "site.git"].concat();
    let push = repository.call(&repository.work(), &["push", "-q", &url]);
    push.args(refs).env("GIT_TERMINAL_PROMPT", "0").run()
}

#[test]
fn it_publishes_like_a_push_over_a_local_path() {
    let deployments: Vec<Value> = [false, true]
        .into_iter()
        .map(|over_http| {
            let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
            let repository = Repository::new(&sandbox);
            repository.install(EXAMPLE);
            add(&sandbox, &repository, &receiver);
            let hash = repository.commit("main", COMMIT);
            let server = SmartHttp::new(sandbox.path(), "rémi");
            let pushed = if over_http {
                push(&repository, &server.url(""), &["main"])
            } else {
                let push = repository.push(&["main"]).without_env("HOOKS_FILE");
                push.env("REMOTE_USER", "rémi").run()
            };
            pushed
                .assert_code(0)
                .assert_stderr_has(&[&format!("remote: deploying main at {hash}")]);
            assert!(!pushed.stderr.contains("warning:"), "{}", pushed.stderr);
            let mut deployment = receiver.request().json();
            assert_eq!(deployment["id"], json!(hash));
            for varies in ["id", "start_time", "end_time"] {
                deployment.as_object_mut().unwrap().remove(varies);
            }
            deployment
        })
        .collect();
    assert_eq!(deployments[0], deployments[1]);
    assert_eq!(
        deployments[1],
        json!({
            "author": COMMIT.author,
            "author_email": COMMIT.email,
            "message": COMMIT.message,
            "deployer": "rémi",
            "ref": "refs/heads/main",
            "repository": "site",
            "status": "success",
        })
    );
}

#[test]
fn three_branches_and_a_deletion_are_pushed_at_once() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let repository = Repository::new(&sandbox);
    repository.install(EXAMPLE);
    add(&sandbox, &repository, &receiver);
    let server = SmartHttp::new(sandbox.path(), "remi");
    for branch in ["old", "a", "b", "c"] {
        repository.commit(branch, PLAIN);
    }
    push(&repository, &server.url(""), &["old"]).assert_code(0);
    push(&repository, &server.url(""), &["a", "b", ":old", "c"]).assert_code(0);
    let refs: Vec<Value> =
        receiver.requests().iter().map(|request| request.json()["ref"].clone()).collect();
    assert_eq!(refs, ["old", "a", "b", "c"].map(|name| format!("refs/heads/{name}")));
}

#[test]
fn the_deployment_has_neither_home_nor_user_and_the_registry_lies_in_the_repository() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let repository = Repository::new(&sandbox);
    repository.install(&deploying(
        r#"echo "HOME=${HOME-none} USER=${USER-none} HOOKS_FILE=$HOOKS_FILE""#,
    ));
    add(&sandbox, &repository, &receiver);
    repository.commit("main", PLAIN);
    let server = SmartHttp::new(sandbox.path(), "remi");
    let pushed = push(&repository, &server.url(""), &["main"]);
    pushed
        .assert_code(0)
        .assert_stderr_has(&["remote: HOME=none USER=none HOOKS_FILE=[DIR]/site.git/hooks.json"]);
    let registry = Path::new("site.git/hooks.json");
    let registry: Value =
        serde_json::from_slice(&sandbox.read(&registry.to_string_lossy())).unwrap();
    assert_eq!(registry["hooks"][0]["last_status"], "OK");
    assert!(!sandbox.has("hooks.json"));
}

#[test]
fn a_receiver_that_hangs_delays_it_by_the_deadline_at_most() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::answering([Reply::silent()]));
    let repository = Repository::new(&sandbox);
    // The web server's environment is fixed, so the script sets the deadline.
    let hook = EXAMPLE.replace(":-10s}", ":-2s}");
    assert_ne!(hook, EXAMPLE);
    repository.install(&hook);
    add(&sandbox, &repository, &receiver);
    repository.commit("main", PLAIN);
    let server = SmartHttp::new(sandbox.path(), "remi");
    push(&repository, &server.url(""), &["main"])
        .assert_code(0)
        .assert_took(Duration::from_secs(1), Duration::from_secs(8))
        .assert_stderr_has(&["remote: failed     hook 1"]);
}
