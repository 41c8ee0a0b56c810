//! The whole command line. Doc comments are the help texts; the examples and exit statuses of each verb are in
//! [`help`], the arguments in [`args`].

// The doc comments are help texts, and flags are what they are.
#![allow(clippy::doc_markdown, clippy::struct_excessive_bools)]

mod args;
pub(crate) mod complete;
#[cfg(test)]
mod generated;
mod help;
mod hook_options;
mod limits;
pub(crate) mod usage;
pub(crate) mod values;
pub(crate) mod verb_help;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum, ValueHint};

pub(crate) use args::{
    Completions, Fields, Health, List, Listen, Log, Publish, Redeliver, Remove, Run, Shell, Show,
    Test,
};
pub(crate) use hook_options::{Add, Edit, HookOptions};

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
    #[arg(long, global = true, value_name = "PATH", env = "HOOKS_FILE", hide_env_values = true)]
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

/// The verbs, in the order of a day's use. The summary of each is repeated on its arguments: clap builds those only
/// for the verb that is called.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Registers a hook and prints it
    #[command(after_long_help = help::ADD)]
    Add(Add),
    /// Lists the hooks and their last delivery
    #[command(visible_alias = "ls", after_long_help = help::LIST)]
    List(List),
    /// Delivers a deployment to every hook registered for the event
    #[command(after_long_help = help::PUBLISH)]
    Publish(Publish),
    /// Runs a deploy command, then publishes how it went
    #[command(after_long_help = help::RUN)]
    Run(Run),
    /// Sends a sample deployment to hooks
    #[command(after_long_help = help::TEST)]
    Test(Test),
    /// Shows the latest deliveries, newest first
    #[command(after_long_help = help::LOG)]
    Log(Log),
    /// Shows how each hook is doing, and what is owed
    #[command(after_long_help = help::HEALTH)]
    Health(Health),
    /// Sends again what is not delivered, or a hook's latest event
    #[command(after_long_help = help::REDELIVER)]
    Redeliver(Redeliver),
    /// Shows one hook, whole
    #[command(after_long_help = help::SHOW)]
    Show(Show),
    /// Changes a hook
    #[command(after_long_help = help::EDIT)]
    Edit(Edit),
    /// Removes hooks
    #[command(visible_alias = "rm", after_long_help = help::REMOVE)]
    Remove(Remove),
    /// Receives and prints deliveries, to try hooks against
    #[command(after_long_help = help::LISTEN)]
    Listen(Listen),
    /// Prints the completions of a shell
    #[command(after_long_help = help::COMPLETIONS)]
    Completions(Completions),
}

/// The verb that a command line asks for, or `hooks` itself, with all that belongs to it.
fn asked(words: &[OsString]) -> clap::Command {
    let mut hooks = Cli::command();
    hooks.build();
    let verb = words.iter().skip(1).find_map(|word| hooks.find_subcommand(word));
    verb.unwrap_or(&hooks).clone()
}
