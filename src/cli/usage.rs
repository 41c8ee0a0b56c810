//! What is printed for a command line that clap refuses. clap's own text quotes the refused value,
//! which may be a URL with a password in it, so the message is put together from the error's parts.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::Failure;

/// Turns clap's refusal into one that names the argument and the next step, never the value.
///
/// Not for the kinds that only display help or the version. `words` is the command line.
pub(crate) fn failure(error: &clap::Error, words: &[OsString]) -> Failure {
    let command = super::asked(words);
    let verb = command.get_bin_name().unwrap_or("hooks");
    let help = format!("see '{verb} --help'");
    let near = suggestion(error).or_else(|| same_letters(error, &command));
    Failure::usage(message(error)).hint(match (near, verb, error.kind()) {
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
fn same_letters(error: &clap::Error, verb: &Command) -> Option<String> {
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
    let mut flags = verb.get_arguments().filter_map(|arg| arg.get_long());
    flags.find(|flag| sorted(flag) == refused).map(|flag| format!("--{flag}"))
}

fn message(error: &clap::Error) -> String {
    let argument = named(error, ContextKind::InvalidArg);
    let named_argument = argument.as_deref().unwrap_or("an argument");
    match error.kind() {
        ErrorKind::UnknownArgument if is_flag(named_argument) => {
            format!("unknown flag {named_argument}")
        }
        ErrorKind::UnknownArgument => {
            "there is an argument too many (a value needs its flag before it)".to_owned()
        }
        ErrorKind::InvalidSubcommand => "there is no such verb".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("missing argument: {named_argument}"),
        ErrorKind::ArgumentConflict => match (named(error, ContextKind::PriorArg), argument) {
            (Some(prior), Some(argument)) if argument == prior => {
                format!("{argument} is given twice")
            }
            (Some(prior), Some(argument)) => format!("{argument} cannot be used with {prior}"),
            (Some(prior), None) => format!("{prior} cannot be used with the rest"),
            (None, _) => "these arguments cannot be used together".to_owned(),
        },
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
        ErrorKind::NoEquals => format!("{named_argument} takes its value after '='"),
        _ => match (error.source(), named(error, ContextKind::ValidValue)) {
            (Some(cause), _) => format!("wrong value for {named_argument}: {cause}"),
            (None, Some(valid)) => {
                format!("wrong value for {named_argument}: one of {valid} is wanted")
            }
            (None, None) => format!("wrong or missing value for {named_argument}"),
        },
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
