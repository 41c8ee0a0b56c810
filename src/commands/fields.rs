//! A deployment's keys, from flags and from a commit, in the order in which Kudu writes them.

use chrono::Utc;

use crate::cli::{Fields, Publish, Run};
use crate::domain::json::quoted;
use crate::domain::time::timestamp;
use crate::git::{self, Commit};

/// A deployment's key and its value as JSON text.
type Key = (String, String);

/// The keys of all the field flags of `publish`; `--set` comes last and wins.
pub(super) fn of_publish(arguments: &Publish) -> Vec<Key> {
    let Publish { fields, .. } = arguments;
    let own = [&arguments.status, &arguments.start_time, &arguments.end_time];
    of_flags(fields, own)
}

/// The keys of the field flags that `run` has, too; `--set` comes last and wins.
pub(super) fn of_run(arguments: &Run) -> Vec<Key> {
    of_flags(&arguments.fields, [&None, &None, &None])
}

fn of_flags(fields: &Fields, [status, start, end]: [&Option<String>; 3]) -> Vec<Key> {
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
