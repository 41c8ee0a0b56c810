//! Files by their names in a folder that is held open (`openat` and its kin): what was checked is what is
//! used, whatever becomes of the path meanwhile.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, fchown};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, statat};

use crate::platform::{Access, Facts, retry};

/// To reach the files in a folder takes no right to list it.
#[cfg(target_os = "linux")]
const TO_SEARCH: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const TO_SEARCH: OFlags = OFlags::RDONLY;

/// Never follows a link, never waits for a FIFO's other end, never takes a terminal.
const CAREFULLY: OFlags =
    OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// A folder that is held open.
#[derive(Debug)]
pub(crate) struct Folder(pub(in crate::platform) OwnedFd);

impl Folder {
    /// The folder with this absolute path, in which no part may be a link.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let names = path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        });
        let flags = TO_SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = retry(|| rustix::fs::open("/", flags, Mode::empty())).map(Self);
        names.fold(root, |folder, name| folder?.enter(name))
    }

    /// The folder with this name in it.
    pub(crate) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let flags = TO_SEARCH | OFlags::DIRECTORY | CAREFULLY;
        retry(|| openat(&self.0, name, flags, Mode::empty())).map(Self)
    }

    /// Makes a folder in it for its owner alone; one that is there is left as it is.
    pub(crate) fn make(&self, name: &OsStr) -> io::Result<()> {
        match retry(|| mkdirat(&self.0, name, Mode::RWXU)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// Opens the file with this name.
    pub(crate) fn file(&self, name: &OsStr, access: Access) -> io::Result<File> {
        self.open_file(name, flags(access), Mode::empty())
    }

    /// Makes the file with this name, where there is none, for its owner alone.
    pub(crate) fn create(&self, name: &OsStr, access: Access) -> io::Result<File> {
        let flags = flags(access) | OFlags::CREATE | OFlags::EXCL;
        self.open_file(name, flags, Mode::RUSR | Mode::WUSR)
    }

    fn open_file(&self, name: &OsStr, flags: OFlags, mode: Mode) -> io::Result<File> {
        retry(|| openat(&self.0, name, flags | CAREFULLY, mode)).map(File::from)
    }

    /// What stands under this name, a link itself included.
    pub(crate) fn facts(&self, name: &OsStr) -> io::Result<Facts> {
        retry(|| statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)).map(|stat| facts(&stat))
    }

    /// Gives a file another name, in place of the file that had it.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        retry(|| rustix::fs::renameat(&self.0, from, &self.0, to))
    }

    /// Takes a name away, a link's own included.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        retry(|| rustix::fs::unlinkat(&self.0, name, AtFlags::empty()))
    }
}

fn flags(access: Access) -> OFlags {
    match access {
        Access::Read => OFlags::RDONLY,
        Access::Write => OFlags::RDWR,
        Access::Append => OFlags::RDWR | OFlags::APPEND,
    }
}

/// The types of the numbers differ between systems.
#[allow(clippy::useless_conversion, clippy::cast_sign_loss, clippy::unnecessary_cast)]
fn facts(stat: &Stat) -> Facts {
    Facts {
        irregular: match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => None,
            FileType::Directory => Some("a directory"),
            FileType::Symlink => Some("a symbolic link"),
            FileType::Fifo => Some("a FIFO"),
            FileType::Socket => Some("a socket"),
            _ => Some("a device"),
        },
        owner: stat.st_uid,
        group: stat.st_gid,
        mode: u32::from(stat.st_mode) & 0o7777,
        names: u64::from(stat.st_nlink),
        identity: (stat.st_dev as u64, stat.st_ino),
    }
}

/// What an open file is.
pub(crate) fn facts_of_open(file: &impl AsFd) -> io::Result<Facts> {
    retry(|| fstat(file)).map(|stat| facts(&stat))
}

/// What a path leads to, links followed.
pub(crate) fn facts_of(path: &Path) -> io::Result<Facts> {
    retry(|| rustix::fs::stat(path)).map(|stat| facts(&stat))
}

/// What a path is, a link itself included.
pub(crate) fn facts_of_link(path: &Path) -> io::Result<Facts> {
    retry(|| rustix::fs::lstat(path)).map(|stat| facts(&stat))
}

/// Gives a file away, or to another group alone.
pub(crate) fn set_owner(file: &File, owner: Option<u32>, group: u32) -> io::Result<()> {
    retry(|| fchown(file, owner, Some(group)))
}

/// Sets the permission bits.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    retry(|| file.set_permissions(Permissions::from_mode(mode)))
}

/// The number of the user that this process acts for.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}
