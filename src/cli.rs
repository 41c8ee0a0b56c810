//! The whole command line. Doc comments are the help texts; the examples, exit statuses and
//! environment variables of each verb are in [`help`], the value parsers in [`values`].

// The doc comments are help texts, and flags are what they are.
#![allow(clippy::doc_markdown, clippy::struct_excessive_bools)]

pub(crate) mod complete;
#[cfg(test)]
mod generated;
mod help;
mod limits;
pub(crate) mod usage;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, PathCompleter};

pub(crate) use limits::{Limits, SettledLimits};
pub(crate) use values::{Assignment, Reference};

/// Tells other systems that a deployment has finished
///
/// hooks keeps a registry of callback URLs in one JSON file and delivers a deployment's JSON to
/// every hook registered for the event.
#[derive(Debug, Parser)]
#[command(
    name = "hooks",
    version,
    propagate_version = false,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = help::TOP_SHORT,
    after_long_help = help::TOP
)]
pub(crate) struct Cli {
    /// Options that every verb takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The verb.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every verb takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The registry [default: hooks.json in the user's configuration directory]
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "HOOKS_FILE",
        hide_env_values = true
    )]
    #[arg(value_hint = ValueHint::FilePath, value_parser = values::path())]
    pub(crate) file: Option<PathBuf>,
    /// Say nothing of what went well: no notes, no progress, no line for a delivered hook
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more: which hooks were passed over and why, each attempt that failed
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Show URLs whole; by default passwords, query values and tokens are ***
    #[arg(long, global = true)]
    pub(crate) reveal: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs, in the order of a day's use.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Registers a hook and prints it
    #[command(after_long_help = help::ADD)]
    Add(Add),
    /// Lists the hooks and their last delivery
    #[command(after_long_help = help::LIST)]
    List(List),
    /// Delivers a deployment to every hook registered for the event
    #[command(after_long_help = help::PUBLISH)]
    Publish(Publish),
    /// Runs a deploy command, then publishes how it went
    #[command(after_long_help = help::RUN)]
    Run(Run),
    /// Sends a sample deployment to one hook
    #[command(after_long_help = help::TEST)]
    Test(Test),
    /// Shows the latest deliveries, newest first
    #[command(after_long_help = help::LOG)]
    Log(Log),
    /// Sends again what was not delivered, or a hook's latest publication
    #[command(after_long_help = help::REDELIVER)]
    Redeliver(Redeliver),
    /// Shows one hook, whole
    #[command(after_long_help = help::SHOW)]
    Show(Show),
    /// Changes a hook
    #[command(after_long_help = help::EDIT)]
    Edit(Edit),
    /// Removes hooks
    #[command(alias = "rm", after_long_help = help::REMOVE)]
    Remove(Remove),
    /// Receives and prints deliveries, to try hooks against
    #[command(after_long_help = help::LISTEN)]
    Listen(Listen),
}

/// `hooks add`
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Where to POST: an absolute http or https URL; user:password@ in it become Basic authorization
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = values::url)]
    pub(crate) url: String,
    /// The event to wait for: a name such as PostDeployment, or * for every event
    #[arg(long, value_name = "EVENT", value_parser = values::event_or_any)]
    #[arg(add = ArgValueCandidates::new(complete::events))]
    pub(crate) event: String,
    /// Print the hook as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// How the deliveries are made.
    #[command(flatten)]
    pub(crate) options: HookOptions,
}

/// The options of a hook, for `add` and `edit`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of the hook")]
pub(crate) struct HookOptions {
    /// Do not check the receiver's certificate, for this hook alone
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_name = "BOOL", hide_possible_values = true)]
    pub(crate) insecure_ssl: Option<bool>,
    /// Deliver only deployments with one of these statuses, such as failed,success
    #[arg(long, value_name = "STATUS,…", value_parser = values::statuses)]
    pub(crate) status: Option<values::Statuses>,
    /// Send this header, too (repeatable)
    #[arg(long, value_name = "NAME: VALUE", value_parser = values::header)]
    pub(crate) header: Vec<values::Header>,
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
}

/// `hooks list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only the hooks that a publication of this event would reach
    #[arg(long, value_name = "EVENT", value_parser = values::event_or_any)]
    #[arg(add = ArgValueCandidates::new(complete::events))]
    pub(crate) event: Option<String>,
    /// Print a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// `hooks show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The hook's id
    #[arg(value_name = "ID", value_parser = values::id, add = ArgValueCandidates::new(complete::hooks))]
    pub(crate) id: u64,
    /// Print the hook as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `hooks edit`
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// The hook's id
    #[arg(value_name = "ID", value_parser = values::id, add = ArgValueCandidates::new(complete::hooks))]
    pub(crate) id: u64,
    /// Another URL
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = values::url)]
    pub(crate) url: Option<String>,
    /// Another event, or * for every event
    #[arg(long, value_name = "EVENT", value_parser = values::event_or_any)]
    #[arg(add = ArgValueCandidates::new(complete::events))]
    pub(crate) event: Option<String>,
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
    /// How the deliveries are made; an empty value clears (`--status ''`, `--header 'Name:'`).
    #[command(flatten)]
    pub(crate) options: HookOptions,
}

