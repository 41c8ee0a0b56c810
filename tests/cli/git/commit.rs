//! `publish --git`: the deployment from a commit.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    Commit, Invocation, PLAIN, Receiver, Repository, one_hook, one_uncalled_hook,
};

/// Publishes from this folder, and returns what the receiver got.
#[track_caller]
fn published(repository: &Repository, receiver: &Receiver, from: &Path, options: &[&str]) -> Value {
    let before = receiver.count();
    publish(repository, from, options).run().assert_code(0);
    let requests = receiver.requests();
    assert_eq!(requests.len(), before + 1);
    requests[before].json()
}

/// `hooks publish PostDeployment …` in this folder, with the environment that git calls have.
fn publish<'a>(repository: &Repository<'a>, from: &Path, options: &[&str]) -> Invocation<'a> {
    repository.call(from, &["publish", "PostDeployment"]).args(options).shell(r#"exec "$@""#)
}

#[test]
fn a_commit_becomes_a_deployment_and_standard_input_is_left_alone() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let message = "Fix \"quotes\", $(touch pwned), `touch pwned` and 'more'\n\nA body\twith \\n, 漢字 and {{ jinja }}";
    let hash = repository.commit(
        "main",
        Commit {
            author: "Jürgen Müller-Łoś 山田", email: "jürgen@bücher.example", message
        },
    );
    let published = publish(&repository, &repository.work(), &["--git"])
        .env("REMOTE_USER", "")
        .stdin_left_open()
        .run();
    published.assert(0, "delivered  hook 1  http://127.0.0.1:[PORT]/  200 OK ([MS])\n", "");
    let deployment = receiver.request().json();
    assert_eq!(deployment["id"], json!(hash));
    assert_eq!(deployment["author"], "Jürgen Müller-Łoś 山田");
    assert_eq!(deployment["author_email"], "jürgen@bücher.example");
    assert_eq!(deployment["message"], message);
    assert_eq!(deployment["deployer"], "Carl Committer");
    assert_eq!(deployment["status"], "success");
    assert_eq!(deployment["start_time"], deployment["end_time"]);
    assert_eq!(deployment.as_object().unwrap().len(), 8);
    assert!(!repository.work().join("pwned").exists());
}

#[test]
fn who_deploys_is_the_remote_user_else_the_user_else_the_committer() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    repository.commit("main", PLAIN);
    for (environment, deployer) in [
        (vec![("REMOTE_USER", "rémi"), ("USER", "ulla")], "rémi"),
        (vec![("REMOTE_USER", ""), ("USER", "ulla")], "ulla"),
        (vec![("USER", "")], "Carl Committer"),
    ] {
        let mut call = publish(&repository, &repository.work(), &["--git"]);
        for (name, value) in environment {
            call = call.env(name, value);
        }
        call.run().assert_code(0);
        assert_eq!(receiver.requests().pop().unwrap().json()["deployer"], deployer);
    }
}

#[test]
fn a_commit_can_be_named_in_any_way_of_git() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let first = repository.commit("main", PLAIN);
    let second = repository.commit("feature/x", PLAIN);
    let work = repository.work();
    repository.git(&work, &["tag", "-a", "-m", "a tag with a message", "v1.0", &first]);
    for (revision, hash) in [
        ("HEAD", &second),
        ("main", &first),
        ("refs/heads/feature/x", &second),
        ("HEAD~1", &first),
        ("v1.0", &first),
        ("HEAD^{/Plain}", &second),
        (&first[..10], &first),
        (&first, &first),
    ] {
        let deployment = published(&repository, &receiver, &work, &["--git", revision]);
        assert_eq!(deployment["id"], json!(hash), "{revision}");
        assert_eq!(deployment["message"], "Plain work", "{revision}");
    }
}

