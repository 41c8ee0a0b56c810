//! A deployment's keys, from flags and from a commit, in the order in which Kudu writes them.

use chrono::Utc;

use crate::cli::{Fields, Publish};
use crate::domain::json::quoted;
use crate::domain::time::timestamp;
use crate::git::{self, Commit};

/// A deployment's key and its value as JSON text.
type Key = (String, String);

/// The keys of all the field flags of `publish`; `--set` comes last and wins.
pub(super) fn of_publish(arguments: &Publish) -> Vec<Key> {
    let mut keys = Vec::new();
    set(&mut keys, "id", arguments.fields.id.as_deref());
    set(&mut keys, "status", arguments.status.as_deref());
    set(&mut keys, "start_time", arguments.start_time.as_deref());
    set(&mut keys, "end_time", arguments.end_time.as_deref());
    rest_of_flags(&mut keys, &arguments.fields);
    keys
}

/// The keys of the field flags that `run` has, too; `--set` comes last and wins.
pub(super) fn of_flags(fields: &Fields) -> Vec<Key> {
    let mut keys = Vec::new();
    set(&mut keys, "id", fields.id.as_deref());
    rest_of_flags(&mut keys, fields);
    keys
}

fn rest_of_flags(keys: &mut Vec<Key>, fields: &Fields) {
    set(keys, "author_email", fields.author_email.as_deref());
    set(keys, "author", fields.author.as_deref());
    set(keys, "message", fields.message.as_deref());
    set(keys, "deployer", fields.deployer.as_deref());
    keys.extend(
        fields
            .set
            .iter()
            .map(|set| (set.key.clone(), set.json.clone())),
    );
}

fn set(keys: &mut Vec<Key>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        keys.push((key.to_owned(), quoted(value)));
    }
}

/// A deployment's keys from a commit that has just been deployed.
pub(super) fn of_deployed_commit(commit: &Commit) -> Vec<Key> {
    let now = timestamp(Utc::now());
    let mut keys = of_commit(commit);
    set(&mut keys, "status", Some("success"));
    set(&mut keys, "start_time", Some(&now));
    set(&mut keys, "end_time", Some(&now));
    keys
}

/// The keys that a commit alone gives.
pub(super) fn of_commit(commit: &Commit) -> Vec<Key> {
    let mut keys = Vec::new();
    set(&mut keys, "id", Some(&commit.id));
    set(&mut keys, "author_email", Some(&commit.author_email));
    set(&mut keys, "author", Some(&commit.author));
    set(&mut keys, "message", Some(&commit.message));
    set(
        &mut keys,
        "deployer",
        Some(&git::deployer(&commit.committer)),
    );
    keys
}
