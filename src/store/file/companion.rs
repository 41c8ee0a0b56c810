//! The files beside a file: its lock, its journal and the like. They are opened only where nobody could
//! have put them there who may not write the file itself.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::attributes::Attributes;
use super::{FileError, Lock, SaveError, SharedFile, missing_is_none};
use crate::platform::Access;
use crate::platform::file::{Directory, Status};

/// A file beside another one.
#[derive(Debug, Clone)]
pub(crate) struct Companion {
    of: SharedFile,
    name: OsString,
    path: PathBuf,
}

impl Companion {
    pub(super) fn new(of: SharedFile, suffix: &str) -> Self {
        let longer = |name: &OsStr| {
            let mut name = name.to_owned();
            name.push(".");
            name.push(suffix);
            name
        };
        Self {
            name: longer(&of.0.name),
            path: longer(of.0.path.as_os_str()).into(),
            of,
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing has its name. What cannot be looked at is there, and will say why.
    pub(crate) fn is_missing(&self) -> bool {
        let status = self.status();
        status.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Opens it for reading; nothing if it is missing.
    pub(crate) fn open(&self) -> Result<Option<File>, FileError> {
        missing_is_none(self.open_for(Access::Read))
    }

    /// Replaces it as [`SharedFile::replace`] does.
    pub(crate) fn replace(&self, lock: &Lock, contents: &[u8]) -> Result<(), SaveError> {
        let old = missing_is_none(self.open_for(Access::Read))?;
        let old = old.map(|file| Status::of(&file).map(|status| (file, status)));
        let old = old.transpose().map_err(FileError::from)?;
        self.of.replace_name(&self.name, old, lock, contents)
    }

    /// What now has its name.
    pub(super) fn status(&self) -> io::Result<Status> {
        self.of.directory()?.status(&self.name)
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Its directory, which is made if it is missing.
    pub(super) fn directory(&self) -> io::Result<&Directory> {
        self.of.make_directory()
    }

    /// Opens it, or makes it with the owner and group of the file; tells whether it is new.
    pub(super) fn open_or_create(&self, access: Access) -> Result<(File, bool), FileError> {
        loop {
            if let Some(file) = missing_is_none(self.open_for(access))? {
                return Ok((file, false));
            }
            match self.create(access) {
                // Another process was faster.
                Err(error) if error.kind() == Some(io::ErrorKind::AlreadyExists) => {}
                created => return created.map(|file| (file, true)),
            }
        }
    }

    /// Removes what has its name, if that may be removed.
    pub(super) fn remove(&self) -> Result<(), FileError> {
        let Some(status) = missing_is_none(self.status().map_err(FileError::from))? else {
            return Ok(());
        };
        self.of.trust()?.check_owner(&self.path, &status)?;
        missing_is_none(self.of.directory()?.remove(&self.name).map_err(Into::into)).map(drop)
    }

    /// Removes what has its name, if it still is this file. Best effort.
    pub(super) fn remove_if_same(&self, file: &File) {
        let same = matches!((self.status(), Status::of(file)), (Ok(a), Ok(b)) if a.is_same(&b));
        if same && let Ok(directory) = self.of.directory() {
            let _ = directory.remove(&self.name);
        }
    }

    fn open_for(&self, access: Access) -> Result<File, FileError> {
        let directory = self.of.directory()?;
        match directory.open(&self.name, access) {
            Ok(file) => {
                let status = Status::of(&file)?;
                self.of.trust()?.check(&self.path, &status)?;
                Ok(file)
            }
            Err(error) => {
                // Whose it is says more than the system's answer.
                if error.kind() != io::ErrorKind::NotFound
                    && let Ok(status) = directory.status(&self.name)
                {
                    self.of.trust()?.check(&self.path, &status)?;
                }
                Err(error.into())
            }
        }
    }

    fn create(&self, access: Access) -> Result<File, FileError> {
        let directory = self.of.make_directory()?;
        let file = directory.create(&self.name, access)?;
        let given = self.give_attributes(&file);
        if given.is_err() {
            self.remove_if_same(&file);
        }
        given.map(|()| file)
    }

    fn give_attributes(&self, file: &File) -> Result<(), FileError> {
        let Some((like, status)) = missing_is_none(self.of.open())? else {
            return Ok(());
        };
        let shared = self.of.trust()?.is_shared();
        Ok(Attributes::beside(&like, &status, shared)?.give(file)?)
    }
}
