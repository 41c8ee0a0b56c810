//! Systems that are no Unix. Signals keep their meaning there: Ctrl-C ends the process, and what had not
//! finished then is sent by `redeliver --failed`.

mod folder;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use super::Caught;

pub(crate) use folder::{
    Folder, attributes, facts_of, facts_of_link, facts_of_open, set_attribute, set_mode, set_owner,
    user, user_name,
};

/// The answer where a file that is no link is read as one: Windows' `ERROR_NOT_A_REPARSE_POINT`.
pub(crate) const NOT_A_LINK: i32 = 4390;

pub(crate) const SIGHUP: i32 = 1;
pub(crate) const SIGINT: i32 = 2;
pub(crate) const SIGTERM: i32 = 15;

/// Signals that are handled: none.
pub(crate) enum Catching {}

impl Catching {
    /// There is none to add.
    pub(crate) fn add(&self, _: i32) {}
}

/// No signal can be caught.
pub(crate) fn catch(_: &[i32], _: impl Fn(Caught) + Send + 'static) -> Option<Catching> {
    None
}

/// No signal is ignored.
pub(crate) fn ignores(_: i32) -> bool {
    false
}

/// There is no such limit.
pub(crate) fn survive_file_size_limit() {}

/// There is no such limit.
pub(crate) fn raise_file_limit() -> u64 {
    u64::MAX
}

/// There are no such limits.
pub(crate) fn limit_work(_: usize, _: Duration) {}

/// This program's own file.
pub(crate) fn this_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// It cannot be asked: a write waits for the reader.
pub(crate) fn stdout_is_writable(_: Duration) -> bool {
    true
}

/// As [`stdout_is_writable`], for standard error.
pub(crate) fn stderr_is_writable(_: Duration) -> bool {
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

/// Files have no mode.
pub(crate) fn readable_by_others(_: &Path) -> Option<u32> {
    None
}

/// It cannot be told.
pub(crate) fn is_same_file<T>(_: &T, _: &Path) -> bool {
    false
}

/// The system has folders of its own for it.
pub(crate) fn xdg_config_home() -> Option<PathBuf> {
    None
}

/// What follows a prefix in an argument.
pub(crate) fn strip_prefix<'a>(text: &'a OsStr, prefix: &str) -> Option<&'a OsStr> {
    text.to_str()?.strip_prefix(prefix).map(OsStr::new)
}