#[test]
fn a_bare_repository_a_worktree_and_a_shallow_detached_clone_work() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let first = repository.commit("main", PLAIN);
    let second = repository.commit("next", PLAIN);
    repository.push(&["main", "next"]).run().assert_code(0);
    let id = |from: &Path, options: &[&str]| {
        published(&repository, &receiver, from, options)["id"].clone()
    };
    let bare = repository.bare();
    assert_eq!(id(&bare, &["--git"]), json!(first));
    assert_eq!(id(&bare, &["--git", "next"]), json!(second));
    let tree = sandbox.path().join("tree");
    repository.git(&bare, &["worktree", "add", "-q", "../tree", "next"]);
    assert_eq!(id(&tree, &["--git"]), json!(second));
    let url = format!("file://{}", bare.display());
    repository.git(sandbox.path(), &["clone", "-q", "--depth=1", "-b", "next", &url, "shallow"]);
    let shallow = sandbox.path().join("shallow");
    repository.git(&shallow, &["checkout", "-q", "--detach"]);
    std::fs::create_dir(shallow.join("deep")).unwrap();
    assert_eq!(id(&shallow.join("deep"), &["--git"]), json!(second));
}

#[test]
fn the_users_configuration_of_git_log_changes_nothing() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let work = repository.work();
    let author = "Jürgen 山田";
    repository.commit("main", Commit { author, ..PLAIN });
    let plain = published(&repository, &receiver, &work, &["--git"]);
    repository.git(&work, &["notes", "add", "-m", "a note"]);
    for (name, value) in [
        ("format.pretty", "raw"),
        ("log.showSignature", "true"),
        ("log.decorate", "full"),
        ("log.date", "relative"),
        ("log.follow", "true"),
        ("color.ui", "always"),
        ("core.pager", "false"),
        ("pager.log", "true"),
        ("i18n.logOutputEncoding", "ISO-8859-1"),
        ("notes.displayRef", "refs/notes/*"),
        ("alias.log", "status"),
    ] {
        repository.git(&work, &["config", name, value]);
    }
    let configured = publish(&repository, &work, &["--git"])
        .env("LANG", "de_DE.UTF-8")
        .env("LANGUAGE", "de")
        .env("GIT_PAGER", "false")
        .env("GIT_TRACE", "1")
        .run();
    configured.assert_code(0);
    let configured = receiver.requests().pop().unwrap().json();
    for key in ["id", "author", "author_email", "message", "deployer"] {
        assert_eq!(configured[key], plain[key], "{key}");
    }
}

#[test]
fn a_commit_in_another_encoding_arrives_as_unicode() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let work = repository.work();
    repository.git(&work, &["config", "i18n.commitEncoding", "ISO-8859-1"]);
    let committed = repository
        .call(&work, &["commit", "-q", "--allow-empty", "-F", "-"])
        .env(
            "GIT_AUTHOR_NAME",
            <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"Ren\xe9"),
        )
        .env("GIT_AUTHOR_EMAIL", "rene@example.com")
        .stdin(b"Caf\xe9 ge\xf6ffnet\n".to_vec())
        .run();
    committed.assert_code(0);
    let deployment = published(&repository, &receiver, &work, &["--git"]);
    assert_eq!(deployment["author"], "René");
    assert_eq!(deployment["message"], "Café geöffnet");
}

#[test]
fn unusual_messages_arrive_whole() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let long = "A long message, line after line\n".repeat(5_000);
    for message in ["", "\n\n  indented\n", "a\r\nb\u{1b}[2J\u{7}\u{202e}", &long] {
        repository.commit("main", Commit { message, ..PLAIN });
        let deployment = published(&repository, &receiver, &repository.work(), &["--git"]);
        let came = deployment["message"].as_str().unwrap();
        assert_eq!(came.trim_end_matches('\n'), message.trim_end_matches('\n'));
    }
}

#[test]
fn a_sha256_repository_works() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    repository.git(sandbox.path(), &["init", "-q", "--object-format=sha256", "long"]);
    let long = sandbox.path().join("long");
    let committed = repository
        .call(&long, &["commit", "-q", "--allow-empty", "-m", "long"])
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com");
    committed.run().assert_code(0);
    let hash = repository.git(&long, &["rev-parse", "HEAD"]);
    assert_eq!(hash.len(), 64);
    let deployment = published(&repository, &receiver, &long, &["--git", &hash]);
    assert_eq!(deployment["id"], json!(hash));
}

