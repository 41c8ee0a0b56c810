//! Scripts without a `#!` line.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// Starts the script by the shell; `error` is why it could not be started by itself.
pub(super) fn spawn(command: &[OsString], error: io::Error) -> io::Result<Child> {
    let Some(script) = find(&command[0]).filter(|script| is_text(script)) else {
        return Err(error);
    };
    Command::new("/bin/sh").arg(script).args(&command[1..]).spawn()
}

/// The file that a command's name stands for: one without a slash is looked up in PATH.
fn find(name: &OsStr) -> Option<PathBuf> {
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(name.into());
    }
    let path = std::env::var_os("PATH")?;
    let runnable = |file: &PathBuf| {
        file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(runnable)
}

/// Shells refuse a file with a NUL in its first line.
fn is_text(script: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(script).and_then(|file| file.take(256).read_to_end(&mut start));
    let first = start.split(|b| *b == b'\n').next().unwrap_or_default();
    read.is_ok() && !first.contains(&0)
}
