//! The arguments of `add` and `edit`, and the options of a hook, which they share.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::values;
use crate::domain::reference::HookReference;
use crate::security::signature::Secret;

/// Registers a hook and prints it
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Where to POST; one with a secret as @FILE or -
    ///
    /// An absolute http or https URL. User and password in it (user:password@) become Basic authorization. The
    /// command line is seen by every user of the machine: @FILE reads the URL from a file, - from standard input.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = values::url_source())]
    pub(crate) url: values::Source<String>,
    /// Such as PostDeployment,Rollback, deploy.* or *
    ///
    /// The events to wait for: names, in any case. A * at the end of one stands for every end, alone for every
    /// event. Several are separated by commas, or the flag is repeated.
    #[arg(long, value_name = "EVENT,…", required = true)]
    #[arg(value_delimiter = ',', value_parser = values::event_pattern)]
    pub(crate) event: Vec<String>,
    /// How the deliveries are made.
    #[command(flatten)]
    pub(crate) options: HookOptions,
    /// Make the hook of that name, else URL, just so
    ///
    /// Whatever it was: an option that is not given goes to its default, and a disabled hook is enabled. Its secrets
    /// stay unless one is given. A second run changes nothing and says so.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Print the hook as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Changes a hook
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// The hook's id or name
    #[arg(value_name = "ID|NAME", value_parser = values::hook)]
    pub(crate) hook: HookReference,
    /// Another URL; one with a secret as @FILE or -
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = values::url_source())]
    pub(crate) url: Option<values::Source<String>>,
    /// The URL itself; set when the file is read.
    #[arg(skip)]
    pub(crate) url_text: Option<String>,
    /// Its events from now on, such as A,B or deploy.*
    ///
    /// All of them: they take the place of those that are there (see hooks add).
    #[arg(long, value_name = "EVENT,…", value_delimiter = ',', value_parser = values::event_pattern)]
    pub(crate) event: Vec<String>,
    /// How the deliveries are made; an empty value clears (`--status ''`, `--header 'Name:'`).
    #[command(flatten)]
    pub(crate) options: HookOptions,
    /// Deliver to it again
    #[arg(long, conflicts_with = "disable")]
    pub(crate) enable: bool,
    /// Keep it, but deliver nothing to it
    #[arg(long)]
    pub(crate) disable: bool,
    /// Sign no longer
    #[arg(long, conflicts_with_all = ["secret_file", "generate_secret"])]
    pub(crate) no_secret: bool,
    /// Print the hook as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The options of a hook, for `add` and `edit`, the most used first. By default nothing is given.
#[derive(Debug, Default, PartialEq, Args)]
pub(crate) struct HookOptions {
    /// What to call it, in place of its id
    ///
    /// 1 to 64 letters, digits or . _ -, the first a letter. It stands wherever the id may.
    #[arg(long, value_name = "NAME", value_parser = values::name)]
    pub(crate) name: Option<String>,
    /// raw, slack, discord, teams or cloudevents
    ///
    /// The body that the service expects.
    #[arg(long, value_name = "FORMAT", value_parser = crate::format::NAMES, hide_possible_values = true)]
    pub(crate) format: Option<String>,
    /// Only deployments with one of these statuses
    ///
    /// Such as failed,success, in any case. A deployment without a status is not one of them.
    #[arg(long, value_name = "STATUS,…", value_parser = values::statuses)]
    pub(crate) status: Option<values::Statuses>,
    /// Only where this is true: 'branch == "main"'
    ///
    /// An expression of minijinja over the deployment's keys, event and deployment, the whole.
    #[arg(long, value_name = "EXPR")]
    pub(crate) when: Option<String>,
    /// Send it, too; @FILE: a header a line
    ///
    /// Repeatable. The command line is seen by every user of the machine: @FILE reads headers from a file.
    #[arg(long, value_name = "NAME: VALUE", value_parser = values::header_source())]
    pub(crate) header: Vec<values::Source<values::Header>>,
    /// Sign with the secret in this file
    ///
    /// whsec_ and Base64; - reads it from standard input.
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath, value_parser = values::path())]
    pub(crate) secret_file: Option<PathBuf>,
    /// Make a secret, sign with it, print it this once
    #[arg(long, conflicts_with = "secret_file")]
    pub(crate) generate_secret: bool,
    /// Render the body by this template (minijinja)
    ///
    /// Its text is stored in the hook; see hooks-templates(7).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::path(), conflicts_with = "format")]
    pub(crate) template: Option<PathBuf>,
    /// A 2xx whose body lacks this text has failed
    ///
    /// For services that answer 200 to what they did not take: '"ok":true'. It is tried again.
    #[arg(long, value_name = "TEXT", value_parser = values::expected)]
    pub(crate) expect: Option<String>,
    /// Trust the certificates in this PEM file, too
    ///
    /// Their text is stored in the hook.
    #[arg(long, value_name = "PEM", value_hint = ValueHint::FilePath, value_parser = values::path())]
    pub(crate) ca_file: Option<PathBuf>,
    /// Do not check the receiver's certificate
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_name = "BOOL", hide_possible_values = true)]
    pub(crate) insecure_ssl: Option<bool>,
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
