//! Live answers for the shells' completions. Any error here is silence: a shell that completes
//! must never print one.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::Str;
use clap::{Arg, Command, CommandFactory as _};
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};

use super::Cli;
use crate::domain::hook::{ANY_EVENT, Hook, check_event, check_name, check_pattern};
use crate::domain::kudu;
use crate::security::{escape, redact};
use crate::store::registry::Registry;

/// The command line, with what is offered for each kind of value. Each verb is built before it gets the options that
/// every verb has, so that those are offered last.
pub(crate) fn command() -> Command {
    // What is passed on to a verb that is built must be whole.
    let with_count = |arg: Arg| {
        let count = usize::from(arg.get_action().takes_values());
        arg.num_args(count)
    };
    Cli::command().mut_args(with_count).mut_subcommands(|mut verb| {
        verb.build();
        verb.mut_args(with_candidates)
    })
}

fn with_candidates(arg: Arg) -> Arg {
    match arg.get_value_names().and_then(<[_]>::first).map(Str::as_str) {
        Some("ID|NAME" | "ID|NAME|MSG") => arg.add(ArgValueCandidates::new(hooks)),
        Some("EVENT") => arg.add(ArgValueCandidates::new(events)),
        Some("EVENT,…") => arg.add(ArgValueCandidates::new(patterns)),
        Some("DEPLOYMENT") => arg.add(ArgValueCompleter::new(deployment)),
        Some("COMMAND") => arg.add(ArgValueCompleter::new(PathCompleter::any())),
        _ => arg,
    }
}

/// The event names of the registry, and Kudu's two, each with the number of its hooks.
fn events() -> Vec<CompletionCandidate> {
    events_that(|event| check_event(event).is_ok())
}

/// The same, and the beginnings of names that hooks wait for.
fn patterns() -> Vec<CompletionCandidate> {
    events_that(|event| event != ANY_EVENT && check_pattern(event).is_ok())
}

fn events_that(may_be_offered: fn(&str) -> bool) -> Vec<CompletionCandidate> {
    let kudus = kudu::EVENTS.map(|name| (name.to_owned(), 0));
    let mut events: Vec<(String, usize)> = kudus.into();
    let hooks = registered();
    for event in hooks.iter().flat_map(Hook::events) {
        let mut known = events.iter_mut();
        match known.find(|(known, _)| known.eq_ignore_ascii_case(event)) {
            Some((_, hooks)) => *hooks += 1,
            // A hand-edited registry may hold what no shell should be given.
            None if may_be_offered(event) => events.push((event.to_owned(), 1)),
            None => {}
        }
    }
    events.sort_by_key(|(name, _)| name.to_ascii_lowercase());
    let candidate = |(name, hooks): (String, usize)| {
        let described = match hooks {
            0 => "no hook yet".to_owned(),
            1 => "1 hook".to_owned(),
            n => format!("{n} hooks"),
        };
        CompletionCandidate::new(name).help(Some(described.into()))
    };
    events.into_iter().map(candidate).collect()
}

/// The ids and names of the hooks, each described by its URL, redacted.
fn hooks() -> Vec<CompletionCandidate> {
    let candidates = |hook: Hook| {
        let url = redact::url(&hook.url);
        let described = escape::escape(&url).into_owned();
        // A hand-edited registry may hold what no shell should be given.
        let name = hook.name.filter(|name| check_name(name).is_ok());
        let words = [Some(hook.id.to_string()), name];
        let candidate =
            move |word: String| CompletionCandidate::new(word).help(Some(described.clone().into()));
        words.into_iter().flatten().map(candidate)
    };
    registered().into_iter().flat_map(candidates).collect()
}

/// The DEPLOYMENT argument: after an @ it is a file.
fn deployment(word: &OsStr) -> Vec<CompletionCandidate> {
    let Some(path) = word.to_str().and_then(|word| word.strip_prefix('@')) else {
        return Vec::new();
    };
    let files = PathCompleter::any().complete(OsStr::new(path));
    files.into_iter().map(|file| file.add_prefix("@")).collect()
}

fn registered() -> Vec<Hook> {
    let file = typed_file(std::env::args_os()).or_else(|| std::env::var_os("HOOKS_FILE"));
    let file = file.map(|file| without_tilde(PathBuf::from(file)));
    let Ok(registry) = Registry::locate(file.as_deref(), |_| {}) else {
        return Vec::new();
    };
    registry.read().map(|file| file.hooks).unwrap_or_default()
}

/// The `--file` that was typed: the shell passes its words as arguments, after a -- of its own. What
/// follows the line's -- is another command's.
fn typed_file(arguments: impl Iterator<Item = OsString>) -> Option<OsString> {
    let typed = arguments.skip_while(|word| word != "--").skip(1);
    let mut words = typed.take_while(|word| word != "--");
    while let Some(word) = words.next() {
        if word == "--file" {
            return words.next();
        }
        if let Some(path) = word.to_str().and_then(|word| word.strip_prefix("--file=")) {
            return Some(path.into());
        }
    }
    None
}

/// The shell expands a tilde when it runs a line, not while it completes one.
fn without_tilde(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> Option<OsString> {
        typed_file(words.iter().map(OsString::from))
    }

    #[test]
    fn the_file_on_the_line_counts_and_another_commands_does_not() {
        assert_eq!(typed(&["hooks", "--", "hooks", "--file", "a", "show"]), Some("a".into()));
        assert_eq!(typed(&["hooks", "--", "hooks", "list", "--file=b"]), Some("b".into()));
        assert_eq!(typed(&["hooks", "--", "hooks", "run", "E", "--", "x", "--file", "c"]), None);
    }
}
