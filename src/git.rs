//! From a commit to a deployment's fields, by the `git` command in the current directory, so that it
//! works inside a bare repository's hook, a worktree, and a CI checkout.

use std::ffi::OsStr;
use std::io;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::platform;
use crate::security::escape::escape;

/// Where the name of who deploys is found, the first that is set: who pushed over HTTP, by gitolite, to
/// Gitea (and Forgejo), to GitLab; whose CI job it is on GitLab and on GitHub; the user.
const DEPLOYER: [&str; 7] = [
    "REMOTE_USER",
    "GL_USER",
    "GITEA_PUSHER_NAME",
    "GL_USERNAME",
    "GITLAB_USER_LOGIN",
    "GITHUB_ACTOR",
    "USER",
];

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
pub(crate) fn check_revision(revision: &OsStr) -> Result<(), Failure> {
    let hint = match revision.as_encoded_bytes() {
        b"" => "the variable in --git \"$REV\" may be empty; without a value --git means HEAD",
        b"-" => "for standard input put - before --git: hooks publish EVENT - --git",
        [b'{', ..] => "put the JSON before --git: hooks publish EVENT '{…}' --git",
        [b'-', ..] => "a revision such as HEAD, main or a hash is wanted",
        _ => return Ok(()),
    };
    Err(Failure::usage("the value of --git is no revision").hint(hint))
}

/// Reads a commit. git is killed at the limit or at an interrupt, and what it has started, too.
pub(crate) fn commit(
    revision: &OsStr,
    limit: Duration,
    interrupt: &Interrupt,
) -> Result<Commit, Failure> {
    let shown = escape(&revision.to_string_lossy()).into_owned();
    let failed = |cause: &str| {
        Failure::new(Exit::Failed, format!("could not read the commit {shown}: {cause}"))
    };
    let bytes = revision.as_encoded_bytes();
    if matches!(bytes.len(), 40 | 64) && bytes.iter().all(|b| *b == b'0') {
        return Err(failed("it stands for a branch that was deleted")
            .hint("skip it in the hook: zeros as the new hash mean that nothing is deployed"));
    }
    let output = output(log(revision), limit, interrupt).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            failed("there is no git command").hint("install git, or set PATH in the hook")
        }
        io::ErrorKind::TimedOut => {
            let limit = humantime::format_duration(limit);
            failed(&format!("git did not answer within {limit}"))
                .hint(format!("see what it waits for: git log -1 {shown}"))
        }
        io::ErrorKind::Interrupted => {
            let mut failure = failed("interrupted");
            failure.exit = Exit::interrupted(interrupt.signal().unwrap_or_default());
            failure
        }
        _ => failed(&error.to_string()),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(explained(&failed, &shown, &said));
    }
    parse(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| failed("it names no commit"))
}

/// `git log`, whatever the user has configured for reading logs. Nobody can answer its questions, and a
/// partial clone asks no remote for what it lacks: neither for the commit nor for `.mailmap`.
fn log(revision: &OsStr) -> Command {
    let mut log = Command::new("git");
    log.args(["-c", "log.showSignature=false", "log", "-1", "--no-color"])
        .args(["--encoding=UTF-8", "--no-notes", "--no-mailmap"])
        .arg("--format=%H%x00%an%x00%ae%x00%cn%x00%B%x00")
        .arg("--end-of-options")
        .args([revision, OsStr::new("--")])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        // Its words are matched below.
        .env("LC_ALL", "C");
    log
}

/// Runs a command to its end. At the limit it is killed, and what it has started, too, and the error is
/// [`io::ErrorKind::TimedOut`]; at an interrupt it is [`io::ErrorKind::Interrupted`].
fn output(mut command: Command, limit: Duration, interrupt: &Interrupt) -> io::Result<Output> {
    let (sender, ended) = mpsc::channel();
    let interrupted = sender.clone();
    // Once it has ended nobody wants to know.
    interrupt.on_raise(move || drop(interrupted.send(Err(io::ErrorKind::Interrupted.into()))));
    if interrupt.signal().is_some() {
        return Err(io::ErrorKind::Interrupted.into());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = platform::in_own_group(&mut command).spawn()?;
    let group = child.id();
    let waiting = thread::Builder::new().spawn(move || drop(sender.send(child.wait_with_output())));
    let ended = waiting
        .and_then(|_| ended.recv_timeout(limit).unwrap_or(Err(io::ErrorKind::TimedOut.into())));
    if ended.is_err() {
        platform::kill_group(group);
    }
    ended
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

fn explained(failed: &dyn Fn(&str) -> Failure, shown: &str, said: &str) -> Failure {
    let says = |words: &str| said.contains(words);
    if says("not a git repository") {
        let hint = match std::env::var("GIT_DIR") {
            Ok(directory) => format!(
                "GIT_DIR is {}, as git set it where it started the hook: go back there, or unset GIT_DIR",
                escape(&directory)
            ),
            Err(_) => "run it inside the repository (a git hook does), or set GIT_DIR".to_owned(),
        };
        failed("there is no git repository here").hint(hint)
    } else if says("dubious ownership") {
        failed("the repository belongs to another user, and git does not trust it")
            .hint("as this user: git config --global --add safe.directory PATH")
    } else if says("does not have any commits yet") || says("bad revision 'HEAD'") {
        failed("there is no commit yet")
    } else if ["bad revision", "unknown revision", "bad object"].into_iter().any(says) {
        failed("git knows no such revision").hint(format!("see what there is: git log -1 {shown}"))
    } else {
        let line = said.lines().next().unwrap_or("git failed");
        failed(&escape(line.trim_start_matches("fatal: ")))
    }
}

/// Who deploys: whom the environment names, else the committer.
pub(crate) fn deployer(committer: &str) -> String {
    let named = DEPLOYER.into_iter().filter_map(std::env::var_os);
    named
        .map(|name| name.to_string_lossy().into_owned())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| committer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_that_was_meant_for_something_else_is_refused() {
        for bad in ["", "-", "{\"id\":1}", "--status"] {
            assert!(check_revision(OsStr::new(bad)).is_err(), "{bad}");
        }
        for good in ["HEAD", "main", "HEAD~2", "v1.0^{}"] {
            assert!(check_revision(OsStr::new(good)).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_message_is_kept_whole() {
        let commit = parse("h\0A\0a@x\0C\0one\n\ntwo \"$(x)\"\n\0\n").unwrap();
        assert_eq!(commit.message, "one\n\ntwo \"$(x)\"");
        assert_eq!(parse(""), None);
    }
}
