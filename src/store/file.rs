//! A file that many processes change: open, lock, replace, so that neither a crash, a full disk, another
//! process nor another user does harm. Knows nothing of hooks. The rules are in docs/design.md §14.

mod attributes;
mod lines;
mod lock;
mod trust;
mod way;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::platform::{self, Access, Facts, Folder, retry};
use attributes::Attributes;
use trust::Trust;

pub(crate) use lines::Lines;
pub(crate) use lock::{Lock, Patience};

/// How often a file that was found is looked at again, as a save may come in between.
const LOOKS: usize = 100;

/// Why a file was not replaced, or not for certain.
#[derive(Debug)]
pub(crate) enum SaveError {
    /// The old file is as it was.
    NotSaved(io::Error),
    /// The old file is as it was: another process may hold a lock, too, since this one's lock file was
    /// deleted. To do it again under a new lock loses nothing.
    LockLost,
    /// The new file is in place, but a power cut may bring the old one back.
    NotDurable(io::Error),
}

impl From<io::Error> for SaveError {
    fn from(error: io::Error) -> Self {
        Self::NotSaved(error)
    }
}

/// [`SaveError::LockLost`], where nothing more can be done about it.
pub(crate) fn lock_lost() -> io::Error {
    io::Error::other("the lock file was deleted by somebody else")
}

/// A registry, or a file beside it. Their folder is held open, so that all is done in one place, whatever
/// becomes of the path. Clones are one file.
#[derive(Debug, Clone)]
pub(crate) struct SharedFile {
    path: PathBuf,
    place: Arc<Place>,
}

#[derive(Debug)]
struct Place {
    /// The registry's path, without links.
    registry: PathBuf,
    /// The last folder on the way that existed.
    nearest: Folder,
    /// The way from there to the registry's folder.
    missing: PathBuf,
    /// The registry's folder, once it exists.
    folder: OnceLock<Folder>,
}

impl SharedFile {
    /// Finds a registry, which need not exist yet. Root is refused one that another user could have led it
    /// to.
    pub(crate) fn find(path: &Path) -> io::Result<Self> {
        let led_to = platform::facts_of(path).ok();
        if let Some(found) = &led_to {
            trust::check_kind(path, found)?;
        }
        let (registry, links) = way::resolve(path)?;
        let folder = registry.parent().ok_or(io::ErrorKind::IsADirectory)?;
        let (nearest, existing) = way::nearest(folder)?;
        let missing = folder.strip_prefix(existing).unwrap_or(folder).to_owned();
        let place = Place { registry: registry.clone(), nearest, missing, folder: OnceLock::new() };
        let file = Self { path: registry.clone(), place: Arc::new(place) };
        // In /proc the text of a link is not always where it leads.
        let is_there = || {
            let (there, here) = (platform::facts_of(path), file.facts());
            matches!((there, here), (Ok(there), Ok(Some(here))) if there.identity == here.identity)
        };
        if led_to.is_some() && !(0..LOOKS).any(|_| is_there()) {
            let other =
                "it has been deleted and is only open still, or its links say where it is not";
            return Err(io::Error::other(other));
        }
        if trust::is_root() {
            file.trust()?.check_way(&registry, existing, &links)?;
        }
        Ok(file)
    }

    /// Where it is: the path without links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file beside the registry whose name is longer by a dot and this.
    pub(crate) fn companion(&self, suffix: &str) -> Self {
        let mut path = self.place.registry.as_os_str().to_owned();
        path.push(".");
        path.push(suffix);
        Self { path: path.into(), place: self.place.clone() }
    }

