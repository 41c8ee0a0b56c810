//! A deployment's keys, from flags and from a commit, in the order in which Kudu writes them.

use chrono::Utc;

use crate::cli::Fields;
use crate::domain::json::quoted;
use crate::domain::time::timestamp;
use crate::git::{self, Commit};

/// A deployment's key and its value as JSON text.
pub(super) type Key = (String, String);

/// The keys of the field flags, and of those that `publish` alone has: status, start time, end time. `--set` comes last
/// and wins.
pub(super) fn of_flags(fields: &Fields, [status, start, end]: [&Option<String>; 3]) -> Vec<Key> {
    let flags = [
        ("id", &fields.id),
        ("status", status),
        ("start_time", start),
        ("end_time", end),
        ("author_email", &fields.author_email),
        ("author", &fields.author),
        ("message", &fields.message),
        ("deployer", &fields.deployer),
    ];
    let given = flags.into_iter().filter_map(|(name, value)| Some(key(name, value.as_ref()?)));
    let set = fields.set.iter().map(|set| (set.key.clone(), set.json.clone()));
    given.chain(set).collect()
}

/// A key with a text.
pub(super) fn key(name: &str, value: &str) -> Key {
    (name.to_owned(), quoted(value))
}

/// A deployment's keys from a commit that has just been deployed.
pub(super) fn of_deployed_commit(commit: &Commit) -> Vec<Key> {
    let now = timestamp(Utc::now());
    let deployed = [key("status", "success"), key("start_time", &now), key("end_time", &now)];
    [of_commit(commit), deployed.into()].concat()
}

/// The keys that a commit alone gives.
pub(super) fn of_commit(commit: &Commit) -> Vec<Key> {
    vec![
        key("id", &commit.id),
        key("author_email", &commit.author_email),
        key("author", &commit.author),
        key("message", &commit.message),
        key("deployer", &git::deployer(&commit.committer)),
    ]
}
