//! A bare repository as on a server, and a clone from which commits are pushed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::invocation::Invocation;
use super::sandbox::Sandbox;

/// Someone's commit.
#[derive(Clone, Copy)]
pub(crate) struct Commit<'a> {
    pub(crate) author: &'a str,
    pub(crate) email: &'a str,
    pub(crate) message: &'a str,
}

/// A commit whose text does not matter.
pub(crate) const PLAIN: Commit<'static> =
    Commit { author: "Ada Author", email: "ada@example.com", message: "Plain work" };

/// `site.git`, the server's, and `work`, the clone, both in the sandbox.
pub(crate) struct Repository<'a> {
    sandbox: &'a Sandbox,
}

impl<'a> Repository<'a> {
    /// The clone has no commit yet, and its branch is `main`.
    #[track_caller]
    pub(crate) fn new(sandbox: &'a Sandbox) -> Self {
        let repository = Self { sandbox };
        repository.git(sandbox.path(), &["init", "-q", "--bare", "-b", "main", "site.git"]);
        repository.git(sandbox.path(), &["init", "-q", "-b", "main", "work"]);
        let bare = repository.bare().to_string_lossy().into_owned();
        repository.git(&repository.work(), &["remote", "add", "origin", &bare]);
        repository
    }

    pub(crate) fn bare(&self) -> PathBuf {
        self.sandbox.path().join("site.git")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.sandbox.path().join("work")
    }

    /// Commits on this branch of the clone, which begins where the clone stands, and returns the hash.
    #[track_caller]
    pub(crate) fn commit(&self, branch: &str, commit: Commit) -> String {
        self.git(&self.work(), &["checkout", "-q", "-B", branch]);
        let committed = self
            .call(&self.work(), &["commit", "-q", "--allow-empty", "--allow-empty-message"])
            .args(["--cleanup=verbatim", "-F", "-"])
            .stdin(commit.message)
            .env("GIT_AUTHOR_NAME", commit.author)
            .env("GIT_AUTHOR_EMAIL", commit.email);
        committed.run().assert_code(0);
        self.git(&self.work(), &["rev-parse", "HEAD"])
    }

    /// Installs a `post-receive` hook.
    pub(crate) fn install(&self, script: &str) {
        let hook = self.sandbox.write("site.git/hooks/post-receive", script);
        executable(&hook);
    }

    /// `git push origin …`, from the clone.
    pub(crate) fn push(&self, refs: &[&str]) -> Invocation<'a> {
        self.call(&self.work(), &["push", "-q", "origin"]).args(refs)
    }

    /// What git answers, in this folder.
    #[track_caller]
    pub(crate) fn git(&self, directory: &Path, arguments: &[&str]) -> String {
        let answered = self.call(directory, arguments).run();
        answered.assert_code(0);
        answered.stdout.trim_end().to_owned()
    }

    /// A call of git with nothing of the machine's configuration, and with `hooks` to be found by its hooks.
    pub(crate) fn call(&self, directory: &Path, arguments: &[&str]) -> Invocation<'a> {
        self.sandbox
            .hooks(arguments)
            .shell(r#"shift; exec git "$@""#)
            .directory(directory)
            .env("PATH", path_with_hooks())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", PLAIN.author)
            .env("GIT_AUTHOR_EMAIL", PLAIN.email)
            .env("GIT_COMMITTER_NAME", "Carl Committer")
            .env("GIT_COMMITTER_EMAIL", "carl@example.com")
    }
}

/// The machine's PATH with the binary's folder in front.
pub(crate) fn path_with_hooks() -> String {
    let folder = Path::new(Sandbox::BINARY).parent().expect("the binary lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", folder.display())
}

/// Makes a script executable.
pub(crate) fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .unwrap_or_else(|error| panic!("can't make {} executable: {error}", path.display()));
}

/// Makes a pipe with a name, in the sandbox.
pub(crate) fn mkfifo(sandbox: &Sandbox, name: &str) {
    let path = sandbox.path().join(name);
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()), "can't make {}", path.display());
}
