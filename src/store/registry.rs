//! The registry: where the file is, reading it, updating it under its lock (docs/design.md §3).

mod json;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::domain::json::explain;
use crate::exit::{Exit, Failure};
use crate::platform;
use crate::store::file::{Lock, LockError, Patience, SaveError, SharedFile};

pub(crate) use json::RegistryFile;

/// How long an update waits for another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often an update is made again because its lock file was deleted meanwhile.
const TRIES: usize = 5;

/// A registry file, known by its path; it need not exist yet.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    /// As the user named it, for messages.
    shown: PathBuf,
    /// Where symlinks lead: the files beside it must be the same for every way to name it.
    file: SharedFile,
    /// Told who holds the lock when waiting for it takes long.
    waiting: fn(&str),
}

/// Why the lock could not be had.
#[derive(Debug)]
pub(crate) enum Unlocked {
    /// Another process has held it all the time.
    Held(Failure),
    /// The lock file could not be opened or locked.
    Io(anyhow::Error),
}

impl From<Unlocked> for anyhow::Error {
    fn from(unlocked: Unlocked) -> Self {
        match unlocked {
            Unlocked::Held(failure) => failure.into(),
            Unlocked::Io(error) => error,
        }
    }
}

/// What a change to the file came to.
#[derive(Debug)]
pub(crate) enum Change<T> {
    /// They are to be written.
    Save(T),
    /// They are as they were.
    Keep(T),
}

