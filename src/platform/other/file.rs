//! Files of a system that is no Unix: by their paths, and without owners and modes.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::platform::{Access, retry};

/// All are one user.
pub(crate) fn user() -> u32 {
    1
}

/// A directory.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// The directory with this absolute path.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self(path.to_owned()))
    }

    /// The directory with this name in it; a link is none.
    pub(crate) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let path = self.0.join(name);
        if fs::symlink_metadata(&path)?.is_dir() {
            Ok(Self(path))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// As [`Self::enter`], but a link is followed by the system.
    pub(crate) fn follow(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self(self.0.join(name)))
    }

    /// Makes a directory in it; one that is there is left as it is.
    pub(crate) fn make(&self, name: &OsStr) -> io::Result<()> {
        match fs::create_dir(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// Where the link with this name leads.
    pub(crate) fn link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        if fs::symlink_metadata(&path)?.is_symlink() {
            fs::read_link(path)
        } else {
            Err(io::ErrorKind::InvalidInput.into())
        }
    }

    /// Opens the file with this name.
    pub(crate) fn open(&self, name: &OsStr, access: Access) -> io::Result<File> {
        options(access).open(self.0.join(name))
    }

    /// Makes the file with this name, where there is none.
    pub(crate) fn create(&self, name: &OsStr, access: Access) -> io::Result<File> {
        let mut options = options(access);
        options.write(true).create_new(true).open(self.0.join(name))
    }

    /// What stands under this name, a link itself included.
    pub(crate) fn status(&self, name: &OsStr) -> io::Result<Status> {
        fs::symlink_metadata(self.0.join(name)).map(Status)
    }

    /// What is known of the directory itself.
    pub(crate) fn own_status(&self) -> io::Result<Status> {
        fs::metadata(&self.0).map(Status)
    }

    /// Gives a file another name, in place of the file that had it.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    /// Takes a name away.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    /// The system syncs names by itself.
    pub(crate) fn to_be_synced(&self) -> io::Result<Syncable> {
        Ok(Syncable)
    }

    /// It has no number that is known.
    pub(crate) fn file_system(&self) -> Option<u32> {
        None
    }

    /// There is none.
    pub(crate) fn is_proc(&self) -> bool {
        false
    }
}

fn options(access: Access) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    match access {
        Access::Read => &mut options,
        Access::Write => options.write(true),
        Access::Append => options.append(true),
    };
    options
}

/// A directory that needs no sync.
#[derive(Debug)]
pub(crate) struct Syncable;

impl Syncable {
    /// Done already.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// What the system knows of a file.
#[derive(Debug, Clone)]
pub(crate) struct Status(Metadata);

impl Status {
    /// That of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        retry(|| file.metadata()).map(Self)
    }

    /// All are one user's.
    pub(crate) fn owner(&self) -> u32 {
        user()
    }

    /// All are one group's.
    pub(crate) fn group(&self) -> u32 {
        user()
    }

    /// There are no permission bits.
    pub(crate) fn mode(&self) -> u32 {
        0o600
    }

    /// The length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.0.len()
    }

    /// It cannot be known.
    pub(crate) fn is_linked(&self) -> bool {
        false
    }

    /// Whether it is a regular file.
    pub(crate) fn is_regular(&self) -> bool {
        self.0.is_file()
    }

    /// Whether both are one file, as far as that can be known.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.created().ok() == other.0.created().ok()
    }

    /// What kind of file it is, with its article.
    pub(crate) fn kind_name(&self) -> &'static str {
        if self.0.is_dir() {
            "a directory"
        } else {
            "no regular file"
        }
    }
}

/// What a path leads to, links followed; nothing where it leads nowhere.
pub(crate) fn status_of(path: &Path) -> Option<Status> {
    fs::metadata(path).ok().map(Status)
}

/// Nothing is to be set.
pub(crate) fn set_owner(_: &File, _: Option<u32>, _: u32) -> io::Result<()> {
    Ok(())
}

/// Nothing is to be set.
pub(crate) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Users have no numbers.
pub(crate) fn user_name(_: u32) -> Option<String> {
    None
}
