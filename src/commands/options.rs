//! The options of a hook, from files and flags: shared by `add` and `edit`.

pub(super) mod files;

use anyhow::{Context as _, Result};
use chrono::Utc;

use crate::cli::HookOptions;
use crate::cli::values::Header;
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
            if !kudu::STATUSES.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                let known = kudu::STATUSES.join(", ");
                output.warning(format!("'{word}' is not a usual status: {known}"));
            }
        }
        if let Some(when) = self.when.as_deref().and_then(|when| filled(when.trim())) {
            renderer::check_condition(&when).map_err(|cause| {
                Failure::usage(format!("could not use the condition: {cause}")).hint(
                    "an expression is wanted, such as 'branch == \"main\" and status == \"failed\"'",
                )
            })?;
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

    /// The secret that was made, and so is to be shown, if the hook has taken it.
    pub(super) fn generated(&self, hook: &Hook) -> Option<&Secret> {
        let secret = self.secret.as_ref().filter(|_| self.generate_secret)?;
        (hook.secrets.first()?.secret == *secret).then_some(secret)
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
        set(&mut hook.name, name.as_deref());
        set(&mut hook.when, when.as_deref().map(str::trim));
        set(&mut hook.expect, expect.as_deref());
        set(&mut hook.ca_file, ca_text.as_deref());
        if let Some(insecure_ssl) = insecure_ssl {
            hook.insecure_ssl = *insecure_ssl;
        }
        if let Some(status) = status {
            hook.status.clone_from(&status.0);
        }
        for Header(name, value) in headers {
            hook.set_header(name, value);
        }
        if let Some(secret) = secret {
            hook.rotate(secret.clone(), Utc::now());
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
            let mut failure = Failure::usage(format!("{could_not}: {cause}"));
            failure.hint = cause.hint;
            failure
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

    /// The error of a name that another hook than `own` has, if one has it.
    pub(super) fn refuse_taken_name(
        &self,
        hooks: &[Hook],
        own: Option<HookId>,
    ) -> Result<(), Failure> {
        let name = self.name.as_deref().unwrap_or_default();
        refuse_taken(
            hooks,
            own,
            |hook| hook.is_called(name),
            |hook| format!("could not use the name {name}: hook {} has it", hook.id),
        )
    }

    /// The flags that would make this hook as the options want it. An option that is not given is not
    /// compared, apart from `--insecure-ssl`, as with Kudu: who asks for a certificate to be checked
    /// must not be told that all is well.
    pub(super) fn differences(&self, hook: &Hook) -> Vec<String> {
        let mut wanted = Hook { insecure_ssl: false, ..hook.clone() };
        self.apply(&mut wanted);
        let lower = |name: &Option<String>| name.as_deref().map(str::to_ascii_lowercase);
        let shown = |text: &Option<String>| quoted(text.as_deref().unwrap_or_default());
        let insecure_ssl = if wanted.insecure_ssl { "" } else { "=false" };
        let mut flags = vec![
            (lower(&wanted.name) != lower(&hook.name), format!("--name {}", shown(&wanted.name))),
            (wanted.insecure_ssl != hook.insecure_ssl, format!("--insecure-ssl{insecure_ssl}")),
            (
                !same_words(&wanted.status, &hook.status),
                format!("--status {}", quoted(&wanted.status.join(","))),
            ),
            (wanted.when != hook.when, format!("--when {}", shown(&wanted.when))),
            (wanted.expect != hook.expect, format!("--expect {}", shown(&wanted.expect))),
        ];
        flags.extend(self.headers.iter().map(|Header(name, value)| {
            let is_it = |(known, present): &(String, String)| {
                known.eq_ignore_ascii_case(name) && present == value
            };
            let differs = !value.is_empty() && !hook.headers.iter().any(is_it);
            (differs, format!("--header '{name}: …'"))
        }));
        let secret = if self.generate_secret { "--generate-secret" } else { "--secret-file FILE" };
        let format = |hook: &Hook| hook.format.clone().filter(|name| name != RAW);
        let is_other_body = format(&wanted) != format(hook) || wanted.template != hook.template;
        let no_file = self.template.as_ref().is_some_and(|path| path.as_os_str().is_empty());
        let template = if no_file { "--template ''" } else { "--template FILE" };
        flags.extend([
            (wanted.secrets != hook.secrets, secret.to_owned()),
            (wanted.ca_file != hook.ca_file, "--ca-file PEM".to_owned()),
            (self.template.is_some() && wanted.template != hook.template, template.to_owned()),
        ]);
        if let Some(format) = &self.format {
            flags.push((is_other_body, format!("--format {format}")));
        }
        flags.into_iter().filter(|(differs, _)| *differs).map(|(_, flag)| flag).collect()
    }
}

/// The error of what another hook than `own` has already, if one has it.
pub(super) fn refuse_taken(
    hooks: &[Hook],
    own: Option<HookId>,
    has_it: impl Fn(&Hook) -> bool,
    message: impl Fn(&Hook) -> String,
) -> Result<(), Failure> {
    match hooks.iter().find(|hook| Some(hook.id) != own && has_it(hook)) {
        None => Ok(()),
        Some(hook) => Err(Failure::new(Exit::Conflict, message(hook))
            .hint(format!("see 'hooks show {}'", hook.id))),
    }
}

fn same_words(a: &[String], b: &[String]) -> bool {
    let has = |words: &[String], word: &String| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    a.iter().all(|word| has(b, word)) && b.iter().all(|word| has(a, word))
}

/// A text as one word of a shell, for a hint that can be pasted.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Sets a text that is given; an empty one clears.
fn set(place: &mut Option<String>, given: Option<&str>) {
    if let Some(text) = given {
        *place = filled(text);
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    /// Options as they are given, alone.
    fn options(arguments: &[&str]) -> HookOptions {
        let command = HookOptions::augment_args(clap::Command::new("x").no_binary_name(true));
        let mut options =
            HookOptions::from_arg_matches(&command.get_matches_from(arguments)).unwrap();
        let _ = options.load(Output { quiet: true, verbose: false, reveal: false });
        options
    }

    #[test]
    fn each_option_makes_a_hook_that_lacks_it_differ() {
        let (hook, file) = (Hook::new(HookId(1), String::new(), String::new()), "Cargo.toml");
        let command = HookOptions::augment_args(clap::Command::new("x"));
        for flag in command.get_arguments().filter_map(clap::Arg::get_long) {
            let arguments: &[&str] = match flag {
                "name" => &["--name", "chat"],
                "format" => &["--format", "slack"],
                "status" => &["--status", "failed"],
                "when" => &["--when", "a == 1"],
                "header" => &["--header", "A: b"],
                "generate-secret" => &["--generate-secret"],
                "template" => &["--template", file],
                "expect" => &["--expect", "ok"],
                "insecure-ssl" => &["--insecure-ssl"],
                // Their files are read and checked: tests/cli has them.
                "secret-file" | "ca-file" => continue,
                new => panic!("--{new} is to be compared, too: how is it given?"),
            };
            let differences = options(arguments).differences(&hook);
            assert_eq!(differences.len(), 1, "--{flag}: {differences:?}");
            assert!(differences[0].starts_with(arguments[0]), "{differences:?}");
            let mut other = hook.clone();
            options(arguments).apply(&mut other);
            let again = usize::from(flag == "generate-secret");
            assert_eq!(options(arguments).differences(&other).len(), again, "--{flag}");
        }
    }
}
