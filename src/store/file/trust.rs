//! Whose files are used, and whose are refused (docs/files.md).

use std::path::{Path, PathBuf};

use crate::platform::file::{self as system, Status};

/// The system's administrator.
const ROOT: u32 = 0;

/// Permission to write, for the group and for all others.
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// A file that is not used, because somebody else could have made or changed it.
#[derive(Debug, thiserror::Error)]
#[error("{} {problem}", name_of(path))]
pub(crate) struct Untrusted {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("of {} is {kind}, not a regular file", user(*owner))]
    Kind { owner: u32, kind: &'static str },
    #[error("belongs to {}, who may not write {registry}", user(*owner))]
    Owner { owner: u32, registry: String },
    #[error("of {} has other names, too (hard links)", user(*owner))]
    Linked { owner: u32 },
    #[error("of {} can be written by others (mode {mode:04o})", user(*owner))]
    OthersWrite { owner: u32, mode: u32 },
    #[error(
        "of {} can be written by group {group}, which may not write {registry}",
        user(*owner)
    )]
    GroupWrites {
        owner: u32,
        group: u32,
        registry: String,
    },
    #[error("is in {}, which belongs to {}", directory.display(), user(*owner))]
    DirectoryOwner { directory: PathBuf, owner: u32 },
    #[error(
        "is in {} of {}, which other users may write, too (mode {mode:04o})",
        directory.display(),
        user(*owner)
    )]
    DirectoryMode {
        directory: PathBuf,
        owner: u32,
        mode: u32,
    },
    #[error("is reached by the link {}, which belongs to {}", link.display(), user(*owner))]
    Link { link: PathBuf, owner: u32 },
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn user(user: u32) -> String {
    match system::user_name(user) {
        Some(name) => format!("user {user} ({name})"),
        None => format!("user {user}"),
    }
}

impl Untrusted {
    /// What to do about it.
    pub(crate) fn hint(&self) -> String {
        let path = self.path.display();
        match &self.problem {
            Problem::OthersWrite { .. } | Problem::GroupWrites { .. } => {
                format!("if what is in it can be relied on: chmod go-w {path}")
            }
            Problem::Kind { .. } => format!("a regular file is wanted; see 'ls -l {path}'"),
            Problem::Owner { .. } | Problem::Linked { .. } => {
                format!("see 'ls -l {path}'; once it is moved away, hooks makes a new one")
            }
            Problem::DirectoryOwner { .. } | Problem::DirectoryMode { .. } | Problem::Link { .. } => {
                "root uses only what nobody else could have put there: run it as that user, or keep \
                 the registry in a directory that only root may write"
                    .to_owned()
            }
        }
    }
}

/// Whether this process acts for the system's administrator.
pub(super) fn is_root() -> bool {
    system::user() == ROOT
}

/// By whom a file and those beside it may be owned and written.
#[derive(Debug)]
pub(super) struct Trust {
    user: u32,
    registry: PathBuf,
    /// Nothing where there is no file yet.
    file: Option<Status>,
    directory: Status,
}

impl Trust {
    /// For the file with this path, of this status, in a directory of that status.
    pub(super) fn new(registry: &Path, file: Option<Status>, directory: Status) -> Self {
        Self {
            user: system::user(),
            registry: registry.to_owned(),
            file,
            directory,
        }
    }

    /// Refuses a file beside it that is not to be opened.
    pub(super) fn check(&self, path: &Path, found: &Status) -> Result<(), Untrusted> {
        self.check_owner(path, found)?;
        let owner = found.owner();
        let registry = || name_of(&self.registry);
        let problem = if found.is_linked() {
            Problem::Linked { owner }
        } else if found.mode() & OTHERS_WRITE != 0 {
            Problem::OthersWrite {
                owner,
                mode: found.mode(),
            }
        } else if found.mode() & GROUP_WRITES != 0 && !self.group_may_write(found.group()) {
            Problem::GroupWrites {
                owner,
                group: found.group(),
                registry: registry(),
            }
        } else {
            return Ok(());
        };
        Err(untrusted(path, problem))
    }

    /// Refuses a file beside it that is not to be removed, which needs less than to open it.
    pub(super) fn check_owner(&self, path: &Path, found: &Status) -> Result<(), Untrusted> {
        check_kind(path, found)?;
        let owner = found.owner();
        if self.is_owner(owner) || self.is_shared() {
            return Ok(());
        }
        let registry = name_of(&self.registry);
        Err(untrusted(path, Problem::Owner { owner, registry }))
    }

    /// Refuses root a file that another user has led it to, by a link or by the right to write the
    /// directory.
    pub(super) fn check_way(
        &self,
        directory: &Path,
        links: &[(PathBuf, u32)],
    ) -> Result<(), Untrusted> {
        let is_trusted = |user| self.is_owner(user);
        let refuse = |problem| Err(untrusted(&self.registry, problem));
        if let Some((link, owner)) = links.iter().find(|(_, owner)| !is_trusted(*owner)) {
            let (link, owner) = (link.clone(), *owner);
            return refuse(Problem::Link { link, owner });
        }
        let (owner, mode) = (self.directory.owner(), self.directory.mode());
        let directory = directory.to_owned();
        if !is_trusted(owner) {
            return refuse(Problem::DirectoryOwner { directory, owner });
        }
        let group = self.directory.group();
        let by_group = mode & GROUP_WRITES != 0 && group != ROOT && !self.group_may_write(group);
        if mode & OTHERS_WRITE != 0 || by_group {
            return refuse(Problem::DirectoryMode {
                directory,
                owner,
                mode,
            });
        }
        Ok(())
    }

    /// Whether a group shares the file on purpose: it may read and write it, the directory is the
    /// group's, too, and nobody else may write there. Its members are as good as the owner.
    pub(super) fn is_shared(&self) -> bool {
        let writers = self.directory.mode() & (GROUP_WRITES | OTHERS_WRITE);
        self.file.as_ref().is_some_and(|file| {
            file.mode() & 0o060 == 0o060
                && writers == GROUP_WRITES
                && file.group() == self.directory.group()
        })
    }

    fn is_owner(&self, user: u32) -> bool {
        let owner = self.file.as_ref().map(Status::owner);
        user == ROOT || user == self.user || Some(user) == owner
    }

    fn group_may_write(&self, group: u32) -> bool {
        self.file
            .as_ref()
            .is_some_and(|file| file.mode() & GROUP_WRITES != 0 && file.group() == group)
    }
}

/// Refuses what is no regular file.
pub(super) fn check_kind(path: &Path, found: &Status) -> Result<(), Untrusted> {
    if found.is_regular() {
        return Ok(());
    }
    let (kind, owner) = (found.kind_name(), found.owner());
    Err(untrusted(path, Problem::Kind { kind, owner }))
}

fn untrusted(path: &Path, problem: Problem) -> Untrusted {
    let path = path.to_owned();
    Untrusted { path, problem }
}
