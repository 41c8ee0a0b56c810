//! A file that many processes change: open, lock, replace, so that neither a crash, a full disk, another
//! process nor another user does harm. Knows nothing of hooks. The rules are in docs/files.md.

mod attributes;
mod companion;
mod extended;
mod lines;
mod lock;
mod remote;
mod trust;
mod walk;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::platform::file::{self as system, Directory, Status, Syncable};
use crate::platform::{Access, retry};
use attributes::Attributes;
use trust::Trust;

pub(crate) use attributes::NotKept;
pub(crate) use companion::Companion;
pub(crate) use lines::Lines;
pub(crate) use lock::{Lock, LockError, LockWait};
pub(crate) use trust::Untrusted;

/// Why a file could not be used. It is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The system's answer.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file, or the way to it, is another user's.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The new file could not have what the old one has.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

/// Why a file was not replaced, or not for certain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SaveError {
    /// The old file is as it was.
    #[error(transparent)]
    NotSaved(#[from] FileError),
    /// The old file is as it was: another process may hold a lock, too, since this one's lock file was
    /// deleted. To do it again under a new lock loses nothing.
    #[error("the lock file was deleted by somebody else")]
    LockLost,
    /// The new file is in place, but a power cut may bring the old one back.
    #[error(transparent)]
    NotDurable(io::Error),
}

impl FileError {
    /// The kind of the system's answer, if it was that.
    pub(crate) fn kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io(error) => Some(error.kind()),
            Self::Untrusted(_) | Self::NotKept(_) => None,
        }
    }

    /// The next step, if there is one to name.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Untrusted(untrusted) => Some(untrusted.hint()),
            Self::NotKept(_) => Some("do it as the user who owns the file".to_owned()),
            Self::Io(error) if error.kind() == io::ErrorKind::ResourceBusy => Some(
                "a file that is a mount of its own cannot be replaced: mount the folder that it is in"
                    .to_owned(),
            ),
            Self::Io(_) => None,
        }
    }
}

/// A file that is only ever replaced as a whole. Its directory is held open, so all that is done to it
/// and to the files beside it is done in one place. Clones are one file.
#[derive(Debug, Clone)]
pub(crate) struct SharedFile(Arc<Found>);

#[derive(Debug)]
struct Found {
    /// The last directory on the way that existed.
    directory: Directory,
    /// The directories below it that did not, the topmost first.
    missing: Vec<OsString>,
    /// The last of those, once it exists.
    made: OnceLock<Directory>,
    name: OsString,
    /// The whole path, without links.
    path: PathBuf,
}

impl SharedFile {
    /// Finds a file, which need not exist yet. Root is refused one that another user could have led it to.
    pub(crate) fn find(path: &Path) -> Result<Self, FileError> {
        let led_to = system::status_of(path);
        if let Some(status) = &led_to {
            trust::check_kind(path, status)?;
        }
        let (walk, name) = walk::walk(path)?;
        let below: PathBuf = walk.missing.iter().collect();
        let file = Self(Arc::new(Found {
            path: walk.path.join(below).join(&name),
            directory: walk.directory,
            missing: walk.missing,
            made: OnceLock::new(),
            name,
        }));
        if led_to.is_some() && file.is_missing() && system::status_of(path).is_some() {
            let deleted = "it has been deleted, and some process only has it open still";
            return Err(io::Error::other(deleted).into());
        }
        if trust::is_root() {
            file.trust()?.check_way(&walk.path, &walk.links)?;
        }
        Ok(file)
    }

    /// Where it is: the path without links.
    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Whether there is no file yet. One that cannot be looked at is there, and will say why.
    pub(crate) fn is_missing(&self) -> bool {
        let found = self
            .directory()
            .and_then(|directory| directory.status(&self.0.name));
        found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// The file system's name, if it is one of another machine, where a lock may not hold for all.
    pub(crate) fn remote_file_system(&self) -> Option<&'static str> {
        let directory = self.directory().unwrap_or(&self.0.directory);
        remote::name(directory.file_system()?)
    }

    /// The file beside it whose name is longer by a dot and this.
    pub(crate) fn companion(&self, suffix: &str) -> Companion {
        Companion::new(self.clone(), suffix)
    }

    /// Reads it, without a lock: a rename puts each version in place whole. Nothing if it is missing.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, FileError> {
        let Some((mut file, status)) = missing_is_none(self.open())? else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(usize::try_from(status.length()).unwrap_or(0));
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Takes the lock that guards it and the files beside it, making its directory if it is missing.
    /// After a second `waiting` is told who holds it.
    pub(crate) fn lock(&self, wait: LockWait, waiting: &dyn Fn(&str)) -> Result<Lock, LockError> {
        Lock::acquire(&self.companion("lock"), wait, waiting)
    }

