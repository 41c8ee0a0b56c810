//! Whose a file is: root's `add` must not take the deploy user's registry away.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// Mode, owner and group to give to a new file.
#[derive(Debug, Clone)]
pub(crate) struct Ownership {
    #[cfg_attr(not(unix), allow(dead_code))]
    like: Option<Metadata>,
    exactly: bool,
}

impl Ownership {
    /// As the file at this path has them; where there is none, the process's own and mode 0600.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        match super::retry(|| fs::metadata(path)) {
            Ok(metadata) => Ok(Self {
                like: Some(metadata),
                exactly: true,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self {
                like: None,
                exactly: true,
            }),
            Err(error) => Err(error),
        }
    }

    /// For a file beside it: the same owner and group, and for the owner alone, unless the file is
    /// one that the group may write, too.
    #[must_use]
    pub(crate) fn companion(mut self) -> Self {
        self.exactly = false;
        self
    }

    #[cfg(unix)]
    pub(super) fn apply(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let Some(like) = &self.like else {
            return Ok(());
        };
        let present = super::retry(|| file.metadata())?;
        if (present.uid(), present.gid()) != (like.uid(), like.gid()) {
            give(file, like)?;
        }
        let mode = match like.mode() & 0o7777 {
            mode if self.exactly => mode,
            mode if mode & 0o020 != 0 => 0o660,
            _ => 0o600,
        };
        if present.mode() & 0o7777 == mode {
            return Ok(());
        }
        super::retry(|| file.set_permissions(fs::Permissions::from_mode(mode)))
    }

    #[cfg(not(unix))]
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    pub(super) fn apply(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// Only root can give a file away. Another user may still replace one that its group shares; one
/// that is its owner's alone would be lost to the owner, so that is an error.
#[cfg(unix)]
fn give(file: &File, like: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let given = super::retry(|| fchown(file, Some(like.uid()), Some(like.gid())));
    let shared = like.mode() & 0o060 == 0o060;
    match given {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && shared => {
            super::retry(|| fchown(file, None, Some(like.gid())))
        }
        given => given,
    }
}
