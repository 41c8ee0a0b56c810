//! The arguments of each verb but `add` and `edit`. Doc comments are the help texts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use super::limits::LimitOptions;
use super::values::{self, Assignment};
use crate::domain::kudu;
use crate::domain::reference::{HookReference, Reference};

/// The keys of a deployment that flags can set, apart from its status and times.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fields of the deployment")]
pub(crate) struct Fields {
    /// The deployment's id, often the commit
    #[arg(long, value_name = "ID", value_parser = values::free_text(), allow_hyphen_values = true)]
    pub(crate) id: Option<String>,
    /// Who wrote what is deployed
    #[arg(long, value_name = "NAME", value_parser = values::free_text(), allow_hyphen_values = true)]
    pub(crate) author: Option<String>,
    /// The author's address
    #[arg(long, value_name = "ADDRESS", value_hint = ValueHint::EmailAddress)]
    #[arg(value_parser = values::free_text(), allow_hyphen_values = true)]
    pub(crate) author_email: Option<String>,
    /// What is deployed; the commit's message
    #[arg(long, value_name = "TEXT", value_parser = values::free_text(), allow_hyphen_values = true)]
    pub(crate) message: Option<String>,
    /// Who deploys it
    #[arg(long, value_name = "NAME", value_parser = values::free_text(), allow_hyphen_values = true)]
    pub(crate) deployer: Option<String>,
    /// Any key; := takes JSON (repeatable)
    ///
    /// KEY=VALUE sets a string, KEY:=JSON any JSON. It comes last and wins over the other flags.
    #[arg(long, value_name = "KEY=VALUE|KEY:=JSON")]
    #[arg(value_parser = values::assignments(), allow_hyphen_values = true)]
    pub(crate) set: Vec<Assignment>,
}

/// Lists the hooks and their last delivery
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only the hooks that a publication of this event would reach
    #[arg(long, value_name = "EVENT", value_parser = values::event_or_any)]
    pub(crate) event: Option<String>,
    /// Only those that need a look: the last delivery failed, something is owed, or the hook is disabled
    #[arg(long)]
    pub(crate) failed: bool,
    /// Print a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows one hook, whole
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The hook's id or name
    #[arg(value_name = "ID|NAME", value_parser = values::hook)]
    pub(crate) hook: HookReference,
    /// Print the hook as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Removes hooks
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The hooks' ids or names
    #[arg(value_name = "ID|NAME", required = true, value_parser = values::hook)]
    pub(crate) hooks: Vec<HookReference>,
    /// Ignore ids and names that no hook has
    #[arg(long)]
    pub(crate) force: bool,
}

/// Delivers a deployment to every hook registered for the event
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The event, such as PostDeployment
    #[arg(value_name = "EVENT", required_unless_present = "cloudevent")]
    pub(crate) event: Option<OsString>,
    /// JSON text, @FILE, or - for standard input
    ///
    /// Standard input is also read when this, --git and the field flags are all left out.
    #[arg(value_name = "DEPLOYMENT", allow_hyphen_values = false)]
    pub(crate) deployment: Option<OsString>,
    /// Take what is not given from a commit [REV: HEAD]
    ///
    /// The keys id, author, author_email, message and deployer; status is success, and both times are now.
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "HEAD")]
    #[arg(allow_hyphen_values = false)]
    pub(crate) git: Option<OsString>,
    /// The input is a CloudEvents envelope
    ///
    /// Its data is the deployment, its type the event unless EVENT is given. It may come twice: what is delivered
    /// under its id is not sent again.
    #[arg(long, conflicts_with_all = ["git", "status", "start_time", "end_time"])]
    #[arg(conflicts_with_all = ["id", "author", "author_email", "message", "deployer", "set"])]
    pub(crate) cloudevent: bool,
    /// Only keep it, for 'hooks redeliver --failed'
    #[arg(long)]
    pub(crate) defer: bool,
    /// Exit with 5 if no enabled hook gets it
    #[arg(long)]
    pub(crate) must_match: bool,
    /// Print each request, send and write nothing
    #[arg(long, conflicts_with_all = ["json", "defer"])]
    pub(crate) dry_run: bool,
    /// Print the publication as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// The keys to set.
    #[command(flatten)]
    pub(crate) fields: Fields,
    /// pending, building, deploying, failed, success
    #[arg(long, value_name = "STATUS", help_heading = "Fields of the deployment")]
    #[arg(value_parser = kudu::STATUSES, hide_possible_values = true)]
    pub(crate) status: Option<String>,
    /// When it started, RFC 3339
    #[arg(long, value_name = "TIME", help_heading = "Fields of the deployment")]
    pub(crate) start_time: Option<String>,
    /// When it ended, RFC 3339
    #[arg(long, value_name = "TIME", help_heading = "Fields of the deployment")]
    pub(crate) end_time: Option<String>,
    /// How long to try.
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
}

