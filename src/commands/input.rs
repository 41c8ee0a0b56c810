//! Where a deployment is read from, and what is said of one that cannot be read.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::domain::deployment::{Deployment, LIMIT};
use crate::domain::json::JsonError;
use crate::exit::{Exit, Failure};
use crate::security::redact;

/// Where a deployment is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    /// Standard input.
    Stdin,
    /// A file.
    File(&'a str),
    /// The argument itself.
    Text(&'a str),
    /// Nothing is read: flags make it.
    Nothing,
}

impl<'a> Source<'a> {
    /// What the DEPLOYMENT argument means. Without one, standard input is read, unless flags make
    /// the deployment: in a git hook it holds the pushed refs, which a loop is still reading.
    pub(crate) fn of(argument: Option<&'a str>, made_by_flags: bool) -> Self {
        match argument {
            Some("-") => Self::Stdin,
            Some(text) => match text.strip_prefix('@') {
                Some(path) => Self::File(path),
                None => Self::Text(text),
            },
            None if made_by_flags => Self::Nothing,
            None => Self::Stdin,
        }
    }
}

/// Reads and checks a deployment.
pub(crate) fn read(source: Source) -> Result<Deployment> {
    match source {
        Source::Nothing => Ok(Deployment::empty()),
        Source::Text(text) => argument(text),
        Source::File(path) => file(path),
        Source::Stdin => stdin(),
    }
}

fn argument(text: &str) -> Result<Deployment> {
    Deployment::parse(text.as_bytes().to_vec()).map_err(|error| {
        let hint = if Path::new(text).is_file() {
            "a file is given as @FILE"
        } else {
            "quote the JSON as one argument: '{\"id\":\"42\"}'; or give @FILE, or - for standard input"
        };
        refused("the argument", &error).hint(hint).into()
    })
}

fn file(path: &str) -> Result<Deployment> {
    // A URL in a path's place may have a password in it.
    let shown = if path.contains("://") {
        redact::url(path)
    } else {
        path.to_owned()
    };
    let unread = || format!("could not read the deployment from {shown}");
    let file = File::open(path).with_context(unread)?;
    let bytes = bounded(file).with_context(unread)?;
    Deployment::parse(bytes).map_err(|error| refused(&shown, &error).into())
}

fn stdin() -> Result<Deployment> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let message = "could not read the deployment: standard input is a terminal";
        let hint = "give the JSON as an argument, @FILE, or from a pipe or file: < deploy.json";
        return Err(Failure::usage(message).hint(hint).into());
    }
    let bytes =
        bounded(stdin.lock()).context("could not read the deployment from standard input")?;
    let error = match Deployment::parse(bytes.clone()) {
        Ok(deployment) => return Ok(deployment),
        Err(error) => error,
    };
    if is_git_refs(&bytes) {
        let message = "could not read the deployment from standard input: it holds git's ref lines";
        let hint = "in a git hook, --git REV makes the deployment from a commit: \
                    while read old new ref; do hooks publish EVENT --git \"$new\"; done";
        return Err(Failure::new(Exit::Failed, message).hint(hint).into());
    }
    // `echo deploy.json | hooks publish EVENT`, Kudu's documentation with curl's @ left out.
    if let Some(path) = named_file(&bytes) {
        return file(path);
    }
    let refused = refused("standard input", &error);
    Err(refused
        .hint("one JSON object is wanted, or one line that names a file")
        .into())
}

/// At most one byte more than is allowed, which is enough to know.
fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn refused(source: &str, error: &JsonError) -> Failure {
    let message = format!("could not read the deployment from {source}: {error}");
    Failure::new(Exit::Failed, message)
}

/// Whether the input is what git gives to a post-receive hook: `old new ref` a line.
fn is_git_refs(bytes: &[u8]) -> bool {
    let hash =
        |word: &str| matches!(word.len(), 40 | 64) && word.bytes().all(|b| b.is_ascii_hexdigit());
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let words: Vec<&str> = text.lines().next().unwrap_or("").splitn(3, ' ').collect();
    matches!(words[..], [old, new, name] if hash(old) && hash(new) && name.starts_with("refs/"))
}

fn named_file(bytes: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(bytes)
        .ok()?
        .trim_end_matches(['\n', '\r']);
    let one_line = !line.is_empty() && line.len() < 4096 && !line.contains(['\n', '\0']);
    (one_line && Path::new(line).is_file()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_says_where_to_read() {
        assert_eq!(Source::of(None, false), Source::Stdin);
        assert_eq!(Source::of(None, true), Source::Nothing);
        assert_eq!(Source::of(Some("-"), true), Source::Stdin);
        assert_eq!(Source::of(Some("@a.json"), false), Source::File("a.json"));
        assert_eq!(Source::of(Some("{}"), false), Source::Text("{}"));
    }

    #[test]
    fn gits_ref_lines_are_known() {
        let zero = "0".repeat(40);
        assert!(is_git_refs(
            format!("{zero} {zero} refs/heads/main\n").as_bytes()
        ));
        assert!(!is_git_refs(format!("{zero} refs/heads/main\n").as_bytes()));
        assert!(!is_git_refs(b"deploy.json\n"));
    }
}
