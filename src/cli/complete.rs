//! Live answers for the shells' completions. Any error here is silence: a shell that completes
//! must never print one.

use clap_complete::CompletionCandidate;

use crate::hook::{Hook, check_event};
use crate::registry::Registry;
use crate::{escape, redact};

/// The event names of the registry, and Kudu's two.
pub fn events() -> Vec<CompletionCandidate> {
    // A hand-edited registry may hold what no shell should be given.
    let events = registered().into_iter().map(|hook| hook.event);
    let mut names: Vec<String> = events.filter(|event| check_event(event).is_ok()).collect();
    names.extend(["PostDeployment", "TriggeredJobFinished"].map(str::to_owned));
    names.sort_by_key(|name| name.to_ascii_lowercase());
    names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The ids of the hooks, each described by its URL, redacted.
pub fn hooks() -> Vec<CompletionCandidate> {
    let candidate = |hook: Hook| {
        let url = redact::url(&hook.url);
        let described = escape::escape(&url).into_owned();
        CompletionCandidate::new(hook.id.to_string()).help(Some(described.into()))
    };
    registered().into_iter().map(candidate).collect()
}

/// The shell passes the words typed so far as arguments, so `--file` counts here, too.
fn registered() -> Vec<Hook> {
    let flag = typed_file(std::env::args_os().skip(1));
    let Ok(registry) = Registry::locate(flag.as_deref()) else {
        return Vec::new();
    };
    registry
        .read()
        .map(|contents| contents.hooks)
        .unwrap_or_default()
}

fn typed_file(words: impl Iterator<Item = std::ffi::OsString>) -> Option<std::path::PathBuf> {
    let mut words = words.filter_map(|word| word.into_string().ok());
    while let Some(word) = words.next() {
        if word == "--file" {
            return words.next().map(Into::into);
        }
        if let Some(path) = word.strip_prefix("--file=") {
            return Some(path.into());
        }
    }
    std::env::var_os("HOOKS_FILE").map(Into::into)
}