    /// Replaces it under its lock: writes a temporary file, syncs it, renames it into place, syncs the
    /// directory. Mode, owner, group, ACL and other extended attributes are kept.
    pub(crate) fn replace(&self, lock: &Lock, contents: &[u8]) -> Result<(), SaveError> {
        let old = missing_is_none(self.open())?;
        self.replace_name(&self.0.name, old, lock, contents)
    }

    /// Puts a new file under this name, with the attributes of the old one.
    fn replace_name(
        &self,
        name: &OsStr,
        old: Option<(File, Status)>,
        lock: &Lock,
        contents: &[u8],
    ) -> Result<(), SaveError> {
        let attributes = match old {
            Some((file, status)) => Some(self.attributes(&file, &status)?),
            None => None,
        };
        let temporary = self.companion("tmp");
        // One that a killed process left may be open to others: begin with a new one.
        temporary.remove()?;
        let directory = self.directory().map_err(FileError::from)?;
        let created = directory.create(temporary.name(), Access::Write);
        let file = created.map_err(FileError::from)?;
        let saved = fill(&file, attributes.as_ref(), contents)
            .map_err(SaveError::from)
            .and_then(|()| put(directory, &temporary, name, lock));
        if saved.is_err() {
            temporary.remove_if_same(&file);
        }
        saved?.sync().map_err(SaveError::NotDurable)
    }

    fn attributes(&self, file: &File, status: &Status) -> Result<Attributes, FileError> {
        Ok(Attributes::of(file, status, self.trust()?.is_shared())?)
    }

    fn open(&self) -> Result<(File, Status), FileError> {
        let directory = self.directory()?;
        match directory.open(&self.0.name, Access::Read) {
            Ok(file) => {
                let status = Status::of(&file)?;
                trust::check_kind(&self.0.path, &status)?;
                Ok((file, status))
            }
            Err(error) => {
                // That it is no regular file says more than the system's answer.
                if let Ok(status) = directory.status(&self.0.name) {
                    trust::check_kind(&self.0.path, &status)?;
                }
                Err(error.into())
            }
        }
    }

    /// By whom the files in its directory may be owned and written.
    fn trust(&self) -> Result<Trust, FileError> {
        let directory = match self.directory() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let nearest = self.0.directory.own_status()?;
                return Ok(Trust::new(&self.0.path, None, nearest));
            }
            directory => directory?,
        };
        let file = match directory.status(&self.0.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            status => Some(status?),
        };
        Ok(Trust::new(&self.0.path, file, directory.own_status()?))
    }

    /// Its directory, if that exists.
    fn directory(&self) -> io::Result<&Directory> {
        self.go_down(|_, _| Ok(()))
    }

    /// Its directory. What is missing of it is made, for its owner alone.
    fn make_directory(&self) -> io::Result<&Directory> {
        self.go_down(Directory::make)
    }

    fn go_down(
        &self,
        make: impl Fn(&Directory, &OsStr) -> io::Result<()>,
    ) -> io::Result<&Directory> {
        let found = &*self.0;
        if found.missing.is_empty() {
            return Ok(&found.directory);
        }
        if let Some(made) = found.made.get() {
            return Ok(made);
        }
        let mut last = None;
        for name in &found.missing {
            let directory = last.as_ref().unwrap_or(&found.directory);
            make(directory, name)?;
            last = Some(directory.enter(name)?);
        }
        let last = last.ok_or(io::ErrorKind::NotFound)?;
        Ok(found.made.get_or_init(|| last))
    }
}

fn fill(
    mut file: &File,
    attributes: Option<&Attributes>,
    contents: &[u8],
) -> Result<(), FileError> {
    if let Some(attributes) = attributes {
        attributes.give(file)?;
    }
    file.write_all(contents)?;
    Ok(retry(|| file.sync_all())?)
}

/// Renames the temporary file. The directory is opened to be synced before that: if it cannot be, the
/// old file is still there.
fn put(
    directory: &Directory,
    temporary: &Companion,
    name: &OsStr,
    lock: &Lock,
) -> Result<Syncable, SaveError> {
    let syncable = directory.to_be_synced().map_err(FileError::from)?;
    if !lock.is_current().map_err(FileError::from)? {
        return Err(SaveError::LockLost);
    }
    let renamed = directory.rename(temporary.name(), name);
    renamed.map_err(FileError::from)?;
    Ok(syncable)
}

fn missing_is_none<T>(opened: Result<T, FileError>) -> Result<Option<T>, FileError> {
    match opened {
        Err(error) if error.kind() == Some(io::ErrorKind::NotFound) => Ok(None),
        opened => opened.map(Some),
    }
}

#[cfg(test)]
mod tests;
