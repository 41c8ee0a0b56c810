//! One deadline for a whole push, however many branches it has.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::time::Duration;

use super::push::{EXAMPLE, Server, deploying};
use crate::support::{PLAIN, Receiver, Reply, Sandbox};

/// How many branches are pushed at once.
const BRANCHES: usize = 100;

/// Makes branches of one commit, and gives their names in the order in which git pushes them.
fn branches(server: &Server, count: usize) -> Vec<String> {
    let hash = server.repository.commit("main", PLAIN);
    let names: Vec<String> = (1..=count).map(|n| format!("branch-{n:03}")).collect();
    let refs = names.iter().map(|name| format!("create refs/heads/{name} {hash}\n"));
    server
        .repository
        .call(&server.repository.work(), &["update-ref", "--stdin"])
        .stdin(refs.collect::<String>())
        .run()
        .assert_code(0);
    names
}

fn refs_of(receiver: &Receiver) -> Vec<String> {
    let requests = receiver.requests();
    let names = requests.iter().map(|request| request.json()["ref"].clone());
    names.map(|name| name.as_str().unwrap_or("no ref").to_owned()).collect()
}

#[test]
fn a_hundred_branches_and_a_receiver_that_hangs_cost_one_deadline() {
    let sandbox = Sandbox::new();
    // It is back for the second request.
    let receiver = Receiver::answering([Reply::silent(), Reply::status(200)]);
    let server = Server::new(&sandbox, EXAMPLE, receiver);
    let names = branches(&server, BRANCHES);
    let pushed =
        server.push(&["refs/heads/branch-*:refs/heads/branch-*"]).env("HOOKS_DEADLINE", "2s").run();
    pushed.assert_code(0).assert_took(Duration::from_secs(2), Duration::from_secs(30));
    let deployed = pushed.stderr.matches("remote: deploying branch-").count();
    let deferred = pushed.stderr.matches("remote: deferred ").count();
    assert_eq!((deployed, deferred), (BRANCHES, BRANCHES - 1));
    let log = server.log(&sandbox);
    let count = |state: &str| log.iter().filter(|line| line["state"] == state).count();
    assert_eq!((count("failed"), count("deferred")), (1, BRANCHES - 1));

    let redelivered = sandbox
        .hooks(["redeliver", "--failed"])
        .env("HOOKS_FILE", server.repository.bare().join("hooks.json"))
        .run();
    redelivered.assert_code(0);
    let wanted: Vec<String> = names.iter().map(|n| format!("refs/heads/{n}")).collect();
    let sent = refs_of(&server.receiver);
    assert_eq!(sent[0], wanted[0]);
    assert_eq!(sent[1..], wanted[..]);
    let log = server.log(&sandbox);
    assert!(log.iter().all(|line| line["state"] == "delivered"));
}

#[test]
fn receivers_that_answer_get_every_branch_at_once() {
    let sandbox = Sandbox::new();
    let server = Server::new(&sandbox, EXAMPLE, Receiver::new());
    let names = branches(&server, 10);
    let pushed = server.push(&["refs/heads/branch-*:refs/heads/branch-*"]).run();
    pushed.assert_code(0);
    assert!(!pushed.stderr.contains("deferred"), "{}", pushed.stderr);
    assert_eq!(refs_of(&server.receiver).len(), names.len());
}

#[test]
fn the_time_of_the_deployments_is_not_the_hooks() {
    let sandbox = Sandbox::new();
    // Three deployments take longer than the hooks may.
    let server = Server::new(&sandbox, &deploying("sleep 1; false"), Receiver::new());
    branches(&server, 3);
    let pushed =
        server.push(&["refs/heads/branch-*:refs/heads/branch-*"]).env("HOOKS_DEADLINE", "2s").run();
    pushed.assert_code(0).assert_took(Duration::from_secs(3), Duration::from_secs(60));
    let requests = server.receiver.requests();
    assert_eq!(requests.len(), 3, "{}", pushed.stderr);
    for request in requests {
        assert_eq!(request.json()["status"], "failed");
    }
}