    /// Whether nothing has its name. What cannot be looked at is there, and will say why.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self.facts(), Ok(None))
    }

    /// The file system's name, if it is one of another machine, where a lock may not hold for all.
    pub(crate) fn remote_file_system(&self) -> Option<&'static str> {
        platform::remote_file_system(self.folder().unwrap_or(&self.place.nearest))
    }

    /// Opens it; nothing if it is missing.
    pub(crate) fn open(&self, access: Access) -> io::Result<Option<File>> {
        let opened = if_there(self.folder().and_then(|folder| folder.file(self.name(), access)));
        let found = match &opened {
            Ok(None) => None,
            Ok(Some(file)) => Some(platform::facts_of_open(file)?),
            // Whose and what it is says more than the system's answer.
            Err(_) => self.facts().unwrap_or_default(),
        };
        if let Some(found) = found {
            if self.path == self.place.registry {
                trust::check_kind(&self.path, &found)?;
            } else {
                self.trust()?.check(&self.path, &found)?;
            }
        }
        opened
    }

    /// Reads it whole, without a lock: a rename puts each version in place whole. Nothing if it is missing.
    pub(crate) fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open(Access::Read)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Replaces it under the registry's lock by what `write` writes: into a temporary file, which is synced
    /// and renamed, and then the folder is synced. Mode, owner, group, ACL and other attributes are kept.
    pub(crate) fn replace(
        &self,
        lock: &Lock,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), SaveError> {
        let attributes = self.attributes()?;
        let temporary = self.companion("tmp");
        // One that a killed process left may be open to others: begin with a new one.
        temporary.remove()?;
        let folder = self.folder()?;
        let file = folder.create(temporary.name(), Access::Write)?;
        let save = || {
            if let Some(attributes) = attributes {
                attributes.give(&file)?;
            }
            let mut new = BufWriter::with_capacity(64 * 1024, &file);
            write(&mut new)?;
            new.flush()?;
            retry(|| file.sync_all())?;
            // If the folder cannot be opened to be synced, the old file is still there.
            let to_be_synced = folder.to_be_synced()?;
            if !lock.is_current()? {
                return Err(SaveError::LockLost);
            }
            folder.rename(temporary.name(), self.name()).map_err(not_renamed)?;
            Ok(to_be_synced)
        };
        let saved = save();
        if saved.is_err() {
            temporary.remove_if_it_is(&file);
        }
        sync(saved?.as_ref()).map_err(SaveError::NotDurable)
    }

    /// Opens it, or makes it with the owner and group of the registry.
    fn open_or_create(&self, access: Access) -> io::Result<File> {
        loop {
            if let Some(file) = self.open(access)? {
                return Ok(file);
            }
            match self.create(access) {
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created,
            }
        }
    }

    fn create(&self, access: Access) -> io::Result<File> {
        let registry = Self { path: self.place.registry.clone(), place: self.place.clone() };
        let file = self.folder()?.create(self.name(), access)?;
        let given = registry
            .attributes()
            .and_then(|found| found.map_or(Ok(()), |found| found.for_companion().give(&file)));
        if given.is_err() {
            self.remove_if_it_is(&file);
        }
        given.map(|()| file)
    }

    /// What a file that takes its place shall have; nothing if it is missing.
    fn attributes(&self) -> io::Result<Option<Attributes>> {
        let file = self.open(Access::Read)?;
        file.map(|file| Attributes::of(&file, self.trust()?.is_shared())).transpose()
    }

    /// Removes what has its name, if that may be removed.
    fn remove(&self) -> io::Result<()> {
        let Some(found) = self.facts()? else {
            return Ok(());
        };
        self.trust()?.check_owner(&self.path, &found)?;
        self.folder()?.remove(self.name())
    }

    /// Removes what has its name, if it still is this file. Best effort: the next writer does it, too.
    fn remove_if_it_is(&self, file: &File) {
        if self.is(file).unwrap_or(false) {
            let _ = self.folder().and_then(|folder| folder.remove(self.name()));
        }
    }

    /// Whether what is open is what has its name now.
    fn is(&self, file: &File) -> io::Result<bool> {
        let Some(found) = self.facts()? else {
            return Ok(false);
        };
        Ok(found.identity == platform::facts_of_open(file)?.identity)
    }

    /// What has its name now, if anything has.
    fn facts(&self) -> io::Result<Option<Facts>> {
        if_there(self.folder().and_then(|folder| folder.facts(self.name())))
    }

    fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    fn trust(&self) -> io::Result<Trust> {
        let Some(folder) = if_there(self.folder())? else {
            // What is missing of the way will be in this one.
            return Ok(Trust { registry: None, folder: self.place.nearest.own_facts()? });
        };
        let name = self.place.registry.file_name().unwrap_or_default();
        Ok(Trust { registry: if_there(folder.facts(name))?, folder: folder.own_facts()? })
    }

    /// The registry's folder, if it exists.
    fn folder(&self) -> io::Result<&Folder> {
        self.go_down(|_, _| Ok(()))
    }

    /// Makes what is missing of the way to the registry's folder, for its owner alone.
    pub(crate) fn make_folder(&self) -> io::Result<()> {
        self.go_down(Folder::make).map(drop)
    }

    fn go_down(&self, make: impl Fn(&Folder, &OsStr) -> io::Result<()>) -> io::Result<&Folder> {
        let place = &*self.place;
        if let Some(folder) = place.folder.get() {
            return Ok(folder);
        }
        let mut last = None;
        for name in &place.missing {
            let folder = last.as_ref().unwrap_or(&place.nearest);
            make(folder, name)?;
            last = Some(folder.enter(name)?);
        }
        Ok(match last {
            Some(folder) => place.folder.get_or_init(|| folder),
            None => &place.nearest,
        })
    }
}

/// What was found; nothing where there is no such file.
fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn not_renamed(error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::ResourceBusy {
        return error;
    }
    let hint =
        "a file that is a mount of its own cannot be replaced: mount the folder that it is in";
    trust::failure(error.to_string(), hint)
}

/// Waits until the names in a folder are on the disk, where it can be synced.
fn sync(folder: Option<&File>) -> io::Result<()> {
    folder.map_or(Ok(()), |folder| retry(|| folder.sync_all()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    fn found(directory: &Path) -> (SharedFile, Lock) {
        let file = SharedFile::find(&directory.join("f")).unwrap();
        let lock = file.lock(Patience::of(Duration::ZERO), &|_| {}).unwrap();
        (file, lock)
    }

    #[test]
    fn a_file_that_cannot_be_written_stays_and_no_temporary_one_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let (file, lock) = found(directory.path());
        fs::write(file.path(), "old").unwrap();
        let saved = file.replace(&lock, |_| Err(io::ErrorKind::StorageFull.into()));
        assert!(matches!(saved, Err(SaveError::NotSaved(_))));
        assert_eq!(file.read().unwrap().unwrap(), b"old");
        assert!(file.companion("tmp").is_missing());
    }

    #[test]
    fn a_lock_whose_file_was_deleted_saves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (file, first) = found(directory.path());
        fs::remove_file(file.companion("lock").path()).unwrap();
        let (_, second) = found(directory.path());
        assert!(!first.is_current().unwrap() && second.is_current().unwrap());
        file.replace(&second, |new| new.write_all(b"new")).unwrap();
        let lost = file.replace(&first, |new| new.write_all(b"old"));
        assert!(matches!(lost, Err(SaveError::LockLost)));
        assert_eq!(file.read().unwrap().unwrap(), b"new");
    }
}
