//! Lock, temporary file, fsync, rename: how a file changes so that a crash, a full disk or another
//! process never leaves half of it. Knows nothing of hooks.

mod lock;
mod ownership;

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub(crate) use lock::{Lock, LockError, Patience};
pub(crate) use ownership::Ownership;

/// As many links as Linux follows before it calls them a loop.
const MOST_LINKS: usize = 40;

/// Why a file was not replaced, or not for certain.
#[derive(Debug)]
pub(crate) enum SaveError {
    /// The old file is as it was.
    NotSaved(io::Error),
    /// The new file is in place, but a power cut may bring the old one back.
    NotDurable(io::Error),
}

/// Follows symlinks to the file they lead to, which need not exist: `fs::canonicalize` fails on a
/// dangling link, and a rename onto a link would replace the link.
pub(crate) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..MOST_LINKS {
        match retry(|| fs::read_link(&path)) {
            Ok(target) => {
                let directory = path.parent().unwrap_or(Path::new("/"));
                path = directory.join(target);
            }
            // Not a link, or nothing there.
            Err(error) if is_no_link(&error) => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

fn is_no_link(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
    )
}

/// The path with something appended to its file name: `hooks.json` and `lock` give
/// `hooks.json.lock`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Creates the directory that the file is in, for its owner alone, with its parents.
pub(crate) fn create_directory_of(file: &Path) -> io::Result<()> {
    let Some(directory) = file.parent() else {
        return Ok(());
    };
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    retry(|| builder.create(directory))
}

/// Replaces the whole file: writes `temporary`, fsyncs it, renames it over `file`, fsyncs the
/// directory. Mode, owner and group of an existing file are kept. The caller holds the lock that
/// makes the fixed name of the temporary file its own.
pub(crate) fn replace(
    file: &Path,
    temporary: &Path,
    ownership: &Ownership,
    contents: &[u8],
) -> Result<(), SaveError> {
    replace_by(file, temporary, ownership, |new| new.write_all(contents))
}

/// As [`replace`], with what `write` writes.
pub(crate) fn replace_by(
    file: &Path,
    temporary: &Path,
    ownership: &Ownership,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), SaveError> {
    let saved = write_temporary(temporary, ownership, write)
        .and_then(|()| Directory::of(file))
        .and_then(|directory| retry(|| fs::rename(temporary, file)).map(|()| directory));
    match saved {
        Ok(directory) => directory.sync().map_err(SaveError::NotDurable),
        Err(error) => {
            // Best effort: the next writer removes it, too.
            let _ = fs::remove_file(temporary);
            Err(SaveError::NotSaved(error))
        }
    }
}

fn write_temporary(
    temporary: &Path,
    ownership: &Ownership,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // One that a killed process left may belong to another user: start anew.
    match retry(|| fs::remove_file(temporary)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = create(temporary)?;
    ownership.apply(&file)?;
    let mut new = BufWriter::with_capacity(64 * 1024, &file);
    write(&mut new)?;
    new.flush()?;
    retry(|| file.sync_all())
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    options.open(path)
}

/// For the owner alone from the first moment: a mode that is set later leaves a gap.
fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// An append-only file of lines.
#[derive(Debug)]
pub(crate) struct Lines {
    file: File,
    created_in: Option<Directory>,
}

impl Lines {
    /// Opens the file for appending, creating it where it is missing.
    pub(crate) fn open(path: &Path, ownership: &Ownership) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let (file, created_in) = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                options.create(true);
                private(&mut options);
                let file = options.open(path)?;
                ownership.apply(&file)?;
                (file, Some(Directory::of(path)?))
            }
            opened => (opened?, None),
        };
        Ok(Self { file, created_in })
    }

    /// Appends whole lines, by one write if the system takes them at once. A last line without its newline, which a crash or a full
    /// disk left, gets one first, so that it swallows nothing of what follows.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.ends_torn()? {
            return self.file.write_all(&[b"\n", lines].concat());
        }
        self.file.write_all(lines)
    }

    /// Waits until the lines are on the disk, and the file's name, if it is new.
    pub(crate) fn sync(&self) -> io::Result<()> {
        retry(|| self.file.sync_data())?;
        self.created_in.as_ref().map_or(Ok(()), Directory::sync)
    }

    /// Whether the path still leads to this file: a compaction renames another one over it.
    #[cfg(unix)]
    pub(crate) fn is_still(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let (Ok(here), Ok(there)) = (self.file.metadata(), fs::metadata(path)) else {
            return false;
        };
        here.ino() == there.ino() && here.dev() == there.dev()
    }

    #[cfg(not(unix))]
    pub(crate) fn is_still(&self, path: &Path) -> bool {
        path.exists()
    }

    fn ends_torn(&mut self) -> io::Result<bool> {
        let end = self.file.seek(SeekFrom::End(0))?;
        if end == 0 {
            return Ok(false);
        }
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        Ok(last != [b'\n'])
    }
}

/// An open directory, to be synced once the rename is done.
#[derive(Debug)]
struct Directory(#[cfg(unix)] File);

impl Directory {
    #[cfg(unix)]
    fn of(file: &Path) -> io::Result<Self> {
        File::open(file.parent().unwrap_or(Path::new("/"))).map(Self)
    }

    #[cfg(unix)]
    fn sync(&self) -> io::Result<()> {
        retry(|| self.0.sync_all())
    }

    #[cfg(not(unix))]
    #[allow(clippy::unnecessary_wraps)]
    fn of(_: &Path) -> io::Result<Self> {
        Ok(Self())
    }

    #[cfg(not(unix))]
    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Calls again after EINTR: the standard library does so only for some calls.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Ownership {
        Ownership::of(Path::new("/nonexistent/hooks.json")).unwrap()
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays_and_no_temporary_one_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let (file, tmp) = (directory.path().join("f"), directory.path().join("f.tmp"));
        // A directory in its place: the rename fails.
        fs::create_dir(&file).unwrap();
        let saved = replace(&file, &tmp, &nobody(), b"new");
        assert!(matches!(saved, Err(SaveError::NotSaved(_))));
        assert!(file.is_dir() && !tmp.exists());
    }

    #[test]
    fn a_torn_last_line_gets_its_newline_first() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("f");
        fs::write(&file, "{\"half").unwrap();
        let mut lines = Lines::open(&file, &nobody()).unwrap();
        lines.append(b"one\n").unwrap();
        lines.append(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "{\"half\none\ntwo\n");
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_their_file_even_a_missing_one() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("d")).unwrap();
        std::os::unix::fs::symlink("d/second", at("first")).unwrap();
        std::os::unix::fs::symlink("../missing", at("d/second")).unwrap();
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        assert_eq!(resolve(&at("first")).unwrap(), at("d/../missing"));
        assert_eq!(resolve(&at("plain")).unwrap(), at("plain"));
        assert!(resolve(&at("loop")).is_err());
    }
}
