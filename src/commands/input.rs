//! Where a deployment is read from, and what is said of one that cannot be read.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::domain::cloudevent::LIMIT;
use crate::domain::json::JsonError;
use crate::exit::{Exit, Failure};
use crate::platform;
use crate::security::redact;
use crate::store::registry::Registry;

/// By how much a copy of a file may be longer or shorter: `$(…)` drops line ends.
const WHITE_SPACE: u64 = 16;

/// Where a deployment is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    /// Standard input.
    Stdin,
    /// A file.
    File(&'a Path),
    /// The argument itself.
    Text(&'a OsStr),
}

impl<'a> Source<'a> {
    /// What the DEPLOYMENT argument means.
    pub(crate) fn of(argument: Option<&'a OsStr>) -> Self {
        let Some(text) = argument.filter(|text| *text != "-") else {
            return Self::Stdin;
        };
        match platform::strip_prefix(text, "@") {
            Some(path) => Self::File(Path::new(path)),
            None => Self::Text(text),
        }
    }
}

/// How a deployment, or what holds one, is read.
type Parse<T> = fn(Vec<u8>) -> Result<T, JsonError>;

/// The files of the registry.
type Own = [PathBuf; 4];

/// Reads and checks a deployment. What holds this registry's secrets is none.
pub(crate) fn read<T>(source: Source, registry: &Registry, parse: Parse<T>) -> Result<T> {
    let own = registry.own_files();
    match source {
        Source::Text(text) => argument(text, &own, parse),
        Source::File(path) => file(path, &own, parse),
        Source::Stdin => stdin(&own, parse),
    }
}

/// Refuses an input that is a file of the registry, as `is_same` tells, or a copy of one: a slip of the finger
/// would send the secrets of each receiver to all of them.
fn refuse_own(
    own: &Own,
    source: &str,
    bytes: &[u8],
    is_same: impl Fn(&Path) -> bool,
) -> Result<(), Failure> {
    let mut own = own.iter();
    let Some(path) = own.find(|path| is_same(path) || is_copy(path, bytes)) else {
        return Ok(());
    };
    let path = path.display();
    let message = format!(
        "could not read the deployment from {source}: it is {path}, which holds the hooks' secrets"
    );
    Err(Failure::new(Exit::Failed, message).hint("name the file of the deployment"))
}

/// Whether the bytes are this file's, but for white space at the ends.
fn is_copy(path: &Path, bytes: &[u8]) -> bool {
    let length = fs::metadata(path).map_or(0, |file| if file.is_file() { file.len() } else { 0 });
    let is_as_long = length > 0 && length.abs_diff(bytes.len() as u64) <= WHITE_SPACE;
    let read = || File::open(path).and_then(bounded);
    is_as_long && read().is_ok_and(|own| own.trim_ascii() == bytes.trim_ascii())
}

fn argument<T>(text: &OsStr, own: &Own, parse: Parse<T>) -> Result<T> {
    refuse_own(own, "the argument", text.as_encoded_bytes(), |_| false)?;
    parse(text.as_encoded_bytes().to_vec()).map_err(|error| {
        let hint = if Path::new(text).is_file() {
            "a file is given as @FILE"
        } else {
            "quote the JSON as one argument: '{\"id\":\"42\"}'; or give @FILE, or - for standard input"
        };
        refused("the argument", &error).hint(hint).into()
    })
}

fn file<T>(path: &Path, own: &Own, parse: Parse<T>) -> Result<T> {
    let shown = path.to_string_lossy();
    // A URL in a path's place may have a password in it.
    let shown = if shown.contains("://") { redact::url(&shown) } else { shown.into_owned() };
    let unread = || format!("could not read the deployment from {shown}");
    let file = File::open(path).with_context(unread)?;
    let bytes = bounded(&file).with_context(unread)?;
    refuse_own(own, &shown, &bytes, |path| platform::is_same_file(&file, path))?;
    parse(bytes).map_err(|error| refused(&shown, &error).into())
}

fn stdin<T>(own: &Own, parse: Parse<T>) -> Result<T> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let message = "could not read the deployment: standard input is a terminal";
        let hint = "give the JSON as an argument, @FILE, or from a pipe or file: < deploy.json";
        return Err(Failure::usage(message).hint(hint).into());
    }
    let bytes =
        bounded(stdin.lock()).context("could not read the deployment from standard input")?;
    refuse_own(own, "standard input", &bytes, |path| platform::is_same_file(&stdin, path))?;
    let error = match parse(bytes.clone()) {
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
        return file(Path::new(path), own, parse);
    }
    let hint = "one JSON object is wanted, or one line that names a file";
    Err(refused("standard input", &error).hint(hint).into())
}

/// At most one byte more than is allowed for any input, which is enough to know.
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
    let line = std::str::from_utf8(bytes).ok()?.trim_end_matches(['\n', '\r']);
    let one_line = !line.is_empty() && line.len() < 4096 && !line.contains(['\n', '\0']);
    (one_line && Path::new(line).is_file()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_says_where_to_read() {
        let of = |argument: Option<&'static str>| Source::of(argument.map(OsStr::new));
        assert_eq!(of(None), Source::Stdin);
        assert_eq!(of(Some("-")), Source::Stdin);
        assert_eq!(of(Some("@a.json")), Source::File(Path::new("a.json")));
        assert_eq!(of(Some("{}")), Source::Text(OsStr::new("{}")));
    }

    #[test]
    fn gits_ref_lines_are_known() {
        let zero = "0".repeat(40);
        assert!(is_git_refs(format!("{zero} {zero} refs/heads/main\n").as_bytes()));
        assert!(!is_git_refs(format!("{zero} refs/heads/main\n").as_bytes()));
        assert!(!is_git_refs(b"deploy.json\n"));
    }
}
