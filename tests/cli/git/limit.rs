//! git has a limit, and names and texts that are no UTF-8 are no reason to publish nothing.

use std::ffi::{OsStr, OsString};
use std::net::TcpListener;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{
    Invocation, PLAIN, Repository, Sandbox, Signal, executable, one_hook, one_uncalled_hook,
    path_with_hooks, wait_until,
};

/// A bare clone without blobs whose remote takes connections and says nothing. Reading the newest commit
/// is enough for git to ask that remote: for `.mailmap`.
struct PartialClone<'a> {
    repository: Repository<'a>,
    path: PathBuf,
    _remote: TcpListener,
}

impl<'a> PartialClone<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        let repository = Repository::new(sandbox);
        let work = repository.work();
        std::fs::write(work.join(".mailmap"), "Ada <ada@example.com>\n").expect("it is written");
        repository.git(&work, &["add", ".mailmap"]);
        repository.commit("main", PLAIN);
        repository.push(&["main"]).run().assert_code(0);
        let bare = repository.bare();
        repository.git(&bare, &["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", bare.display());
        let clone = ["clone", "-q", "--bare", "--filter=blob:none", &url, "partial.git"];
        repository.git(sandbox.path(), &clone);
        let path = sandbox.path().join("partial.git");
        let remote = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = remote.local_addr().expect("a bound socket has an address");
        let url = format!("git://{address}/site.git");
        repository.git(&path, &["config", "remote.origin.url", &url]);
        Self { repository, path, _remote: remote }
    }

    fn hooks(&self, arguments: &[&str]) -> Invocation<'a> {
        hooks(&self.repository, arguments).directory(&self.path).limit(Duration::from_secs(20))
    }
}

/// `hooks …` in the clone that pushes, with the environment that git calls have.
fn hooks<'a>(repository: &Repository<'a>, arguments: &[&str]) -> Invocation<'a> {
    repository.call(&repository.work(), arguments).shell(r#"exec "$@""#)
}

/// Puts a script in git's place, and returns the PATH to use.
fn instead_of_git(sandbox: &Sandbox, script: &str) -> String {
    let folder = sandbox.path().join("bin");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let script = script.replace("@GIT@", &which_git());
    executable(&sandbox.write("bin/git", format!("#!/bin/sh\n{script}\n")));
    format!("{}:{}", folder.display(), path_with_hooks())
}

fn which_git() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.is_file());
    found.expect("git is there").to_string_lossy().into_owned()
}

/// As git did before it knew `GIT_NO_LAZY_FETCH` (2.45), with a `.mailmap` to read.
const OLD_GIT: &str = r#"unset GIT_NO_LAZY_FETCH
for word; do shift; case $word in --no-mailmap) ;; *) set -- "$@" "$word" ;; esac; done
echo $$ >pid
exec @GIT@ "$@""#;

/// A git that hangs, with a child that holds its output.
const HANGING_GIT: &str = "sleep 300 & echo $! >pid; wait";

/// Waits until the process whose id the script has written is gone.
#[track_caller]
fn assert_gone(pid_file: &Path) {
    let pid = std::fs::read_to_string(pid_file).expect("git was started");
    let pid = pid.trim().to_owned();
    assert!(!pid.is_empty());
    wait_until(|| {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        // A zombie is gone, too: nobody has asked for its code yet.
        state.map_or(true, |state| state.contains(") Z "))
    });
}

#[test]
fn the_remote_of_a_partial_clone_is_not_asked() {
    let (sandbox, receiver) = one_hook();
    let clone = PartialClone::new(&sandbox);
    clone.hooks(&["publish", "PostDeployment", "--git"]).run().assert_code(0);
    clone.hooks(&["run", "PostDeployment", "--git", "--", "true"]).run().assert_code(0);
    for request in receiver.requests() {
        assert_eq!(request.json()["author"], PLAIN.author);
    }
    assert_eq!(receiver.count(), 2);
}

