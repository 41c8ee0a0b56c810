//! The options of a hook, from files and flags: shared by `add` and `edit`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::Utc;

use crate::cli::HookOptions;
use crate::cli::values::{Header, Statuses};
use crate::delivery;
use crate::domain::hook::{Hook, HookId, certificates_in};
use crate::domain::kudu;
use crate::exit::{Exit, Failure};
use crate::format::{self, renderer};
use crate::output::Output;
use crate::security::redact;
use crate::security::signature::Secret;

/// More than this is no PEM file, no template and no secret, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// The format that is none: the deployment's own bytes.
const RAW: &str = "raw";

impl HookOptions {
    /// Reads the files that the flags name, and makes the secret that is asked for.
    pub(super) fn load(&mut self, output: Output) -> Result<()> {
        for word in self.status.iter().flat_map(|statuses| &statuses.0) {
            let known = kudu::STATUSES;
            if !known.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                let known = known.join(", ");
                output.warning(format!("'{word}' is none of Kudu's statuses: {known}"));
            }
        }
        if let Some(when) = self.when.as_deref().filter(|when| !when.trim().is_empty()) {
            check_condition(when.trim())?;
        }
        self.secret = if self.generate_secret {
            Some(Secret::generate().context("could not generate a secret")?)
        } else {
            self.secret_file.as_deref().map(read_secret).transpose()?
        };
        self.ca_text = self.ca_file.as_deref().map(ca_file).transpose()?;
        self.template_text = self.template.as_deref().map(read_template).transpose()?;
        Ok(())
    }

    /// The secret that was made, and so is to be shown.
    pub(super) fn generated(&self) -> Option<&Secret> {
        self.secret.as_ref().filter(|_| self.generate_secret)
    }

    /// Sets what is given; an empty value clears.
    pub(super) fn apply(&self, hook: &mut Hook) {
        // Without `..`: a new option must be applied.
        let Self {
            name,
            insecure_ssl,
            status,
            when,
            expect,
            header,
            secret_file: _,
            generate_secret: _,
            secret,
            ca_file: _,
            ca_text,
            format,
            template: _,
            template_text,
        } = self;
        if let Some(name) = name {
            hook.name = filled(name);
        }
        if let Some(insecure_ssl) = insecure_ssl {
            hook.insecure_ssl = *insecure_ssl;
        }
        if let Some(status) = status {
            hook.status.clone_from(&status.0);
        }
        if let Some(when) = when {
            hook.when = filled(when.trim());
        }
        if let Some(expect) = expect {
            hook.expect = filled(expect);
        }
        for Header(name, value) in header {
            hook.set_header(name, value);
        }
        if let Some(secret) = secret {
            hook.rotate(secret.clone(), Utc::now());
        }
        if let Some(pem) = ca_text {
            hook.ca_file = filled(pem);
        }
        if let Some(format) = format {
            hook.format = filled(format).filter(|name| name != RAW);
            hook.template = None;
        }
        if let Some(template) = template_text {
            hook.template = filled(template);
            hook.format = None;
        }
    }

    /// The error of a template that does not work in this hook, if these options make it so. What it must
    /// yield depends on the hook's content type.
    pub(super) fn check_template(&self, hook: &Hook) -> Result<(), Failure> {
        let is_type = |header: &Header| header.0.eq_ignore_ascii_case("content-type");
        let could_not = match &self.template {
            Some(path) => format!("could not use the template {}", shown(path)),
            None if self.header.iter().any(is_type) => {
                "could not use the hook's template with this content type".to_owned()
            }
            None => return Ok(()),
        };
        let Some(template) = &hook.template else {
            return Ok(());
        };
        renderer::check(template, hook.content_type()).map_err(|cause| {
            let failure = Failure::usage(format!("{could_not}: {cause}"));
            match cause.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })
    }

    /// Says which format a URL's service wants, where none was chosen.
    pub(super) fn suggest_format(&self, output: Output, hook: &Hook) {
        let is_chosen = self.format.is_some() || hook.format.is_some() || hook.template.is_some();
        if let (false, Some(format)) = (is_chosen, format::for_url(&hook.url)) {
            output.note(format!(
                "the service behind this URL wants messages of its own: hooks edit {} --format {format}",
                hook.id
            ));
        }
    }

    /// The error of a name that another hook has, if there is one but `own`.
    pub(super) fn refuse_taken_name(
        &self,
        hooks: &[Hook],
        own: Option<HookId>,
    ) -> Result<(), Failure> {
        let Some(name) = &self.name else {
            return Ok(());
        };
        let mut others = hooks.iter().filter(|hook| Some(hook.id) != own);
        match others.find(|hook| hook.is_called(name)) {
            None => Ok(()),
            Some(other) => {
                let message = format!("could not use the name {name}: hook {} has it", other.id);
                Err(Failure::new(Exit::Conflict, message)
                    .hint(format!("see 'hooks show {}'", other.id)))
            }
        }
    }

    /// The flags that would make this hook as the options want it. An option that is not given is not
    /// compared, apart from `--insecure-ssl`, as with Kudu: who asks for a certificate to be checked
    /// must not be told that all is well.
    pub(super) fn differences(&self, hook: &Hook) -> Vec<String> {
        // Without `..`: a new option must be compared.
        let Self {
            name,
            insecure_ssl,
            status,
            when,
            expect,
            header,
            secret_file: _,
            generate_secret,
            secret,
            ca_file: _,
            ca_text,
            format,
            template: _,
            template_text,
        } = self;
        let mut flags = Vec::new();
        if let Some(name) = name
            && !name.eq_ignore_ascii_case(hook.name.as_deref().unwrap_or(""))
        {
            flags.push(format!("--name '{name}'"));
        }
        match (hook.insecure_ssl, insecure_ssl.unwrap_or(false)) {
            (false, true) => flags.push("--insecure-ssl".to_owned()),
            (true, false) => flags.push("--insecure-ssl=false".to_owned()),
            _ => {}
        }
        if let Some(Statuses(status)) = status
            && !same_words(status, &hook.status)
        {
            flags.push(format!("--status {}", quoted(&status.join(","))));
        }
        if let Some(when) = when.as_deref().map(str::trim)
            && when != hook.when.as_deref().unwrap_or("")
        {
            flags.push(format!("--when {}", quoted(when)));
        }
        if let Some(expect) = expect
            && expect != hook.expect.as_deref().unwrap_or("")
        {
            flags.push(format!("--expect {}", quoted(expect)));
        }
        for Header(name, value) in header {
            let same = |(known, present): &(String, String)| {
                known.eq_ignore_ascii_case(name) && present == value
            };
            if !value.is_empty() && !hook.headers.iter().any(same) {
                flags.push(format!("--header '{name}: …'"));
            }
        }
        match secret {
            Some(_) if *generate_secret => flags.push("--generate-secret".to_owned()),
            Some(secret) if hook.signing(Utc::now()).next() != Some(secret) => {
                flags.push("--secret-file FILE".to_owned());
            }
            _ => {}
        }
        if differs(ca_text.as_ref(), hook.ca_file.as_ref()) {
            flags.push("--ca-file PEM".to_owned());
        }
        if differs(template_text.as_ref(), hook.template.as_ref()) {
            flags.push("--template FILE".to_owned());
        }
        if let Some(format) = format
            && (format != hook.format.as_deref().unwrap_or(RAW) || hook.template.is_some())
        {
            flags.push(format!("--format {format}"));
        }
        flags
    }
}

/// Whether an option is given and the hook has something else; an empty text is nothing.
fn differs(wanted: Option<&String>, present: Option<&String>) -> bool {
    wanted.is_some_and(|text| text != present.map_or("", String::as_str))
}

fn same_words(a: &[String], b: &[String]) -> bool {
    let has = |words: &[String], word: &String| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    a.iter().all(|word| has(b, word)) && b.iter().all(|word| has(a, word))
}

/// A text as one word of a shell, for a hint that can be pasted.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn check_condition(condition: &str) -> Result<(), Failure> {
    renderer::check_condition(condition).map_err(|cause| {
        Failure::usage(format!("could not use the condition: {cause}"))
            .hint("an expression is wanted, such as 'branch == \"main\" and status == \"failed\"'")
    })
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

fn read_template(path: &Path) -> Result<String> {
    if path.as_os_str().is_empty() {
        return Ok(String::new());
    }
    text(path).with_context(|| format!("could not use the template {}", shown(path)))
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
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Failure::usage("it is UTF-16 text")
            .hint("save it as UTF-8")
            .into());
    }
    let text = String::from_utf8(bytes).context("it is not UTF-8 text")?;
    // Editors and shells on Windows put a byte order mark before UTF-8 text.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}