/// Runs a deploy command, then publishes how it went
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The event, such as PostDeployment
    #[arg(value_name = "EVENT", value_parser = values::event)]
    pub(crate) event: String,
    /// The deploy command, after --
    #[arg(value_name = "COMMAND", required = true, last = true)]
    pub(crate) command: Vec<OsString>,
    /// Take what is not given from a commit [REV: HEAD]
    ///
    /// The keys id, author, author_email, message and deployer.
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "HEAD")]
    pub(crate) git: Option<OsString>,
    /// Only keep it, for 'hooks redeliver --failed'
    #[arg(long)]
    pub(crate) defer: bool,
    /// Warn if no enabled hook gets it
    #[arg(long)]
    pub(crate) must_match: bool,
    /// The keys to set.
    #[command(flatten)]
    pub(crate) fields: Fields,
    /// How long to try.
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
}

/// Sends a sample deployment to hooks
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The hooks' ids or names
    #[arg(value_name = "ID|NAME", required = true, value_parser = values::hook)]
    pub(crate) hooks: Vec<HookReference>,
    /// Print the publication as JSON; of several hooks, an array of publications
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to try.
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
}

/// Shows the latest deliveries, newest first
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// Of this hook; or a publication (msg_…), whole
    #[arg(value_name = "ID|NAME|MSG", value_parser = values::reference)]
    pub(crate) of: Option<Reference>,
    /// Only what is still to be sent
    ///
    /// It failed, is unfinished (its publish was killed) or deferred.
    #[arg(long)]
    pub(crate) failed: bool,
    /// Only this event
    #[arg(long, value_name = "EVENT", value_parser = values::event)]
    pub(crate) event: Option<String>,
    /// Only what happened within this time, such as 24h
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(crate) since: Option<Duration>,
    /// End with exit status 3 if anything is shown
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// The most deliveries to show
    #[arg(short, value_name = "N", default_value = "20", value_parser = values::count)]
    pub(crate) n: u64,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows how each hook is doing, and what is owed
#[derive(Debug, Args)]
pub(crate) struct Health {
    /// Only these hooks, by their ids or names
    #[arg(value_name = "ID|NAME", value_parser = values::hook)]
    pub(crate) hooks: Vec<HookReference>,
    /// Look at the deliveries of this time
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = values::duration)]
    pub(crate) since: Duration,
    /// Print a JSON array
    #[arg(long)]
    pub(crate) json: bool,
    /// Print metrics, for node_exporter's textfile collector or another reader of OpenMetrics
    #[arg(long, conflicts_with = "json")]
    pub(crate) openmetrics: bool,
}

/// Sends again what is not delivered, or a hook's latest event
#[derive(Debug, Args)]
pub(crate) struct Redeliver {
    /// Hooks' latest publications, or msg_… ids
    ///
    /// A hook, by its id or name, gets its latest publication again; a publication, by its msg_… id, goes to all of
    /// its hooks again.
    #[arg(value_name = "ID|NAME", required_unless_present = "failed", value_parser = values::reference)]
    pub(crate) ids: Vec<Reference>,
    /// Send what failed, is unfinished or deferred, and due
    #[arg(long, conflicts_with = "ids")]
    pub(crate) failed: bool,
    /// With --failed: whatever failed, due or not
    #[arg(long, requires = "failed")]
    pub(crate) now: bool,
    /// With --failed: also to hooks with another URL since
    #[arg(long, requires = "failed")]
    pub(crate) moved: bool,
    /// Send what was held while these were disabled
    #[arg(long, requires = "ids", conflicts_with_all = ["failed", "to"])]
    pub(crate) held: bool,
    /// With --failed, --held: only what is younger than [24h]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(crate) since: Option<Duration>,
    /// Send the publications (msg_…) to this hook (repeatable)
    #[arg(long, value_name = "ID|NAME", value_parser = values::hook, requires = "ids")]
    pub(crate) to: Vec<HookReference>,
    /// Print the exact requests; send and write nothing
    #[arg(long, conflicts_with = "json")]
    pub(crate) dry_run: bool,
    /// Print the publications as a JSON array
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to try.
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
}

/// Receives and prints deliveries, to try hooks against
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

/// Prints the completions of a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// The shells that have completions.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}