/// `hooks remove`
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The hooks' ids
    #[arg(value_name = "ID", required = true, value_parser = values::id, add = ArgValueCandidates::new(complete::hooks))]
    pub(crate) ids: Vec<u64>,
    /// Ignore ids that no hook has
    #[arg(long)]
    pub(crate) force: bool,
}

/// `hooks publish`
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The event, such as PostDeployment
    #[arg(value_name = "EVENT", value_parser = values::event)]
    #[arg(add = ArgValueCandidates::new(complete::events))]
    pub(crate) event: String,
    /// The deployment: JSON text, @FILE, or - for standard input (which is read when this, --git and the field flags are all left out)
    #[arg(value_name = "DEPLOYMENT", allow_hyphen_values = false)]
    #[arg(add = ArgValueCompleter::new(complete::deployment))]
    pub(crate) deployment: Option<String>,
    /// Fill id, author, author_email, message, deployer, status and times from a commit [REV: HEAD]
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "HEAD")]
    #[arg(allow_hyphen_values = false)]
    pub(crate) git: Option<OsString>,
    /// Print the exact request of each hook; send and write nothing
    #[arg(long, conflicts_with = "json")]
    pub(crate) dry_run: bool,
    /// Print the publication as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// The keys to set.
    #[command(flatten)]
    pub(crate) fields: Fields,
    /// The deployment's status
    #[arg(long, value_name = "STATUS", help_heading = "Fields of the deployment")]
    #[arg(value_parser = ["pending", "building", "deploying", "failed", "success"])]
    pub(crate) status: Option<String>,
    /// When it started, RFC 3339
    #[arg(long, value_name = "TIME", help_heading = "Fields of the deployment")]
    pub(crate) start_time: Option<String>,
    /// When it ended, RFC 3339
    #[arg(long, value_name = "TIME", help_heading = "Fields of the deployment")]
    pub(crate) end_time: Option<String>,
    /// How long to try.
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// The keys of a deployment that flags can set, apart from its status and times.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fields of the deployment")]
pub(crate) struct Fields {
    /// The deployment's id, often the commit
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Who wrote what is deployed
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// The author's address
    #[arg(long, value_name = "ADDRESS", value_hint = ValueHint::EmailAddress)]
    pub(crate) author_email: Option<String>,
    /// What is deployed, such as the commit's message
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// Who deploys it
    #[arg(long, value_name = "NAME")]
    pub(crate) deployer: Option<String>,
    /// Another key: a string, or with := any JSON (repeatable)
    #[arg(long, value_name = "KEY=VALUE|KEY:=JSON", value_parser = values::assignment)]
    pub(crate) set: Vec<Assignment>,
}

/// `hooks run`
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The event, such as PostDeployment
    #[arg(value_name = "EVENT", value_parser = values::event)]
    #[arg(add = ArgValueCandidates::new(complete::events))]
    pub(crate) event: String,
    /// Fill id, author, author_email, message and deployer from a commit [REV: HEAD]
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "HEAD")]
    pub(crate) git: Option<OsString>,
    /// The keys to set.
    #[command(flatten)]
    pub(crate) fields: Fields,
    /// How long to try.
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// The deploy command, after --
    #[arg(value_name = "COMMAND", required = true, last = true, add = ArgValueCompleter::new(PathCompleter::any()))]
    pub(crate) command: Vec<OsString>,
}

/// `hooks test`
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The hook's id
    #[arg(value_name = "ID", value_parser = values::id, add = ArgValueCandidates::new(complete::hooks))]
    pub(crate) id: u64,
    /// Print the publication as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to try.
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// `hooks log`
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// Only the deliveries to this hook
    #[arg(value_name = "ID", value_parser = values::id, add = ArgValueCandidates::new(complete::hooks))]
    pub(crate) id: Option<u64>,
    /// Only what was not delivered: failed, or unfinished since the publish was killed
    #[arg(long)]
    pub(crate) failed: bool,
    /// The most deliveries to show
    #[arg(short, value_name = "N", default_value = "20", value_parser = values::count)]
    pub(crate) n: u64,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `hooks redeliver`
#[derive(Debug, Args)]
pub(crate) struct Redeliver {
    /// Hooks, whose latest publication is sent again, or a publication's msg_… id
    #[arg(value_name = "ID", required_unless_present = "failed", value_parser = values::reference)]
    #[arg(add = ArgValueCandidates::new(complete::hooks))]
    pub(crate) ids: Vec<Reference>,
    /// Send every failed or unfinished delivery that is due
    #[arg(long, conflicts_with = "ids")]
    pub(crate) failed: bool,
    /// With --failed: only publications younger than this
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = values::duration)]
    #[arg(conflicts_with = "ids")]
    pub(crate) since: Duration,
    /// With --failed: whatever failed, due or not
    #[arg(long, conflicts_with = "ids")]
    pub(crate) now: bool,
    /// Print the publications as a JSON array
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to try.
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// `hooks listen`
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// The port on 127.0.0.1; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value = "9000", value_parser = values::port)]
    pub(crate) port: u16,
    /// Check each delivery's signature by the secret in this file, or from standard input with -
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath, value_parser = values::path())]
    pub(crate) secret_file: Option<PathBuf>,
    /// The status code to answer
    #[arg(long, value_name = "CODE", default_value = "200", value_parser = values::code)]
    pub(crate) respond: u16,
    /// End after this many requests
    #[arg(long, value_name = "N", value_parser = values::count)]
    pub(crate) count: Option<u64>,
}
