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
    let could_not = format!("could not read the URL from {}", shown(path));
    let text = text(path).context(could_not.clone())?;
    let url = checked_url(text.trim_end_matches(['\r', '\n']));
    url.map_err(|cause| Failure::usage(format!("{could_not}: {cause}")).into())
}

/// The headers that are given, and those that files hold, a line each.
pub(super) fn headers(sources: &[Source<Header>]) -> Result<Vec<Header>> {
    let mut headers = Vec::new();
    for source in sources {
        let path = match source {
            Source::Given(header) => {
                headers.push(header.clone());
                continue;
            }
            Source::File(path) => path,
        };
        let could_not = format!("could not read the headers from {}", shown(path));
        let text = text(path).context(could_not.clone())?;
        let lines = text.lines().enumerate();
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            headers.push(header(line).map_err(|cause| {
                Failure::usage(format!("{could_not}: line {}: {cause}", number + 1))
            })?);
        }
    }
    Ok(headers)
}

/// Reads a secret from a file, or from standard input with `-`.
pub(in crate::commands) fn secret(path: &Path) -> Result<Secret> {
    if path.to_string_lossy().starts_with("whsec_") && !path.exists() {
        let failure = Failure::usage("could not read the secret: there is no file of that name");
        return Err(failure
            .hint("--secret-file takes a file that holds the secret, or -")
            .into());
    }
    let could_not = format!("could not read the secret from {}", shown(path));
    let text = text(path).context(could_not.clone())?;
    Secret::parse(&text).map_err(|cause| {
        Failure::usage(format!("{could_not}: {cause}"))
            .hint(
                "a secret is whsec_ and the Base64 of 24 to 64 bytes; --generate-secret makes one",
            )
            .into()
    })
}

pub(super) fn certificates(path: &Path) -> Result<String> {
    if path.as_os_str().is_empty() {
        return Ok(String::new());
    }
    let could_not = format!("could not read the certificates from {}", shown(path));
    let text = text(path).context(could_not.clone())?;
    delivery::check_ca(&text).map_err(|cause| Failure::usage(format!("{could_not}: {cause}")))?;
    // A private key in the same file is nothing to keep.
    Ok(certificates_in(&text))
}

pub(super) fn template(path: &Path) -> Result<String> {
    if path.as_os_str().is_empty() {
        return Ok(String::new());
    }
    text(path).with_context(|| format!("could not use the template {}", shown(path)))
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

fn text(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(Failure::usage("standard input is a terminal")
                .hint("name a file")
                .into());
        }
        stdin
            .lock()
            .take(LARGEST_FILE + 1)
            .read_to_end(&mut bytes)?;
    } else {
        File::open(path)?
            .take(LARGEST_FILE + 1)
            .read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Failure::usage("it is larger than 1 MiB").into());
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Failure::usage("it is UTF-16 text")
            .hint("save it as UTF-8")
            .into());
    }
    let text = String::from_utf8(bytes).context("it is not UTF-8 text")?;
    // Editors and shells on Windows put a byte order mark before UTF-8 text.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}
