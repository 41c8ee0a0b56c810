//! Systems that are no Unix. Signals keep their meaning there: Ctrl-C ends the process, and what had not
//! finished then is sent by `redeliver --failed`. Owners, modes and attributes of files are not known: every
//! file counts as ours alone.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use super::{Access, Caught, Facts};

/// The answer where a file that is no link is read as one: Windows' `ERROR_NOT_A_REPARSE_POINT`.
pub(crate) const NOT_A_LINK: i32 = 4390;

/// How long a rename that is denied is tried again, and after what time each.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// Windows' `ERROR_SHARING_VIOLATION`, which is the same to us as a denied access.
const SHARING_VIOLATION: i32 = 32;

/// No signal can be caught.
pub(crate) fn catch(_: &[i32], _: impl Fn(Caught) + Send + 'static) -> Option<Box<dyn Fn(i32)>> {
    None
}

/// There is no such limit.
pub(crate) fn survive_file_size_limit() {}

/// There is no such limit.
pub(crate) fn raise_file_limit() -> u64 {
    u64::MAX
}

/// There are no such limits.
pub(crate) fn limit_work(_: usize, _: Duration) {}

/// It cannot be asked: a write waits for the reader.
pub(crate) fn is_writable<T>(_: &T, _: Duration) -> bool {
    true
}

/// Starts a command: the program and its arguments.
pub(crate) fn spawn(command: &[OsString]) -> io::Result<Child> {
    Command::new(&command[0]).args(&command[1..]).spawn()
}

/// There are no groups.
pub(crate) fn in_own_group(command: &mut Command) -> &mut Command {
    command
}

/// There are no groups: the child is left alone, and ends with its work.
pub(crate) fn kill_group(_: u32) {}

/// None is ever caught, so there is none to pass on.
pub(crate) fn send_signal(_: u32, _: i32) {}

/// How a command ended: the low byte of its exit code.
pub(crate) fn exit_code(status: ExitStatus) -> Option<u8> {
    status.code().and_then(|code| u8::try_from(code & 0xff).ok())
}

/// It cannot be told.
pub(crate) fn is_same_file<T>(_: &T, _: &Path) -> bool {
    false
}

/// What follows a prefix in an argument.
pub(crate) fn strip_prefix<'a>(text: &'a OsStr, prefix: &str) -> Option<&'a OsStr> {
    text.to_str()?.strip_prefix(prefix).map(OsStr::new)
}

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
