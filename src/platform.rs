//! What differs between systems, each thing once: `unix.rs` has it, `other.rs` does without. Every other
//! file is the same on all systems.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(unix)]
pub(crate) use unix::*;

use std::io;

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
