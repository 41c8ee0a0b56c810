//! What differs between systems, each thing once: `unix.rs` and `linux.rs` have it, `other.rs` and
//! `no_linux.rs` do without. Every other file is the same on all systems.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod no_linux;
#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(target_os = "linux")]
pub(crate) use linux::*;
#[cfg(not(target_os = "linux"))]
pub(crate) use no_linux::*;
#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(unix)]
pub(crate) use unix::*;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

/// In place of musl's own, which asks the kernel for memory seventy times while clap describes the verbs: with
/// this one a call starts in 0.6 of the time.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// The numbers of signals, which are the same wherever there are any.
pub(crate) const SIGHUP: i32 = 1;
pub(crate) const SIGINT: i32 = 2;
pub(crate) const SIGTERM: i32 = 15;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// To read it.
    Read,
    /// To write it from its start, and to read it.
    Write,
    /// To write behind its end, and to read it.
    Append,
}

/// What the system knows of a file.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// What it is, with its article, if it is no regular file.
    pub(crate) irregular: Option<&'static str>,
    /// The numbers of the user and the group that it belongs to.
    pub(crate) owner: u32,
    pub(crate) group: u32,
    /// The permission bits.
    pub(crate) mode: u32,
    /// How many names it has.
    pub(crate) names: u64,
    /// Its device and its number there: two names of one file have the same.
    pub(crate) identity: (u64, u64),
}

impl Folder {
    /// What is known of the folder itself.
    pub(crate) fn own_facts(&self) -> io::Result<Facts> {
        self.facts(OsStr::new("."))
    }

    /// The folder as a file that can be synced: after that a name that is new in it is on the disk. `None` where
    /// a folder cannot be synced.
    pub(crate) fn to_be_synced(&self) -> io::Result<Option<File>> {
        if cfg!(unix) { self.file(OsStr::new("."), Access::Read).map(Some) } else { Ok(None) }
    }
}

/// Calls again after EINTR: the standard library does so only for some calls.
pub(crate) fn retry<T, E: Into<io::Error>>(
    mut call: impl FnMut() -> Result<T, E>,
) -> io::Result<T> {
    loop {
        match call().map_err(Into::into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Whether a link that could not be read is none: another kind of file, or nothing at all.
pub(crate) fn is_no_link(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(NOT_A_LINK)
}

/// Whether this process ignores a signal, as far as the system tells.
pub(crate) fn ignores(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0) & (1 << (signal - 1)) != 0
}

/// This program's own file, on Linux also after another one was put in its place.
pub(crate) fn this_program() -> io::Result<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    // Elsewhere anybody may have made a file of that name.
    if cfg!(target_os = "linux") && own.exists() { Ok(own) } else { std::env::current_exe() }
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

/// `XDG_CONFIG_HOME`, where the system knows it and it is an absolute path.
pub(crate) fn xdg_config_home() -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os("XDG_CONFIG_HOME")?);
    (home.is_absolute() && cfg!(unix) && !cfg!(target_vendor = "apple")).then_some(home)
}

/// A signal that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caught {
    /// Its number.
    pub(crate) signal: i32,
    /// The terminal sent it, to every process in its foreground: Ctrl-C.
    pub(crate) from_terminal: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_file_and_a_missing_one_are_no_links() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let error = |path: &std::path::Path| std::fs::read_link(path).unwrap_err();
        assert!(is_no_link(&error(&file)));
        std::fs::write(&file, "").unwrap();
        assert!(is_no_link(&error(&file)));
        assert!(is_no_link(&error(folder.path())));
        assert!(!is_no_link(&io::ErrorKind::PermissionDenied.into()));
    }
}