#[test]
fn the_given_json_and_the_flags_win_over_the_commit() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let hash = repository.commit("main", PLAIN);
    let deployment = published(
        &repository,
        &receiver,
        &repository.work(),
        &[
            r#"{"message":"from JSON","n":1.50}"#,
            "--git",
            "--author=From Flag",
            "--status=failed",
            "--set=ref=refs/heads/main",
        ],
    );
    assert_eq!(deployment["id"], json!(hash));
    assert_eq!(deployment["message"], "from JSON");
    assert_eq!(deployment["author"], "From Flag");
    assert_eq!(deployment["author_email"], "ada@example.com");
    assert_eq!(deployment["status"], "failed");
    assert_eq!(deployment["ref"], "refs/heads/main");
    assert!(receiver.request().text().contains("1.50"));
}

#[test]
fn the_zeros_of_a_deleted_branch_are_an_error_that_says_so() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let repository = Repository::new(&sandbox);
    repository.commit("main", PLAIN);
    for length in [40, 64] {
        let zeros = "0".repeat(length);
        publish(&repository, &repository.work(), &["--git", &zeros]).run().assert(
            1,
            "",
            &format!("error: could not read the commit {zeros}: it stands for a branch that was deleted\n\
             hint: skip it in the hook: zeros as the new hash mean that nothing is deployed\n"),
        );
    }
    assert!(!sandbox.has("hooks.json.journal"));
}

#[test]
fn what_is_no_commit_is_refused() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let repository = Repository::new(&sandbox);
    repository.commit("main", PLAIN);
    for revision in ["nonsense", "HEAD~99", "deadbeef", "v9^{commit}", "a\u{1b}b"] {
        let refused = publish(&repository, &repository.work(), &["--git", revision]).run();
        let shown = revision.replace('\u{1b}', r"\u{1b}");
        refused.assert(
            1,
            "",
            &format!(
                "error: could not read the commit {shown}: git knows no such revision\n\
                 hint: see what there is: git log -1 {shown}\n"
            ),
        );
    }
    // A folder's hash, and a range without anything in it.
    for revision in ["HEAD:", "main..main"] {
        publish(&repository, &repository.work(), &["--git", revision])
            .run()
            .assert_code(1)
            .assert_stderr_has(&["error: could not read the commit", "it names no commit"]);
    }
    let absent = "1".repeat(40);
    publish(&repository, &repository.work(), &["--git", &absent])
        .run()
        .assert_code(1)
        .assert_stderr_has(&["git knows no such revision"]);
    assert!(!sandbox.has("hooks.json.journal"));
}

#[test]
fn no_repository_no_commit_and_no_git_are_told_apart() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let repository = Repository::new(&sandbox);
    publish(&repository, &repository.work(), &["--git"]).run().assert(
        1,
        "",
        "error: could not read the commit HEAD: there is no commit yet\n",
    );
    publish(&repository, sandbox.path(), &["--git"]).run().assert(
        1,
        "",
        "error: could not read the commit HEAD: there is no git repository here\n\
         hint: run it inside the repository (a git hook does), or set GIT_DIR\n",
    );
    let call =
        || sandbox.hooks(["publish", "PostDeployment", "--git"]).directory(repository.work());
    call().env("PATH", sandbox.path().join("nowhere")).run().assert(
        1,
        "",
        "error: could not read the commit HEAD: there is no git command\n\
         hint: install git, or set PATH in the hook\n",
    );
    assert!(!sandbox.has("hooks.json.journal"));
}

#[test]
fn outside_the_repository_the_error_names_git_dir() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let repository = Repository::new(&sandbox);
    repository.commit("main", PLAIN);
    // As in a hook that has said `cd /srv/www`.
    publish(&repository, &repository.work(), &["--git"])
        .env("GIT_DIR", ".")
        .run()
        .assert_code(1)
        .assert_stderr_has(&["there is no git repository here", "unset GIT_DIR"]);
}

#[test]
fn a_value_meant_for_another_flag_is_refused() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let repository = Repository::new(&sandbox);
    repository.commit("main", PLAIN);
    for value in ["--git=", "--git=-", "--git=--all", r#"--git={"id":"1"}"#] {
        let refused = publish(&repository, &repository.work(), &[value]).run();
        refused
            .assert_code(2)
            .assert_stderr_has(&["error: the value of --git is no revision", "hint: "]);
    }
    assert!(!sandbox.has("hooks.json.journal"));
}