#[test]
fn a_commit_that_a_partial_clone_lacks_is_unknown_at_once() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let clone = PartialClone::new(&sandbox);
    let lacking = "1".repeat(40);
    let refused = clone.hooks(&["publish", "PostDeployment", "--git", &lacking]).run();
    refused
        .assert_code(1)
        .assert_took(Duration::ZERO, Duration::from_secs(10))
        .assert_stderr_has(&["error: could not read the commit 1111", "hint: "]);
}

#[test]
fn an_older_git_that_asks_a_silent_remote_ends_at_the_deadline() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let clone = PartialClone::new(&sandbox);
    let refused = clone
        .hooks(&["publish", "PostDeployment", "--git"])
        .args(["--deadline", "2s"])
        .env("PATH", instead_of_git(&sandbox, OLD_GIT))
        .run();
    refused.assert(
        1,
        "",
        "error: could not read the commit HEAD: git did not answer within 2s\n\
             hint: see what it waits for: git log -1 HEAD\n",
    );
    refused.assert_took(Duration::from_secs(2), Duration::from_secs(8));
    assert_gone(&clone.path.join("pid"));
}

#[test]
fn a_publish_ends_at_the_deadline_with_all_that_git_has_started() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let repository = Repository::new(&sandbox);
    let refused = hooks(&repository, &["publish", "PostDeployment", "--git", "main"])
        .args(["--deadline", "1s"])
        .env("PATH", instead_of_git(&sandbox, HANGING_GIT))
        .run();
    refused.assert(
        1,
        "",
        "error: could not read the commit main: git did not answer within 1s\n\
             hint: see what it waits for: git log -1 main\n",
    );
    refused.assert_took(Duration::from_secs(1), Duration::from_secs(5));
    assert_gone(&repository.work().join("pid"));
}

#[test]
fn a_signal_ends_a_publish_and_all_that_git_has_started() {
    for (signal, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
        let (sandbox, _receiver) = one_uncalled_hook();
        let repository = Repository::new(&sandbox);
        let publish = hooks(&repository, &["publish", "PostDeployment", "--git"])
            .env("PATH", instead_of_git(&sandbox, HANGING_GIT))
            .spawn();
        let pid = repository.work().join("pid");
        wait_until(|| std::fs::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n')));
        let ended = publish.end_by(signal, Duration::from_secs(2));
        ended.assert(code, "", "error: could not read the commit HEAD: interrupted\n");
        assert!(!sandbox.has("hooks.json.journal"));
        assert_gone(&pid);
    }
}

#[test]
fn a_run_publishes_what_it_has_within_the_deadline() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let ran = hooks(&repository, &["run", "PostDeployment", "--git"])
        .args(["--deadline", "4s", "--set", "ref=main", "--", "sh", "-c"])
        .args(["exit 7"])
        .env("PATH", instead_of_git(&sandbox, HANGING_GIT))
        .run();
    ran.assert(
        7,
        "",
        "warning: could not read the commit HEAD: git did not answer within 2s; published without the commit\n\
         note: publishing PostDeployment with the status failed to 1 hook\n\
         delivered  hook 1  http://127.0.0.1:[PORT]/  200 OK ([MS])\n",
    );
    ran.assert_took(Duration::from_secs(2), Duration::from_secs(8));
    let deployment = receiver.request().json();
    assert_eq!(deployment["status"], "failed");
    assert_eq!(deployment["ref"], "main");
    assert!(deployment.get("id").is_none());
    assert_gone(&repository.work().join("pid"));
}

#[test]
fn git_has_no_input_and_asks_nobody() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    repository.commit("main", PLAIN);
    // What it finds on its input and in its environment comes back as the author's name.
    let script = r#"printf '%s\0' 1 "prompt=$GIT_TERMINAL_PROMPT lazy=$GIT_NO_LAZY_FETCH input=$(cat)" a c m"#;
    hooks(&repository, &["publish", "PostDeployment", "--git"])
        .env("PATH", instead_of_git(&sandbox, script))
        .stdin("not for git")
        .run()
        .assert_code(0);
    assert_eq!(receiver.request().json()["author"], "prompt=0 lazy=1 input=");
}

