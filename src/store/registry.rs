//! The registry: where the file is, reading it, updating it under its lock (docs/design.md §3).

mod json;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::domain::json::explain;
use crate::exit::{Exit, Failure};
use crate::platform;
use crate::store::file::{Lock, Patience, SaveError, SharedFile, lock_lost};

pub(crate) use json::RegistryFile;

/// How long an update waits for another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often an update is made in all, as its lock file may be deleted meanwhile.
const TRIES: usize = 4;

/// A registry file, known by its path; it need not exist yet.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    /// As the user named it, for messages.
    pub(crate) shown: PathBuf,
    /// Where symlinks lead: the files beside it must be the same for every way to name it.
    pub(crate) file: SharedFile,
    /// Told who holds the lock when waiting for it takes long.
    waiting: fn(&str),
}

/// What a change to the file came to.
#[derive(Debug)]
pub(crate) enum Change<T> {
    /// The file is to be written.
    Save(T),
    /// The file stays as it was.
    Keep(T),
}

impl Registry {
    /// Finds the registry: this path, else `hooks.json` in the user's configuration directory. `waiting` is
    /// told who holds the lock when waiting for it takes long.
    ///
    /// A relative or missing HOME is never a reason to put a file into the current directory.
    pub(crate) fn locate(path: Option<&Path>, waiting: fn(&str)) -> Result<Self> {
        let shown = match path.filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => path.to_owned(),
            None => default_file().ok_or_else(|| {
                let message = "could not find the registry: there is no home directory";
                Failure::new(Exit::Failed, message).hint("name the file: --file PATH or HOOKS_FILE")
            })?,
        };
        let could_not = || format!("could not use the registry {}", shown.display());
        if shown.is_dir() || shown.as_os_str().as_encoded_bytes().ends_with(b"/") {
            let message = format!("{}: it is a directory", could_not());
            let hint = format!("name the file in it: {}", shown.join("hooks.json").display());
            return Err(Failure::new(Exit::Failed, message).hint(hint).into());
        }
        let file = SharedFile::find(&shown).with_context(could_not)?;
        Ok(Self { shown, file, waiting })
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
        let path = self.shown.display();
        let unsaved = || format!("could not save the registry {path} (it is as it was)");
        for _ in 0..TRIES {
            let lock = self.lock(patience)?;
            let mut file = self.read()?;
            let value = match change(&mut file)? {
                Change::Keep(value) => return Ok(value),
                Change::Save(value) => value,
            };
            match self.file.replace(&lock, |new| new.write_all(&file.text())) {
                Ok(()) => return Ok(value),
                Err(SaveError::LockLost) => {}
                Err(SaveError::NotSaved(error)) => return Err(error).with_context(unsaved),
                Err(SaveError::NotDurable(error)) => {
                    return Err(error).with_context(|| {
                        format!("saved, but not durable: could not sync the directory of {path}")
                    });
                }
            }
        }
        Err(lock_lost()).with_context(unsaved)
    }

    /// Takes the lock that guards the registry and its journal. See [`is_held`].
    pub(crate) fn lock(&self, patience: Patience) -> Result<Lock> {
        self.file.make_folder().with_context(|| {
            let folder = self.file.path().parent().unwrap_or(Path::new("/"));
            format!("could not create the directory {}", folder.display())
        })?;
        self.file.lock(patience, &self.waiting).map_err(|error| {
            let could_not = format!("could not lock the registry {}", self.shown.display());
            let error = anyhow::Error::new(error);
            if is_held(&error) {
                return error.context(could_not);
            }
            let lock = self.file.companion("lock");
            error.context(format!("{could_not} by {}", lock.path().display()))
        })
    }

    /// The mode of a file that others than its owner may read, if it is one. Where its directory is for the
    /// same group and for nobody else, the group shares it on purpose.
    pub(crate) fn readable_by_others(&self) -> Option<u32> {
        let path = self.file.path();
        let file = platform::facts_of(path).ok()?;
        let folder = platform::facts_of(path.parent()?).ok()?;
        let is_shared = folder.group == file.group && folder.mode & 0o017 == 0o010;
        (file.mode & 0o044 != 0 && !is_shared).then_some(file.mode & 0o777)
    }

    fn unread(&self) -> String {
        format!("could not read the registry {}", self.shown.display())
    }

    fn unparsable(&self, bytes: &[u8], error: &serde_json::Error) -> Failure {
        let refused =
            |wrong: String| Failure::new(Exit::Failed, format!("{}: {wrong}", self.unread()));
        if let Some(version) = RegistryFile::newer_version(bytes) {
            let understood = json::VERSION;
            let wrong = format!(
                "it is of version {version}, and this hooks understands version {understood}"
            );
            return refused(wrong).hint("install a newer hooks");
        }
        let hint = "mend the file by hand, or move it away; hooks leaves it as it is";
        refused(explain(bytes, error).to_string()).hint(hint)
    }
}

/// Whether the lock could not be had because another process has held it all the time.
pub(crate) fn is_held(error: &anyhow::Error) -> bool {
    Failure::of(error).is_some_and(|failure| failure.exit == Exit::Locked)
}

fn default_file() -> Option<PathBuf> {
    // The crate asks for a home directory first, which a user without a passwd entry has not.
    let directory = match platform::xdg_config_home() {
        Some(home) => home.join("hooks"),
        None => directories::ProjectDirs::from("", "", "hooks")?.config_dir().to_owned(),
    };
    directory.is_absolute().then(|| directory.join("hooks.json"))
}
