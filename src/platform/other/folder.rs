//! Files by their paths. Owners, modes and attributes are not known: every file counts as ours alone.

use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::platform::{Access, Facts};

/// How long a rename that is denied is tried again, and after what time each.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// Windows' `ERROR_SHARING_VIOLATION`, which is the same to us as a denied access.
const SHARING_VIOLATION: i32 = 32;

/// A folder, by its path.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder with this absolute path.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|_| Self(path.to_owned()))
    }

    /// The folder with this name in it.
    pub(crate) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        Self::open(&self.0.join(name))
    }

    /// Makes a folder in it; one that is there is left as it is.
    pub(crate) fn make(&self, name: &OsStr) -> io::Result<()> {
        fs::create_dir_all(self.0.join(name))
    }

    /// Opens the file with this name.
    pub(crate) fn file(&self, name: &OsStr, access: Access) -> io::Result<File> {
        options(access).open(self.0.join(name))
    }

    /// Makes the file with this name, where there is none.
    pub(crate) fn create(&self, name: &OsStr, access: Access) -> io::Result<File> {
        options(access).create_new(true).open(self.0.join(name))
    }

    /// What stands under this name, a link itself included.
    pub(crate) fn facts(&self, name: &OsStr) -> io::Result<Facts> {
        fs::symlink_metadata(self.0.join(name)).map(|metadata| facts(&metadata))
    }

    /// What is known of the folder itself.
    pub(crate) fn own_facts(&self) -> io::Result<Facts> {
        facts_of(&self.0)
    }

    /// Gives a file another name, in place of the file that had it. Access is denied while somebody has one of
    /// them open, a reader or a virus scanner: that passes.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            match fs::rename(self.0.join(from), self.0.join(to)) {
                Err(error) if is_denied(&error) && Instant::now() < until => thread::sleep(PAUSE),
                renamed => return renamed,
            }
        }
    }

    /// Takes a name away.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    /// A folder cannot be synced.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    pub(crate) fn to_be_synced(&self) -> io::Result<Option<File>> {
        Ok(None)
    }

    /// It cannot be told.
    #[allow(clippy::unused_self)]
    pub(crate) fn remote_file_system(&self) -> Option<&'static str> {
        None
    }
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
        || error.raw_os_error() == Some(SHARING_VIOLATION)
}

fn options(access: Access) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options.write(access == Access::Write);
    options.append(access == Access::Append);
    options
}

fn facts(metadata: &Metadata) -> Facts {
    Facts {
        irregular: match metadata.file_type() {
            kind if kind.is_file() => None,
            kind if kind.is_dir() => Some("a directory"),
            kind if kind.is_symlink() => Some("a symbolic link"),
            _ => Some("a device"),
        },
        owner: user(),
        group: 0,
        mode: 0o600,
        names: 1,
        identity: (0, 0),
    }
}

/// What an open file is.
pub(crate) fn facts_of_open(file: &File) -> io::Result<Facts> {
    file.metadata().map(|metadata| facts(&metadata))
}

/// What a path leads to, links followed.
pub(crate) fn facts_of(path: &Path) -> io::Result<Facts> {
    fs::metadata(path).map(|metadata| facts(&metadata))
}

/// What a path is, a link itself included.
pub(crate) fn facts_of_link(path: &Path) -> io::Result<Facts> {
    fs::symlink_metadata(path).map(|metadata| facts(&metadata))
}

/// Files have no such owner.
pub(crate) fn set_owner(_: &File, _: Option<u32>, _: u32) -> io::Result<()> {
    Ok(())
}

/// Files have no mode.
pub(crate) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Users have no number: this is nobody's in particular, and not the administrator's.
pub(crate) fn user() -> u32 {
    1
}

/// Users have no number.
pub(crate) fn user_name(_: u32) -> Option<String> {
    None
}

/// They are not kept.
pub(crate) fn attributes(_: &File) -> io::Result<Vec<(CString, Vec<u8>)>> {
    Ok(Vec::new())
}

/// They are not kept.
pub(crate) fn set_attribute(_: &File, _: &CStr, _: Option<&[u8]>) -> io::Result<()> {
    Ok(())
}