#[test]
fn a_branch_whose_name_is_no_utf_8_is_published() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let hash = repository.commit("main", PLAIN);
    let branch = OsString::from_vec(b"caf\xe9".to_vec());
    repository.call(&repository.work(), &["branch"]).arg(&branch).run().assert_code(0);
    hooks(&repository, &["publish", "PostDeployment", "--git"]).arg(&branch).run().assert_code(0);
    hooks(&repository, &["run", "PostDeployment", "--git"])
        .arg(&branch)
        .args(["--", "true"])
        .run()
        .assert_code(0);
    for request in receiver.requests() {
        assert_eq!(request.json()["id"], hash);
    }
    assert_eq!(receiver.count(), 2);
    let unknown = OsString::from_vec(b"th\xe9".to_vec());
    hooks(&repository, &["publish", "PostDeployment", "--git"])
        .arg(&unknown)
        .run()
        .assert_code(1)
        .assert_stderr_has(&["could not read the commit th\u{fffd}: git knows no such revision"]);
}

#[test]
fn a_commit_whose_text_is_no_utf_8_is_published_with_marks_for_what_cannot_be_read() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let tree =
        repository.call(&repository.work(), &["hash-object", "-t", "tree", "-w", "--stdin"]).run();
    // git itself would mend what is no UTF-8; other programs do not.
    let publish = |encoding: &str| {
        let mut commit = format!("tree {}", tree.stdout).into_bytes();
        for who in ["author", "committer"] {
            commit.extend(who.as_bytes());
            commit.extend(b" J\xfcrgen <j@example.com> 1700000000 +0000\n");
        }
        commit.extend(encoding.as_bytes());
        commit.extend(b"\ncaf\xe9\n");
        let written = repository
            .call(&repository.work(), &["hash-object", "-t", "commit", "-w", "--stdin"])
            .stdin(commit)
            .run();
        written.assert_code(0);
        hooks(&repository, &["publish", "PostDeployment", "--git"])
            .arg(written.stdout.trim())
            .run()
            .assert_code(0);
        let deployment = receiver.requests().pop().expect("it was published").json();
        [
            deployment["author"].clone(),
            deployment["message"].clone(),
            deployment["deployer"].clone(),
        ]
    };
    let unreadable = ["J\u{fffd}rgen", "caf\u{fffd}", "J\u{fffd}rgen"];
    assert_eq!(publish(""), unreadable);
    assert_eq!(publish("encoding ISO-8859-1\n"), ["Jürgen", "café", "Jürgen"]);
    assert_eq!(publish("encoding x-unknown\n"), unreadable);
}

#[test]
fn who_deploys_is_whom_the_first_of_the_known_variables_names() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    repository.commit("main", PLAIN);
    let variables = [
        "REMOTE_USER",
        "GL_USER",
        "GITEA_PUSHER_NAME",
        "GL_USERNAME",
        "GITLAB_USER_LOGIN",
        "GITHUB_ACTOR",
        "USER",
    ];
    // Each wins over those behind it; an empty one counts as none.
    for first in 0..=variables.len() {
        let mut call = hooks(&repository, &["publish", "PostDeployment", "--git"]);
        for (place, variable) in variables.iter().enumerate() {
            let value = if place < first { "" } else { *variable };
            call = call.env(variable, OsStr::new(value));
        }
        call.run().assert_code(0);
        let deployer = receiver.requests().pop().expect("published").json()["deployer"].clone();
        let wanted = variables.get(first).unwrap_or(&"Carl Committer");
        assert_eq!(deployer, *wanted);
    }
    hooks(&repository, &["publish", "PostDeployment", "--git"])
        .env("GL_USER", OsString::from_vec(b"ren\xe9".to_vec()))
        .run()
        .assert_code(0);
    let deployment = receiver.requests().pop().expect("published").json();
    assert_eq!(deployment["deployer"], "ren\u{fffd}");
}
