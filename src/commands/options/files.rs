//! What options take from files: URLs, headers, secrets, certificates, templates.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::cli::values::{Header, Source, header, url as checked_url};
use crate::delivery;
use crate::domain::hook::certificates_in;
use crate::exit::Failure;
use crate::security::redact;
use crate::security::signature::Secret;

/// More than this is none of these files, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// The URL that is given, or that a file holds.
pub(in crate::commands) fn url(source: &Source<String>) -> Result<String> {
    let path = match source {
        Source::Given(url) => return Ok(url.clone()),
        Source::File(path) => path,
    };
    read("read the URL from", path, |text| {
        Ok(checked_url(text.trim_end_matches(['\r', '\n'])).map_err(Failure::usage)?)
    })
}

/// The headers that are given, and those that files hold, a line each.
pub(super) fn headers(sources: &[Source<Header>]) -> Result<Vec<Header>> {
    let mut headers = Vec::new();
    for source in sources {
        match source {
            Source::Given(header) => headers.push(header.clone()),
            Source::File(path) => headers.extend(read("read the headers from", path, |text| {
                let lines = text.lines().enumerate();
                let lines = lines.filter(|(_, line)| !line.trim().is_empty());
                let parsed = lines.map(|(number, line)| {
                    let refused = |cause| format!("line {}: {cause}", number + 1);
                    header(line).map_err(refused).map_err(Failure::usage)
                });
                Ok(parsed.collect::<Result<Vec<Header>, Failure>>()?)
            })?),
        }
    }
    Ok(headers)
}

/// Reads a secret from a file, or from standard input with `-`.
pub(in crate::commands) fn secret(path: &Path) -> Result<Secret> {
    if path.to_string_lossy().starts_with("whsec_") && !path.exists() {
        let failure = Failure::usage("could not read the secret: there is no file of that name");
        let hint = "--secret-file takes a file that holds the secret, or -";
        return Err(failure.hint(hint).into());
    }
    read("read the secret from", path, |text| {
        let hint =
            "a secret is whsec_ and the Base64 of 24 to 64 bytes; --generate-secret makes one";
        Ok(Secret::parse(&text).map_err(|cause| Failure::usage(cause).hint(hint))?)
    })
}

pub(super) fn certificates(path: &Path) -> Result<String> {
    if path.as_os_str().is_empty() {
        return Ok(String::new());
    }
    read("read the certificates from", path, |text| {
        delivery::check_ca(&text).map_err(Failure::usage)?;
        // A private key in the same file is nothing to keep.
        Ok(certificates_in(&text))
    })
}

pub(super) fn template(path: &Path) -> Result<String> {
    if path.as_os_str().is_empty() {
        return Ok(String::new());
    }
    read("use the template", path, Ok)
}

/// A path for a message. The secret itself in its place is the most natural slip, and a URL another.
pub(super) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    match &*text {
        "-" => "standard input".to_owned(),
        text if text.starts_with("whsec_") => "a file of that name".to_owned(),
        text if text.contains("://") => redact::url(text),
        text => text.to_owned(),
    }
}

/// What `parse` makes of a file's text; the error begins with what could not be done.
fn read<T>(what: &str, path: &Path, parse: impl FnOnce(String) -> Result<T>) -> Result<T> {
    let parsed = text(path).and_then(parse);
    parsed.with_context(|| format!("could not {what} {}", shown(path)))
}

fn text(path: &Path) -> Result<String> {
    let file: Box<dyn Read> = if path == Path::new("-") {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            let failure = Failure::usage("standard input is a terminal");
            return Err(failure.hint("name a file").into());
        }
        Box::new(stdin.lock())
    } else {
        Box::new(File::open(path)?)
    };
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Failure::usage("it is larger than 1 MiB").into());
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let failure = Failure::usage("it is UTF-16 text");
        return Err(failure.hint("save it as UTF-8").into());
    }
    let text = String::from_utf8(bytes).context("it is not UTF-8 text")?;
    // Editors and shells on Windows put a byte order mark before UTF-8 text.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}
