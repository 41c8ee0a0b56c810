//! What `hooks VERB --help` prints: an option a line, so that all of it is seen at once. The manual has the rest.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::{Arg, Command};

/// The headings whose options are summed up in one line.
const SUMMED_UP: [&str; 2] = ["Limits", "Global options"];

/// The help of the verb that this command line asks it of, with `-h` without examples; `None`: it asks `hooks` itself.
pub(crate) fn asked_for(words: &[OsString]) -> Option<StyledStr> {
    let verb = super::asked(words);
    if verb.has_subcommands() {
        return None;
    }
    let summaries: Vec<String> = SUMMED_UP.iter().filter_map(|h| summary(&verb, h)).collect();
    let mut parts = vec![summaries.join("\n")];
    if !words.iter().any(|word| word == "-h") {
        parts.extend(verb.get_after_long_help().map(ToString::to_string));
    }
    let is_summed_up = |arg: &Arg| arg.get_help_heading().is_some_and(|h| SUMMED_UP.contains(&h));
    let verb = verb.mut_args(|arg| {
        let hidden = is_summed_up(&arg);
        arg.hide(hidden)
    });
    Some(verb.after_help(parts.join("\n\n")).render_help())
}

/// `Limits: --timeout TIME, …`; `None` where the verb has no such options.
fn summary(verb: &Command, heading: &str) -> Option<String> {
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
    let args = verb.get_arguments().filter(|arg| arg.get_help_heading() == Some(heading));
    let options: Vec<String> = args.map(option).collect();
    (!options.is_empty()).then(|| format!("{heading}: {}", options.join(", ")))
}