impl Registry {
    /// Finds the registry: this path, else `hooks.json` in the user's configuration directory.
    ///
    /// A relative or missing HOME is never a reason to put a file into the current directory.
    pub(crate) fn locate(path: Option<&Path>) -> Result<Self> {
        let shown = match path.filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => path.to_owned(),
            None => default_file().ok_or_else(|| {
                let message = "could not find the registry: there is no home directory";
                Failure::new(Exit::Failed, message).hint("name the file: --file PATH or HOOKS_FILE")
            })?,
        };
        if shown.is_dir() || shown.as_os_str().as_encoded_bytes().ends_with(b"/") {
            let folder = shown.display();
            let message = format!("could not use the registry {folder}: it is a directory");
            let hint = format!("name the file in it: {}", shown.join("hooks.json").display());
            return Err(Failure::new(Exit::Failed, message).hint(hint).into());
        }
        let file = SharedFile::find(&shown)
            .with_context(|| format!("could not use the registry {}", shown.display()))?;
        Ok(Self { shown, file, waiting: |_| {} })
    }

    /// Whom to tell when waiting for the lock takes long.
    #[must_use]
    pub(crate) fn when_waiting(mut self, waiting: fn(&str)) -> Self {
        self.waiting = waiting;
        self
    }

    /// As the user named it.
    pub(crate) fn shown(&self) -> &Path {
        &self.shown
    }

    /// Whether there is no file yet. One that cannot be looked at is there, and will say why.
    pub(crate) fn is_missing(&self) -> bool {
        self.file.is_missing()
    }

    /// The name of the file system that it is on, if that is another machine's: a lock may not hold there
    /// for all.
    pub(crate) fn remote_file_system(&self) -> Option<&'static str> {
        self.file.remote_file_system()
    }

    /// The journal beside it.
    pub(crate) fn journal_file(&self) -> SharedFile {
        self.file.companion("journal")
    }

    /// Where the journal's damaged lines go.
    pub(crate) fn damaged_file(&self) -> SharedFile {
        self.file.companion("journal.damaged")
    }

    /// The files that hold its secrets.
    pub(crate) fn own_files(&self) -> [PathBuf; 4] {
        [self.file.clone(), self.file.companion("tmp"), self.journal_file(), self.damaged_file()]
            .map(|file| file.path().to_owned())
    }

    /// Reads the registry, without a lock: a rename puts each version in place whole. A missing file
    /// is an empty registry.
    pub(crate) fn read(&self) -> Result<RegistryFile> {
        let bytes = match self.file.read() {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(RegistryFile::default()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let hint = "it is for its owner alone; do it as that user (ls -l shows who it is)";
                let failure = Failure::new(Exit::Failed, self.unread()).hint(hint);
                return Err(anyhow::Error::new(error).context(failure));
            }
            Err(error) => return Err(error).with_context(|| self.unread()),
        };
        RegistryFile::parse(&bytes).map_err(|error| self.unparsable(&bytes, &error).into())
    }

    /// Locks, reads, changes, writes. Only when the new file is on the disk it returns. The change is made
    /// again, on the file as it is then, if the lock is lost before it is written.
    pub(crate) fn update<T>(
        &self,
        change: impl FnMut(&mut RegistryFile) -> Result<Change<T>>,
    ) -> Result<T> {
        self.update_within(Patience::of(PATIENCE), change)
    }

    /// As [`Self::update`], waiting this long for the lock.
    pub(crate) fn update_within<T>(
        &self,
        patience: Patience,
        mut change: impl FnMut(&mut RegistryFile) -> Result<Change<T>>,
    ) -> Result<T> {
        for _ in 1..TRIES {
            if let Some(value) = self.try_update(patience, &mut change)? {
                return Ok(value);
            }
        }
        Err(self.unsaved(SaveError::LockLost))
    }

    /// Nothing: the lock was lost, and the file is as it was.
    fn try_update<T>(
        &self,
        patience: Patience,
        change: &mut impl FnMut(&mut RegistryFile) -> Result<Change<T>>,
    ) -> Result<Option<T>> {
        let lock = self.lock(patience)?;
        let mut file = self.read()?;
        let value = match change(&mut file)? {
            Change::Keep(value) => return Ok(Some(value)),
            Change::Save(value) => value,
        };
        match self.file.replace(&lock, |new| new.write_all(&file.text())) {
            Ok(()) => Ok(Some(value)),
            Err(SaveError::LockLost) => Ok(None),
            Err(error) => Err(self.unsaved(error)),
        }
    }

    /// Takes the lock that guards the registry and its journal.
    pub(crate) fn lock(&self, patience: Patience) -> Result<Lock, Unlocked> {
        let io =
            |error: io::Error, what: String| Unlocked::Io(anyhow::Error::new(error).context(what));
        self.file.make_folder().map_err(|error| {
            let folder = self.file.path().parent().unwrap_or(Path::new("/"));
            let what = format!("could not create the directory {}", folder.display());
            io(error, what)
        })?;
        let could_not = format!("could not lock the registry {}", self.shown.display());
        let locked = self.file.lock(patience, &self.waiting);
        locked.map_err(|error| match error {
            LockError::Held(holder) => Unlocked::Held(
                Failure::new(Exit::Locked, format!("{could_not}: {holder} holds its lock"))
                    .hint("try again when that process has ended"),
            ),
            LockError::Io(error) => {
                let lock = self.file.companion("lock");
                io(error, format!("{could_not} by {}", lock.path().display()))
            }
        })
    }

    /// The mode of a file that others than its owner may read, if it is one.
    pub(crate) fn readable_by_others(&self) -> Option<u32> {
        platform::readable_by_others(self.file.path())
    }

    fn unsaved(&self, error: SaveError) -> anyhow::Error {
        let path = self.shown.display();
        let what = match error {
            SaveError::NotDurable(_) => {
                format!("saved, but not durable: could not sync the directory of {path}")
            }
            _ => format!("could not save the registry {path} (it is as it was)"),
        };
        anyhow::Error::new(io::Error::from(error)).context(what)
    }

    fn unread(&self) -> String {
        format!("could not read the registry {}", self.shown.display())
    }

    fn unparsable(&self, bytes: &[u8], error: &serde_json::Error) -> Failure {
        if let Some(version) = RegistryFile::newer_version(bytes) {
            let message = format!(
                "{}: it is of version {version}, and this hooks understands version {}",
                self.unread(),
                self::json::VERSION
            );
            return Failure::new(Exit::Failed, message).hint("install a newer hooks");
        }
        let wrong = explain(bytes, error);
        Failure::new(Exit::Failed, format!("{}: {wrong}", self.unread()))
            .hint("mend the file by hand, or move it away; hooks leaves it as it is")
    }
}

fn default_file() -> Option<PathBuf> {
    let directory = configuration_directory().filter(|directory| directory.is_absolute())?;
    Some(directory.join("hooks.json"))
}

fn configuration_directory() -> Option<PathBuf> {
    // The crate asks for a home directory first, which a user without a passwd entry has not.
    if let Some(home) = platform::xdg_config_home() {
        return Some(home.join("hooks"));
    }
    let directories = directories::ProjectDirs::from("", "", "hooks")?;
    Some(directories.config_dir().to_owned())
}
