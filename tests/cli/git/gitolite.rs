//! A real gitolite, with `examples/post-receive` as the hook that all its repositories have in common.

use std::path::PathBuf;

use serde_json::Value;

use super::push::EXAMPLE;
use crate::support::{
    Invocation, PLAIN, Receiver, Repository, Sandbox, executable, needs, path_with_hooks,
};

/// What sshd does for a key of gitolite's: it starts its shell for the key's user.
const SSH: &str = r#"#!/bin/sh
for command; do :; done
export HOME="$GITOLITE_HOME" SSH_ORIGINAL_COMMAND="$command" SSH_CONNECTION='127.0.0.1 1 127.0.0.1 22'
exec "$(gitolite query-rc GL_BINDIR)/gitolite-shell" alice
"#;

/// A gitolite whose repository `team/site` alice may push to.
struct Gitolite<'a> {
    sandbox: &'a Sandbox,
    home: PathBuf,
}

impl<'a> Gitolite<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        let home = sandbox.path().join("gitolite");
        std::fs::create_dir(&home).expect("a folder can be made");
        let gitolite = Self { sandbox, home };
        gitolite.run("gitolite setup -a admin");
        let conf = gitolite.home.join(".gitolite/conf/gitolite.conf");
        let rules = std::fs::read_to_string(&conf).expect("it was set up");
        let rules = format!("{rules}\nrepo team/site\n    RW+ = alice\n");
        std::fs::write(conf, rules).expect("it can be written");
        let hook = gitolite.home.join(".gitolite/hooks/common/post-receive");
        std::fs::write(&hook, EXAMPLE).expect("it can be written");
        executable(&hook);
        gitolite.run("gitolite compile && gitolite setup --hooks-only");
        executable(&sandbox.write("ssh", SSH));
        gitolite
    }

    /// Runs a shell command as gitolite's user.
    fn run(&self, command: &str) {
        let call = self.sandbox.hooks::<&str>([]).shell(command);
        let call = call
            .env("PATH", path_with_hooks())
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1");
        call.run().assert_code(0);
    }

    fn registry(&self) -> PathBuf {
        self.home.join("repositories/team/site.git/hooks.json")
    }

    /// alice's `git push`.
    fn push(&self, repository: &Repository<'a>, branch: &str) -> Invocation<'a> {
        let push = ["push", "-q", "git@server:team/site", branch];
        repository
            .call(&repository.work(), &push)
            .without_env("HOOKS_FILE")
            .env("GITOLITE_HOME", &self.home)
            .env("GIT_SSH", self.sandbox.path().join("ssh"))
            .env("GIT_SSH_VARIANT", "simple")
    }
}

#[test]
fn the_chat_message_names_the_pusher_and_the_repository() {
    if !needs("gitolite") {
        return;
    }
    let sandbox = Sandbox::new();
    let (gitolite, receiver) = (Gitolite::new(&sandbox), Receiver::new());
    let repository = Repository::new(&sandbox);
    let hash = repository.commit("main", PLAIN);
    for (path, format) in [("/chat", "slack"), ("/raw", "raw")] {
        let add = sandbox
            .hooks(["add", "--event", "PostDeployment", "--format", format])
            .args(["--url", &receiver.url(path)])
            .env("HOOKS_FILE", gitolite.registry());
        add.run().assert_code(0);
    }
    let pushed = gitolite.push(&repository, "main").run();
    pushed.assert_code(0).assert_stderr_has(&[&format!("remote: deploying main at {hash}")]);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let message = request.json();
        if request.target == "/raw" {
            assert_eq!(message["deployer"], "alice");
            assert_eq!(message["repository"], "team/site");
            continue;
        }
        let shown = texts(&message).join("\n");
        assert!(shown.contains(" by alice "), "{message:#}");
        assert!(shown.contains("\nteam/site\n"), "{message:#}");
    }
}

/// All strings in a message.
fn texts(message: &Value) -> Vec<String> {
    match message {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