#[test]
fn a_deadline_may_be_written_in_any_unit() {
    for (deadline, least, most) in [
        ("1500ms", 1, 6),
        ("2s", 2, 7),
        ("2", 2, 7),
        ("0m1s500ms", 2, 7),
        ("soon", 8, 25),
        ("0m", 8, 25),
        ("9999h", 8, 25),
    ] {
        let sandbox = Sandbox::new();
        let receiver = Receiver::answering([Reply::silent()]);
        let server = Server::new(&sandbox, EXAMPLE, receiver);
        server.repository.commit("main", PLAIN);
        let pushed = server.push(&["main"]).env("HOOKS_DEADLINE", deadline).run();
        pushed
            .assert_code(0)
            .assert_took(Duration::from_secs(least), Duration::from_secs(most))
            .assert_stderr_has(&["remote: deploying main at"]);
        let said = "remote: warning: HOOKS_DEADLINE is no time such as 10s, 1m30s or 1h";
        assert_eq!(pushed.stderr.contains(said), least == 8, "{deadline}: {}", pushed.stderr);
    }
}

#[test]
fn a_wrong_limit_of_the_environment_never_stops_a_deployment() {
    let sandbox = Sandbox::new();
    let server = Server::new(&sandbox, EXAMPLE, Receiver::new());
    server.repository.commit("main", PLAIN);
    let mut push = server.push(&["main"]);
    for limit in ["HOOKS_TIMEOUT", "HOOKS_RETRIES", "HOOKS_JOBS"] {
        push = push.env(limit, "soon");
    }
    push.run().assert_code(0).assert_stderr_has(&[
        "remote: deploying main at",
        "remote: warning: wrong value in the environment for HOOKS_TIMEOUT: ",
        "remote: delivered  hook 1",
    ]);
}

#[test]
fn a_deadline_that_is_none_never_stops_a_deployment() {
    for deadline in [
        "0s",
        "0",
        "-1s",
        "",
        "soon",
        "1h",
        "9999h",
        "9999999999999999999999s",
        "10 s",
        "08m",
        "99999m",
        "x",
        "xs",
        "1m30s",
    ] {
        let sandbox = Sandbox::new();
        let server = Server::new(&sandbox, EXAMPLE, Receiver::never());
        let disabled = ["edit", "1", "--disable"];
        let registry = server.repository.bare().join("hooks.json");
        let edited = sandbox.hooks(disabled).env("HOOKS_FILE", registry).run();
        edited.assert_code(0);
        branches(&server, 2);
        let pushed = server
            .push(&["refs/heads/branch-*:refs/heads/branch-*"])
            .env("HOOKS_DEADLINE", deadline)
            .run();
        let deployed = pushed.stderr.matches("remote: deploying branch-").count();
        assert_eq!(deployed, 2, "{deadline}: {}", pushed.stderr);
    }
}

#[test]
fn the_repository_is_named_as_its_server_names_it() {
    for (variables, named) in [
        (&[][..], "site"),
        (&[("GL_REPO", "team/site")], "team/site"),
        (&[("GL_PROJECT_PATH", "group/site")], "group/site"),
        (&[("GITEA_REPO_USER_NAME", "org"), ("GITEA_REPO_NAME", "site")], "org/site"),
    ] {
        let sandbox = Sandbox::new();
        let server = Server::new(&sandbox, EXAMPLE, Receiver::new());
        server.repository.commit("main", PLAIN);
        let mut push = server.push(&["main"]);
        for (name, value) in variables {
            push = push.env(name, value);
        }
        push.run().assert_code(0);
        assert_eq!(server.receiver.request().json()["repository"], named);
    }
}

#[test]
fn a_branch_whose_name_is_no_utf_8_is_deployed_and_published() {
    let sandbox = Sandbox::new();
    let server = Server::new(&sandbox, EXAMPLE, Receiver::new());
    let hash = server.repository.commit("main", PLAIN);
    let branch = OsString::from_vec(b"main:refs/heads/caf\xe9-$(id)".to_vec());
    server.push(&[]).arg(&branch).run().assert_code(0);
    let deployment = server.receiver.request().json();
    assert_eq!(deployment["id"], hash);
    assert_eq!(deployment["ref"], "refs/heads/caf\u{fffd}-$(id)");
    assert_eq!(deployment["status"], "success");
}
