//! The options of a hook, which `add` and `edit` share.

// The doc comments are help texts.
#![allow(clippy::doc_markdown)]

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::values;
use crate::security::signature::Secret;

/// The options of a hook, for `add` and `edit`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of the hook")]
pub(crate) struct HookOptions {
    /// What to call it, in place of its id; such as chat
    #[arg(long, value_name = "NAME", value_parser = values::name)]
    pub(crate) name: Option<String>,
    /// Do not check the receiver's certificate, for this hook alone
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_name = "BOOL", hide_possible_values = true)]
    pub(crate) insecure_ssl: Option<bool>,
    /// Deliver only deployments with one of these statuses, such as failed,success
    #[arg(long, value_name = "STATUS,…", value_parser = values::statuses)]
    pub(crate) status: Option<values::Statuses>,
    /// Deliver only where this is true, such as 'branch == "main"' (minijinja)
    #[arg(long, value_name = "EXPR")]
    pub(crate) when: Option<String>,
    /// Count a 2xx as failed whose body lacks this text, such as '"ok":true'
    #[arg(long, value_name = "TEXT", value_parser = values::expected)]
    pub(crate) expect: Option<String>,
    /// Send this header, too, or those in @FILE, a line each (repeatable)
    #[arg(long, value_name = "NAME: VALUE", value_parser = values::header_source())]
    pub(crate) header: Vec<values::Source<values::Header>>,
    /// Sign with the secret in this file (whsec_…), or from standard input with -
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath, value_parser = values::path())]
    pub(crate) secret_file: Option<PathBuf>,
    /// Make a secret, sign with it, and print it this once
    #[arg(long, conflicts_with = "secret_file")]
    pub(crate) generate_secret: bool,
    /// Trust the certificates in this PEM file, too; its text is stored in the hook
    #[arg(long, value_name = "PEM", value_hint = ValueHint::FilePath, value_parser = values::path())]
    pub(crate) ca_file: Option<PathBuf>,
    /// The body that the service expects
    #[arg(long, value_name = "FORMAT", value_parser = crate::format::NAMES)]
    pub(crate) format: Option<String>,
    /// Render the body by this template (minijinja, JSON); its text is stored in the hook
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::path(), conflicts_with = "format")]
    pub(crate) template: Option<PathBuf>,
    /// The headers, also those from files; set by [`HookOptions::load`], as what follows.
    #[arg(skip)]
    pub(crate) headers: Vec<values::Header>,
    /// The secret, read or generated.
    #[arg(skip)]
    pub(crate) secret: Option<Secret>,
    /// The text of `ca_file`: certificates alone.
    #[arg(skip)]
    pub(crate) ca_text: Option<String>,
    /// The text of `template`.
    #[arg(skip)]
    pub(crate) template_text: Option<String>,
}

impl HookOptions {
    /// Whether nothing is given.
    pub(crate) fn is_empty(&self) -> bool {
        // Without `..`: a new option must be counted.
        let Self {
            name,
            insecure_ssl,
            status,
            when,
            expect,
            header,
            secret_file,
            generate_secret,
            ca_file,
            format,
            template,
            headers: _,
            secret: _,
            ca_text: _,
            template_text: _,
        } = self;
        name.is_none()
            && insecure_ssl.is_none()
            && status.is_none()
            && when.is_none()
            && expect.is_none()
            && header.is_empty()
            && secret_file.is_none()
            && !generate_secret
            && ca_file.is_none()
            && format.is_none()
            && template.is_none()
    }
}
