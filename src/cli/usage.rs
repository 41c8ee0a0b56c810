//! What is printed for a command line that clap refuses. clap's own text quotes the refused value,
//! which may be a URL with a password in it, so the message is put together from the error's parts.

use std::error::Error as _;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::Failure;

/// Turns clap's refusal into one that names the argument and the next step, never the value.
///
/// Not for the kinds that only display help or the version. `words` is the command line.
pub(crate) fn failure(error: &clap::Error, words: &[String]) -> Failure {
    let verb = verb(words);
    let help = format!("see '{verb} --help'");
    let near = suggestion(error).or_else(|| same_letters(error, &verb));
    Failure::usage(message(error)).hint(match (near, &*verb, error.kind()) {
        (Some(near), ..) => format!("did you mean {near}? Or {help}"),
        (None, "hooks run", ErrorKind::UnknownArgument | ErrorKind::MissingRequiredArgument) => {
            format!("the command goes after --: hooks run EVENT -- COMMAND; {help}")
        }
        (None, "hooks add", ErrorKind::UnknownArgument) => {
            format!("hooks add --url URL --event EVENT (a star is quoted: '*'); {help}")
        }
        (None, "hooks publish", ErrorKind::UnknownArgument) => {
            format!("quote the JSON as one argument: '{{\"id\":\"42\"}}'; {help}")
        }
        (None, "hooks redeliver", ErrorKind::MissingRequiredArgument) => {
            format!("name hooks or publications, or --failed for all that is due; {help}")
        }
        _ => help,
    })
}

/// A flag of the verb in which letters were swapped, which clap does not find near.
fn same_letters(error: &clap::Error, verb: &str) -> Option<String> {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let refused = named(error, ContextKind::InvalidArg).filter(|word| is_flag(word))?;
    let refused = sorted(refused.trim_start_matches('-'));
    let hooks = crate::cli::Cli::command();
    let verb = hooks.find_subcommand(verb.strip_prefix("hooks ").unwrap_or_default())?;
    let mut flags = verb.get_arguments().chain(hooks.get_arguments()).filter_map(|a| a.get_long());
    flags.find(|flag| sorted(flag) == refused).map(|flag| format!("--{flag}"))
}

fn message(error: &clap::Error) -> String {
    let argument = || named(error, ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument => match argument() {
            Some(flag) if is_flag(&flag) => format!("unknown flag {flag}"),
            _ => "there is an argument too many (a value needs its flag before it)".to_owned(),
        },
        ErrorKind::InvalidSubcommand => "there is no such verb".to_owned(),
        ErrorKind::MissingRequiredArgument => {
            let missing = argument().unwrap_or_else(|| "an argument".to_owned());
            format!("missing argument: {missing}")
        }
        ErrorKind::ArgumentConflict => match named(error, ContextKind::PriorArg) {
            Some(prior) => match argument() {
                Some(argument) if argument == prior => format!("{argument} is given twice"),
                Some(argument) => format!("{argument} cannot be used with {prior}"),
                None => format!("{prior} cannot be used with the rest"),
            },
            None => "these arguments cannot be used together".to_owned(),
        },
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
        ErrorKind::NoEquals => {
            let flag = argument().unwrap_or_default();
            format!("{flag} takes its value after '='")
        }
        _ => wrong_value(error),
    }
}

fn wrong_value(error: &clap::Error) -> String {
    let name = named(error, ContextKind::InvalidArg).unwrap_or_else(|| "an argument".to_owned());
    if let Some(cause) = error.source() {
        return format!("wrong value for {name}: {cause}");
    }
    match named(error, ContextKind::ValidValue) {
        Some(valid) => format!("wrong value for {name}: one of {valid} is wanted"),
        None => format!("wrong or missing value for {name}"),
    }
}

/// The nearest of the words that clap finds near, which it sorts last.
fn suggestion(error: &clap::Error) -> Option<String> {
    let kinds =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(near) => Some(near.clone()),
        ContextValue::Strings(near) => near.last().cloned(),
        _ => None,
    })
}

/// The context's words, joined; clap gives one string or several.
fn named(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(one) => Some(one.clone()),
        ContextValue::Strings(several) if !several.is_empty() => Some(several.join(", ")),
        _ => None,
    }
}

/// Whether the refused word can only be a mistyped flag, so that naming it tells no secret.
fn is_flag(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    word.starts_with('-')
        && (1..=20).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// `hooks add`, if the command line gets as far as a verb; else `hooks`.
fn verb(words: &[String]) -> String {
    let hooks = crate::cli::Cli::command();
    let verb = words.iter().find_map(|word| hooks.find_subcommand(word));
    verb.map_or_else(|| "hooks".to_owned(), |verb| format!("hooks {}", verb.get_name()))
}
