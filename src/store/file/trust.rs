//! Whose files are used, and whose are refused (docs/design.md §14).

use std::io;
use std::path::{Path, PathBuf};

use crate::exit::{Exit, Failure};
use crate::platform::{self, Facts};

/// The system's administrator, and its group.
const ROOT: u32 = 0;

/// Permission to write, for the group and for all others.
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// By whom the files of a registry may be owned and written.
#[derive(Debug)]
pub(super) struct Trust {
    /// The registry; nothing where there is none yet.
    pub(super) registry: Option<Facts>,
    /// The folder that it is in.
    pub(super) folder: Facts,
}

impl Trust {
    /// Refuses a file beside the registry that is not to be opened.
    pub(super) fn check(&self, path: &Path, found: &Facts) -> io::Result<()> {
        self.check_owner(path, found)?;
        let to_do = |what: &str| format!("{what} {}", path.display());
        if found.names > 1 {
            let why = "has other names, too (hard links)";
            return Err(refused(path, found, why, to_do("see 'ls -l' of")));
        }
        let by = if found.mode & OTHERS_WRITE != 0 {
            format!("others (mode {:04o})", found.mode)
        } else if found.mode & GROUP_WRITES != 0 && !self.group_may_write(found.group) {
            let group = found.group;
            format!("group {group}, which may not write the registry")
        } else {
            return Ok(());
        };
        let hint = to_do("if what is in it can be relied on: chmod go-w");
        Err(refused(path, found, &format!("can be written by {by}"), hint))
    }

    /// Refuses a file beside the registry that is not to be removed, which needs less than to open it.
    pub(super) fn check_owner(&self, path: &Path, found: &Facts) -> io::Result<()> {
        check_kind(path, found)?;
        if self.may_own(found.owner) || self.is_shared() {
            return Ok(());
        }
        let (name, owner, path) = (name_of(path), user(found.owner), path.display());
        Err(failure(
            format!("{name} belongs to {owner}, who may not write the registry"),
            format!("see 'ls -l {path}'; once it is moved away, a new one is made"),
        ))
    }

    /// Refuses root a registry that another user could have led it to: by a link, or by the right to write
    /// the folder.
    pub(super) fn check_way(
        &self,
        path: &Path,
        folder: &Path,
        links: &[PathBuf],
    ) -> io::Result<()> {
        let refuse = |why: String| {
            let name = name_of(path);
            let hint = "root uses only what nobody else could have put there: run it as that user, or keep \
                        the registry in a directory that only root may write";
            Err(failure(format!("{name} {why}"), hint))
        };
        for link in links {
            let owner = platform::facts_of_link(link)?.owner;
            if !self.may_own(owner) {
                let (link, owner) = (link.display(), user(owner));
                return refuse(format!("is reached by the link {link}, which belongs to {owner}"));
            }
        }
        let Facts { owner, group, mode, .. } = self.folder;
        let folder = folder.display();
        if !self.may_own(owner) {
            return refuse(format!("is in {folder}, which belongs to {}", user(owner)));
        }
        let group_writes =
            mode & GROUP_WRITES != 0 && group != ROOT && !self.group_may_write(group);
        if mode & OTHERS_WRITE != 0 || group_writes {
            return refuse(format!(
                "is in {folder} of {}, which other users may write, too (mode {mode:04o})",
                user(owner)
            ));
        }
        Ok(())
    }

    /// Whether a group shares the registry on purpose: it may read and write it, the folder is the group's,
    /// too, and nobody else may write there. Its members are as good as the owner.
    pub(super) fn is_shared(&self) -> bool {
        let writers = self.folder.mode & (GROUP_WRITES | OTHERS_WRITE);
        self.registry.as_ref().is_some_and(|registry| {
            registry.mode & 0o060 == 0o060
                && writers == GROUP_WRITES
                && registry.group == self.folder.group
        })
    }

    fn may_own(&self, user: u32) -> bool {
        let owner = self.registry.as_ref().map(|registry| registry.owner);
        user == ROOT || user == platform::user() || Some(user) == owner
    }

    fn group_may_write(&self, group: u32) -> bool {
        let registry = self.registry.as_ref();
        registry.is_some_and(|found| found.mode & GROUP_WRITES != 0 && found.group == group)
    }
}

/// Whether this process acts for the system's administrator.
pub(super) fn is_root() -> bool {
    platform::user() == ROOT
}

/// Refuses what is no regular file.
pub(super) fn check_kind(path: &Path, found: &Facts) -> io::Result<()> {
    let Some(kind) = found.irregular else {
        return Ok(());
    };
    let why = format!("is {kind}, not a regular file");
    let hint = format!("a regular file is wanted; see 'ls -l {}'", path.display());
    Err(refused(path, found, &why, hint))
}

fn refused(path: &Path, found: &Facts, why: &str, hint: String) -> io::Error {
    let (name, owner) = (name_of(path), user(found.owner));
    failure(format!("{name} of {owner} {why}"), hint)
}

/// An error with a hint.
pub(super) fn failure(why: String, hint: impl Into<String>) -> io::Error {
    io::Error::other(Failure::new(Exit::Failed, why).hint(hint))
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn user(user: u32) -> String {
    match platform::user_name(user) {
        Some(name) => format!("user {user} ({name})"),
        None => format!("user {user}"),
    }
}
