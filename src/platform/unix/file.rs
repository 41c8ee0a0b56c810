//! Files by their names in a directory that is held open (`openat` and its kin): what was checked is
//! what is used, whatever becomes of the path meanwhile.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};

use crate::platform::{Access, retry};

/// Opens a directory to reach the files in it, which needs no right to list it.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const TO_SEARCH: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const TO_SEARCH: OFlags = OFlags::RDONLY;

/// Never waits for a FIFO's other end, never follows a link, never takes a terminal.
const CAREFULLY: OFlags = OFlags::CLOEXEC
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// The user that this process acts for.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// A directory that is held open.
#[derive(Debug)]
pub(crate) struct Directory(OwnedFd);

impl Directory {
    /// The directory with this absolute path, links followed.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let flags = TO_SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        retry(|| rustix::fs::open(path, flags, Mode::empty())).map(Self)
    }

    /// The directory with this name in it; a link is none.
    pub(crate) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        self.directory(name, OFlags::NOFOLLOW)
    }

    /// As [`Self::enter`], but a link is followed by the system.
    pub(crate) fn follow(&self, name: &OsStr) -> io::Result<Self> {
        self.directory(name, OFlags::empty())
    }

    fn directory(&self, name: &OsStr, flags: OFlags) -> io::Result<Self> {
        let flags = flags | TO_SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        retry(|| rustix::fs::openat(&self.0, name, flags, Mode::empty())).map(Self)
    }

    /// Makes a directory in it for its owner alone; one that is there is left as it is.
    pub(crate) fn make(&self, name: &OsStr) -> io::Result<()> {
        match retry(|| rustix::fs::mkdirat(&self.0, name, Mode::RWXU)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// Where the link with this name leads.
    pub(crate) fn link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let target = retry(|| rustix::fs::readlinkat(&self.0, name, Vec::new()))?;
        Ok(std::ffi::OsString::from_vec(target.into_bytes()).into())
    }

    /// Opens the file with this name.
    pub(crate) fn open(&self, name: &OsStr, access: Access) -> io::Result<File> {
        let flags = flags(access) | CAREFULLY;
        retry(|| rustix::fs::openat(&self.0, name, flags, Mode::empty())).map(File::from)
    }

    /// Makes the file with this name, where there is none, for its owner alone.
    pub(crate) fn create(&self, name: &OsStr, access: Access) -> io::Result<File> {
        let flags = flags(access) | CAREFULLY | OFlags::CREATE | OFlags::EXCL;
        let mode = Mode::RUSR | Mode::WUSR;
        retry(|| rustix::fs::openat(&self.0, name, flags, mode)).map(File::from)
    }

    /// What stands under this name, a link itself included.
    pub(crate) fn status(&self, name: &OsStr) -> io::Result<Status> {
        retry(|| rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)).map(Status)
    }

    /// What is known of the directory itself.
    pub(crate) fn own_status(&self) -> io::Result<Status> {
        retry(|| rustix::fs::fstat(&self.0)).map(Status)
    }

    /// Gives a file another name, in place of the file that had it.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        retry(|| rustix::fs::renameat(&self.0, from, &self.0, to))
    }

    /// Takes a name away, a link's own included.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        retry(|| rustix::fs::unlinkat(&self.0, name, AtFlags::empty()))
    }

    /// Opens it to be synced: a name that is new in it is on the disk after that.
    pub(crate) fn to_be_synced(&self) -> io::Result<Syncable> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        retry(|| rustix::fs::openat(&self.0, ".", flags, Mode::empty()))
            .map(|directory| Syncable(directory.into()))
    }

    /// The magic number of the file system that it is on.
    #[cfg(target_os = "linux")]
    pub(crate) fn file_system(&self) -> Option<u32> {
        let found = retry(|| rustix::fs::fstatfs(&self.0)).ok()?;
        // A C long, of which 32 bits count.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(found.f_type as u32)
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn file_system(&self) -> Option<u32> {
        None
    }

    /// Whether it is in `/proc`, where the text of a link may lead elsewhere than the link.
    pub(crate) fn is_proc(&self) -> bool {
        const PROC: u32 = 0x9fa0;
        self.file_system() == Some(PROC)
    }
}

fn flags(access: Access) -> OFlags {
    match access {
        Access::Read => OFlags::RDONLY,
        Access::Write => OFlags::RDWR,
        Access::Append => OFlags::RDWR | OFlags::APPEND,
    }
}

/// A directory whose names can be synced.
#[derive(Debug)]
pub(crate) struct Syncable(File);

impl Syncable {
    /// Waits until the names in it are on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        retry(|| self.0.sync_all())
    }
}

/// What the system knows of a file.
#[derive(Debug, Clone)]
pub(crate) struct Status(Stat);

impl Status {
    /// That of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        retry(|| rustix::fs::fstat(file)).map(Self)
    }

    /// The number of the user who owns it.
    pub(crate) fn owner(&self) -> u32 {
        self.0.st_uid
    }

    /// The number of its group.
    pub(crate) fn group(&self) -> u32 {
        self.0.st_gid
    }

    /// The permission bits.
    #[allow(clippy::useless_conversion)] // 16 bits on some systems
    pub(crate) fn mode(&self) -> u32 {
        u32::from(self.0.st_mode) & 0o7777
    }

    /// The length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.0.st_size.try_into().unwrap_or(0)
    }

    /// Whether it has more than one name.
    pub(crate) fn is_linked(&self) -> bool {
        self.0.st_nlink > 1
    }

    /// Whether it is a regular file.
    pub(crate) fn is_regular(&self) -> bool {
        self.kind() == FileType::RegularFile
    }

    /// Its number in its file system.
    #[cfg(target_os = "linux")]
    pub(crate) fn inode(&self) -> u64 {
        self.0.st_ino
    }

    /// Whether both are one file.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.0.st_dev, self.0.st_ino) == (other.0.st_dev, other.0.st_ino)
    }

    /// What kind of file it is, with its article.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self.kind() {
            FileType::RegularFile => "a file",
            FileType::Directory => "a directory",
            FileType::Symlink => "a symbolic link",
            FileType::Fifo => "a FIFO",
            FileType::Socket => "a socket",
            _ => "a device",
        }
    }

    fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.0.st_mode)
    }
}

/// What a path leads to, links followed; nothing where it leads nowhere.
pub(crate) fn status_of(path: &Path) -> Option<Status> {
    retry(|| rustix::fs::stat(path)).ok().map(Status)
}

/// Gives a file away, or to another group alone.
pub(crate) fn set_owner(file: &File, owner: Option<u32>, group: u32) -> io::Result<()> {
    retry(|| fchown(file, owner, Some(group)))
}

/// Sets the permission bits.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    retry(|| file.set_permissions(Permissions::from_mode(mode)))
}

/// A user's name, if the system's own file of users has it.
pub(crate) fn user_name(user: u32) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(user)).then(|| name.to_owned())
    })
}
