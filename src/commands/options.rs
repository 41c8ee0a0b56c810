//! The options of a hook, from files and flags: shared by `add` and `edit`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::Utc;

use crate::cli::HookOptions;
use crate::domain::hook::{Hook, certificates_in};
use crate::exit::Failure;
use crate::format::RenderError;
use crate::output::Output;
use crate::security::redact;
use crate::security::signature::Secret;
use crate::{delivery, format};

/// More than this is no PEM file, no template and no secret, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Kudu's statuses; another one may be a slip of the finger.
const KNOWN: [&str; 5] = ["pending", "building", "deploying", "failed", "success"];

/// The options, with their files read and checked. `None` is not given, an empty value clears.
#[derive(Debug)]
pub(super) struct Options {
    insecure_ssl: Option<bool>,
    status: Option<Vec<String>>,
    headers: Vec<(String, String)>,
    /// The secret to sign with from now on.
    pub(super) secret: Option<Secret>,
    /// Whether the secret was generated, and so is to be shown.
    pub(super) generated: bool,
    ca_file: Option<String>,
    format: Option<String>,
    template: Option<String>,
}

impl Options {
    /// Reads the files that the flags name.
    pub(super) fn read(output: Output, options: &HookOptions) -> Result<Self> {
        let status = options.status.as_ref().map(|statuses| statuses.0.clone());
        for word in status.iter().flatten() {
            if !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                output.warning(format!(
                    "'{word}' is none of Kudu's statuses: {}",
                    KNOWN.join(", ")
                ));
            }
        }
        Ok(Self {
            insecure_ssl: options.insecure_ssl,
            status,
            headers: options
                .header
                .iter()
                .map(|h| (h.0.clone(), h.1.clone()))
                .collect(),
            secret: secret(options)?,
            generated: options.generate_secret,
            ca_file: options.ca_file.as_deref().map(ca_file).transpose()?,
            format: options.format.clone(),
            template: options.template.as_deref().map(template).transpose()?,
        })
    }

    /// Whether nothing is given.
    pub(super) fn is_empty(&self) -> bool {
        self.insecure_ssl.is_none()
            && self.status.is_none()
            && self.headers.is_empty()
            && self.secret.is_none()
            && self.ca_file.is_none()
            && self.format.is_none()
            && self.template.is_none()
    }

    /// Sets what is given.
    pub(super) fn apply(&self, hook: &mut Hook) {
        if let Some(insecure_ssl) = self.insecure_ssl {
            hook.insecure_ssl = insecure_ssl;
        }
        if let Some(status) = &self.status {
            hook.status.clone_from(status);
        }
        for (name, value) in &self.headers {
            hook.set_header(name, value);
        }
        if let Some(secret) = &self.secret {
            hook.rotate(secret.clone(), Utc::now());
        }
        if let Some(pem) = &self.ca_file {
            hook.ca_file = some(pem);
        }
        if let Some(format) = &self.format {
            hook.format = some(format).filter(|name| name != "raw");
            hook.template = None;
        }
        if let Some(template) = &self.template {
            hook.template = some(template);
            hook.format = None;
        }
    }

    /// The flags that would make this hook as the options want it. An option that is not given is not
    /// compared, apart from `--insecure-ssl`, as with Kudu: who asks for a certificate to be checked
    /// must not be told that all is well.
    pub(super) fn differences(&self, hook: &Hook) -> Vec<String> {
        let mut flags = Vec::new();
        match (hook.insecure_ssl, self.insecure_ssl.unwrap_or(false)) {
            (false, true) => flags.push("--insecure-ssl".to_owned()),
            (true, false) => flags.push("--insecure-ssl=false".to_owned()),
            _ => {}
        }
        if let Some(status) = &self.status
            && !same_words(status, &hook.status)
        {
            flags.push(format!("--status '{}'", status.join(",")));
        }
        for (name, value) in &self.headers {
            let same = |(known, present): &(String, String)| {
                known.eq_ignore_ascii_case(name) && present == value
            };
            if !value.is_empty() && !hook.headers.iter().any(same) {
                flags.push(format!("--header '{name}: …'"));
            }
        }
        match &self.secret {
            Some(_) if self.generated => flags.push("--generate-secret".to_owned()),
            Some(secret) if hook.signing(Utc::now()).next() != Some(secret) => {
                flags.push("--secret-file FILE".to_owned());
            }
            _ => {}
        }
        let differs = |wanted: &Option<String>, present: &Option<String>| {
            wanted
                .as_deref()
                .is_some_and(|text| text != present.as_deref().unwrap_or(""))
        };
        if differs(&self.ca_file, &hook.ca_file) {
            flags.push("--ca-file PEM".to_owned());
        }
        if differs(&self.template, &hook.template) {
            flags.push("--template FILE".to_owned());
        }
        if let Some(format) = &self.format
            && (format != hook.format.as_deref().unwrap_or("raw") || hook.template.is_some())
        {
            flags.push(format!("--format {format}"));
        }
        flags
    }
}

fn same_words(a: &[String], b: &[String]) -> bool {
    let has = |words: &[String], word: &String| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    a.iter().all(|word| has(b, word)) && b.iter().all(|word| has(a, word))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn secret(options: &HookOptions) -> Result<Option<Secret>> {
    if options.generate_secret {
        let secret = Secret::generate().context("could not generate a secret")?;
        return Ok(Some(secret));
    }
    options.secret_file.as_deref().map(read_secret).transpose()
}

/// Reads a secret from a file, or from standard input with `-`.
pub(super) fn read_secret(path: &Path) -> Result<Secret> {
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

fn ca_file(path: &Path) -> Result<String> {
    if path.as_os_str().is_empty() {
        return Ok(String::new());
    }
    let could_not = format!("could not read the certificates from {}", shown(path));
    let text = text(path).context(could_not.clone())?;
    delivery::check_ca(&text).map_err(|cause| Failure::usage(format!("{could_not}: {cause}")))?;
    // A private key in the same file is nothing to keep.
    Ok(certificates_in(&text))
}

fn template(path: &Path) -> Result<String> {
    if path.as_os_str().is_empty() {
        return Ok(String::new());
    }
    let could_not = format!("could not use the template {}", shown(path));
    let text = text(path).context(could_not.clone())?;
    format::check(&text).map_err(|cause| {
        let refused = Failure::usage(format!("{could_not}: {cause}"));
        match cause {
            RenderError::NotJson(_) => {
                refused.hint("values bring their own quotes: {\"text\": {{ message }}}")
            }
            _ => refused,
        }
    })?;
    Ok(text)
}

/// A path for a message. The secret itself in its place is the most natural slip, and a URL another.
fn shown(path: &Path) -> String {
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
    String::from_utf8(bytes).context("it is not UTF-8 text")
}
