//! What `hooks VERB --help` prints: an option a line, so that all of it is seen at once. The manual has the rest.

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

/// The headings whose options are summed up in one line.
const SUMMED_UP: [&str; 2] = ["Limits", "Global options"];

/// The help of the verb that these words, a command line, ask it of; with `-h` without examples.
pub(crate) fn asked_for(words: &[String]) -> Option<StyledStr> {
    let mut hooks = Cli::command();
    hooks.build();
    let mut words_of_verb = words.iter();
    let verb = words_of_verb.find_map(|word| hooks.find_subcommand(word))?;
    let mut parts = summary_of_options(verb);
    if !words.iter().any(|word| word == "-h") {
        parts.extend(of_long_help(verb));
    }
    let is_summed_up = |arg: &Arg| arg.get_help_heading().is_some_and(|h| SUMMED_UP.contains(&h));
    let verb = verb.clone().mut_args(|arg| {
        let hidden = is_summed_up(&arg);
        arg.hide(hidden)
    });
    Some(verb.after_help(parts.join("\n\n")).render_help())
}

/// `Limits: --timeout TIME, …`
fn summary_of_options(verb: &Command) -> Vec<String> {
    let option = |arg: &Arg| {
        let long = arg.get_long().unwrap_or_default();
        match (arg.get_short(), arg.get_value_names()) {
            (Some(short), _) => format!("-{short}"),
            (None, Some(names)) if arg.get_action().takes_values() => {
                format!("--{long} {}", names.join(" "))
            }
            _ => format!("--{long}"),
        }
    };
    let line = |heading: &&str| {
        let args = verb.get_arguments();
        let args = args.filter(|arg| arg.get_help_heading() == Some(*heading));
        let options: Vec<String> = args.map(option).collect();
        (!options.is_empty()).then(|| format!("{heading}: {}", options.join(", ")))
    };
    let lines: Vec<String> = SUMMED_UP.iter().filter_map(line).collect();
    vec![lines.join("\n")]
}

/// What the long help has before its sections, the examples, and the exit statuses without their meaning.
fn of_long_help(verb: &Command) -> Vec<String> {
    let long = verb.get_after_long_help().map(ToString::to_string);
    let long = long.unwrap_or_default();
    let part = |part: &str| match part.split_once(":\n") {
        Some(("Exit status", statuses)) => {
            let codes = statuses.lines().filter_map(|line| line.split_whitespace().next());
            let codes = codes.collect::<Vec<_>>().join(", ");
            let name = verb.get_name();
            Some(format!("Exit status: {codes}; meanings, environment: man hooks-{name}"))
        }
        Some(("Environment", _)) => None,
        _ => Some(part.to_owned()),
    };
    long.split("\n\n").filter_map(part).collect()
}
