//! The options of a hook, from files and flags: shared by `add` and `edit`.

pub(super) mod files;

use anyhow::{Context as _, Result};
use chrono::Utc;

use crate::cli::HookOptions;
use crate::cli::values::{Header, Statuses};
use crate::domain::hook::{Hook, HookId};
use crate::domain::kudu;
use crate::exit::{Exit, Failure};
use crate::format::{self, renderer};
use crate::output::Output;
use crate::security::signature::Secret;

/// The format that is none: the deployment's own bytes.
const RAW: &str = "raw";

impl HookOptions {
    /// Reads the files that the flags name, and makes the secret that is asked for.
    pub(super) fn load(&mut self, output: Output) -> Result<()> {
        for word in self.status.iter().flat_map(|statuses| &statuses.0) {
            let known = kudu::STATUSES;
            if !known.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                let known = known.join(", ");
                output.warning(format!("'{word}' is not a usual status: {known}"));
            }
        }
        if let Some(when) = self.when.as_deref().filter(|when| !when.trim().is_empty()) {
            check_condition(when.trim())?;
        }
        self.secret = if self.generate_secret {
            Some(Secret::generate().context("could not generate a secret")?)
        } else {
            self.secret_file.as_deref().map(files::secret).transpose()?
        };
        self.headers = files::headers(&self.header)?;
        let ca_file = self.ca_file.as_deref();
        self.ca_text = ca_file.map(files::certificates).transpose()?;
        self.template_text = self.template.as_deref().map(files::template).transpose()?;
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
            header: _,
            headers,
            secret_file: _,
            generate_secret: _,
            secret,
            ca_file: _,
            ca_text,
            format,
            template,
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
        for Header(name, value) in headers {
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
        if let Some(path) = template {
            // No file clears; an empty file is a template, for an empty body.
            let is_file = !path.as_os_str().is_empty();
            hook.template = template_text.clone().filter(|_| is_file);
            hook.format = None;
        }
    }

    /// The error of a template that does not work in this hook, if these options make it so. What it must
    /// yield depends on the hook's content type.
    pub(super) fn check_template(&self, hook: &Hook) -> Result<(), Failure> {
        let is_type = |header: &Header| header.0.eq_ignore_ascii_case("content-type");
        let could_not = match &self.template {
            Some(path) => format!("could not use the template {}", files::shown(path)),
            None if self.headers.iter().any(is_type) => {
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
                Err(taken(message, other))
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
            header: _,
            headers,
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
        for Header(name, value) in headers {
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

/// The error of what another hook has already.
pub(super) fn taken(message: String, other: &Hook) -> Failure {
    let hint = format!("see 'hooks show {}'", other.id);
    Failure::new(Exit::Conflict, message).hint(hint)
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
