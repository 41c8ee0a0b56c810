//! From a commit to a deployment's fields, by the `git` command in the current directory, so that it
//! works inside a bare repository's hook, a worktree, and a CI checkout.

use std::io;
use std::process::Command;

use crate::exit::{Exit, Failure};
use crate::security::escape::escape;

/// What a deployment takes from a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The full hash.
    pub(crate) id: String,
    /// Who wrote it.
    pub(crate) author: String,
    /// The author's address.
    pub(crate) author_email: String,
    /// Who committed it.
    pub(crate) committer: String,
    /// The whole message, without the line end after it.
    pub(crate) message: String,
}

/// Checks a revision before anything runs. `--git` takes an optional value, so that the word behind
/// it may have been meant for something else.
pub(crate) fn check_revision(revision: &str) -> Result<(), Failure> {
    let hint = match revision {
        "" => "the variable in --git \"$REV\" may be empty; without a value --git means HEAD",
        "-" => "for standard input put - before --git: hooks publish EVENT - --git",
        _ if revision.starts_with('{') => {
            "put the JSON before --git: hooks publish EVENT '{…}' --git"
        }
        _ if revision.starts_with('-') => "a revision such as HEAD, main or a hash is wanted",
        _ => return Ok(()),
    };
    Err(Failure::usage("the value of --git is no revision").hint(hint))
}

/// Reads a commit.
pub(crate) fn commit(revision: &str) -> Result<Commit, Failure> {
    let could_not = format!("could not read the commit {}", escape(revision));
    let failed = |cause: &str| Failure::new(Exit::Failed, format!("{could_not}: {cause}"));
    if matches!(revision.len(), 40 | 64) && revision.bytes().all(|b| b == b'0') {
        return Err(failed("it stands for a branch that was deleted")
            .hint("skip it in the hook: zeros as the new hash mean that nothing is deployed"));
    }
    let output = Command::new("git")
        .args([
            "-c",
            "log.showSignature=false",
            "log",
            "-1",
            "--no-color",
            "--encoding=UTF-8",
        ])
        .args(["--no-notes", "--format=%H%x00%an%x00%ae%x00%cn%x00%B%x00"])
        .args(["--end-of-options", revision, "--"])
        // Its words are matched below.
        .env("LC_ALL", "C")
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(
                failed("there is no git command").hint("install git, or set PATH in the hook")
            );
        }
        Err(error) => return Err(failed(&error.to_string())),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(explained(&failed, revision, &said));
    }
    parse(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| failed("it names no commit"))
}

fn parse(answer: &str) -> Option<Commit> {
    let mut fields = answer.split('\0').map(str::to_owned);
    let mut next = || fields.next();
    Some(Commit {
        id: next().filter(|id| !id.is_empty())?,
        author: next()?,
        author_email: next()?,
        committer: next()?,
        message: next()?.trim_end_matches('\n').to_owned(),
    })
}

fn explained(failed: &dyn Fn(&str) -> Failure, revision: &str, said: &str) -> Failure {
    if said.contains("not a git repository") {
        let hint = match std::env::var("GIT_DIR") {
            Ok(directory) => format!(
                "GIT_DIR is {}, as git set it where it started the hook: go back there, or unset GIT_DIR",
                escape(&directory)
            ),
            Err(_) => "run it inside the repository (a git hook does), or set GIT_DIR".to_owned(),
        };
        return failed("there is no git repository here").hint(hint);
    }
    if said.contains("dubious ownership") {
        return failed("the repository belongs to another user, and git does not trust it")
            .hint("as this user: git config --global --add safe.directory PATH");
    }
    if said.contains("does not have any commits yet") || said.contains("bad revision 'HEAD'") {
        return failed("there is no commit yet");
    }
    if said.contains("bad revision")
        || said.contains("unknown revision")
        || said.contains("bad object")
    {
        let hint = format!("see what there is: git log -1 {}", escape(revision));
        return failed("git knows no such revision").hint(hint);
    }
    let line = said
        .lines()
        .next()
        .unwrap_or("git failed")
        .trim_start_matches("fatal: ");
    failed(&escape(line))
}

/// Who deploys: who pushed over HTTP (`REMOTE_USER`), else the user, else the committer.
pub(crate) fn deployer(committer: &str) -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    variable("REMOTE_USER")
        .or_else(|| variable("USER"))
        .unwrap_or_else(|| committer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_that_was_meant_for_something_else_is_refused() {
        for bad in ["", "-", "{\"id\":1}", "--status"] {
            assert!(check_revision(bad).is_err(), "{bad}");
        }
        for good in ["HEAD", "main", "HEAD~2", "v1.0^{}"] {
            assert!(check_revision(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_message_is_kept_whole() {
        let commit = parse("h\0A\0a@x\0C\0one\n\ntwo \"$(x)\"\n\0\n").unwrap();
        assert_eq!(commit.message, "one\n\ntwo \"$(x)\"");
        assert_eq!(parse(""), None);
    }
}
