//! Tells other systems that a deployment has finished.
//!
//! `main` parses, dispatches, prints the error that a verb ends with, and picks the exit code. Two errors are printed
//! elsewhere: a bug's (`panic.rs`), and that of a deploy command that could not be run (`commands/run/command.rs`), after
//! which it is still to be published.

mod cli;
mod commands;
mod delivery;
mod dispatch;
mod domain;
mod exit;
mod format;
mod git;
mod interrupt;
mod output;
mod panic;
mod platform;
mod receiver;
mod security;
mod signals;
mod store;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use clap_complete::CompleteEnv;

use cli::Cli;
use exit::{Exit, Failure};
use format::renderer;

fn main() -> ExitCode {
    panic::report_briefly();
    // The report is out; what is left of a bug is its exit code.
    std::panic::catch_unwind(run).unwrap_or(ExitCode::from(Exit::Failed.code()))
}

fn run() -> ExitCode {
    platform::survive_file_size_limit();
    if std::env::args_os().nth(1).is_some_and(|word| word == renderer::COMMAND) {
        return renderer::serve().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    // COMPLETE, the library's own choice, may be set for another program.
    let completion = CompleteEnv::with_factory(cli::complete::command).var("HOOKS_COMPLETE");
    match completion.try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref()) {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        // A shell in the middle of a command line is no place for an error.
        Err(_) => return ExitCode::FAILURE,
    }
    let words = words();
    let outcome = match Cli::try_parse_from(&words) {
        Ok(cli) => commands::run(cli),
        Err(error) => refused(&error, &words),
    };
    let exit = outcome.unwrap_or_else(|error| {
        if output::is_closed_pipe(&error) {
            return Exit::Done;
        }
        output::error(&error);
        Failure::of(&error).map_or(Exit::Failed, |failure| failure.exit)
    });
    ExitCode::from(exit.code())
}

/// The command line; `hooks help add` is what everybody types for `hooks add --help`.
fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        words.truncate(2);
        words.push("--help".into());
    }
    words
}

/// Help and version are printed; anything else that clap refuses is an error in our own words.
fn refused(error: &clap::Error, words: &[OsString]) -> anyhow::Result<Exit> {
    // Printing into a closed pipe is no error here.
    match error.kind() {
        ErrorKind::DisplayHelp => {
            let _ = match cli::verb_help::asked_for(words) {
                Some(help) => write!(anstream::stdout(), "{}", help.ansi()),
                None => error.print(),
            };
            Ok(Exit::Done)
        }
        ErrorKind::DisplayVersion => {
            let _ = error.print();
            Ok(Exit::Done)
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = write!(io::stderr(), "{}", Cli::command().render_help());
            Ok(Exit::Usage)
        }
        _ => Err(cli::usage::failure(error, words).into()),
    }
}
