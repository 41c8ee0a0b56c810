//! One file a verb: from arguments to calls, from results to output.

mod add;
mod completions;
mod context;
mod edit;
mod fields;
mod health;
mod input;
mod list;
mod listen;
mod log;
mod options;
mod publish;
mod redeliver;
mod remove;
mod requests;
mod run;
mod show;
mod test;

use anyhow::Result;

use crate::cli::{Cli, Color, Command};
use crate::exit::Exit;
use crate::output::Output;
use context::Context;

/// Runs the verb.
pub(crate) fn run(cli: Cli) -> Result<Exit> {
    match cli.global.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    let output =
        Output { quiet: cli.global.quiet, verbose: cli.global.verbose, reveal: cli.global.reveal };
    let context = Context { file: cli.global.file, output };
    match cli.command {
        Command::Add(mut arguments) => add::run(&context, &mut arguments),
        Command::List(arguments) => list::run(&context, &arguments),
        Command::Publish(arguments) => publish::run(&context, &arguments),
        Command::Run(arguments) => run::run(&context, &arguments),
        Command::Test(arguments) => test::run(&context, &arguments),
        Command::Log(arguments) => log::run(&context, &arguments),
        Command::Health(arguments) => health::run(&context, &arguments),
        Command::Redeliver(arguments) => redeliver::run(&context, &arguments),
        Command::Show(arguments) => show::run(&context, &arguments),
        Command::Edit(mut arguments) => edit::run(&context, &mut arguments),
        Command::Remove(arguments) => remove::run(&context, &arguments),
        Command::Listen(arguments) => listen::run(&context, &arguments),
        Command::Completions(arguments) => completions::run(&context, &arguments),
    }
}
