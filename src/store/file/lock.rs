//! The lock file: held while a file changes, never deleted by this program, never renamed.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Companion, FileError};
use crate::platform::file::Status;
use crate::platform::{Access, retry};
use crate::security::escape::escape;

/// After this long a wait is worth a word.
const QUIET_WAIT: Duration = Duration::from_secs(1);
/// Whoever was interrupted waits no longer than this.
const INTERRUPTED_WAIT: Duration = Duration::from_millis(200);
/// How often a wait looks whether it was interrupted.
const STEP: Duration = Duration::from_millis(50);

/// How long to wait for the lock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LockWait<'a> {
    at_most: Duration,
    unless: Option<&'a AtomicBool>,
}

impl<'a> LockWait<'a> {
    /// At most this long.
    pub(crate) fn at_most(at_most: Duration) -> Self {
        Self {
            at_most,
            unless: None,
        }
    }

    /// No longer once this is set: an interrupted process must come to its end.
    #[must_use]
    pub(crate) fn unless(self, interrupted: &'a AtomicBool) -> Self {
        Self {
            unless: Some(interrupted),
            ..self
        }
    }

    fn is_over(self, waited: Duration) -> bool {
        let interrupted = self.unless.is_some_and(|flag| flag.load(Ordering::SeqCst));
        let at_most = if interrupted {
            self.at_most.min(INTERRUPTED_WAIT)
        } else {
            self.at_most
        };
        waited >= at_most
    }
}

/// An exclusive lock; dropping it, or the end of the process, gives it back.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    companion: Companion,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Another process holds it; who, if that can be known.
    #[error("{0} holds its lock")]
    Held(String),
    /// The directory could not be made.
    #[error(transparent)]
    Directory(io::Error),
    /// The lock file could not be opened or locked.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Lock {
    /// Waits for the lock. After a second `waiting` is told who holds it.
    pub(super) fn acquire(
        companion: &Companion,
        wait: LockWait,
        waiting: &dyn Fn(&str),
    ) -> Result<Self, LockError> {
        companion.directory().map_err(LockError::Directory)?;
        let started = Instant::now();
        loop {
            let (file, _) = companion.open_or_create(Access::Write)?;
            let holder = || holder(companion);
            let file = wait_for(file, wait, started, &|| waiting(&holder()))?
                .ok_or_else(|| LockError::Held(holder()))?;
            let lock = Self::claim(file, companion.clone());
            if lock.is_current().map_err(FileError::from)? {
                return Ok(lock);
            }
            if wait.is_over(started.elapsed()) {
                return Err(LockError::Held("another process".to_owned()));
            }
        }
    }

    /// Whether the lock still is the one that others find. A lock file that somebody has deleted keeps
    /// nobody out.
    pub(crate) fn is_current(&self) -> io::Result<bool> {
        match self.companion.status() {
            Ok(found) => Ok(found.is_same(&Status::of(&self.file)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Leaves a note of who holds the lock, for those who wait: always of one length, as cutting a file
    /// costs more than all the rest. Best effort: a full disk must not keep anybody from the lock.
    fn claim(mut file: File, companion: Companion) -> Self {
        let note = format!("{:10}\n", std::process::id());
        let _ = file.write_all(note.as_bytes());
        Self { file, companion }
    }
}

/// Waits for the lock on this file; nothing if the wait is over. After a second `waiting` is called.
fn wait_for(
    file: File,
    wait: LockWait,
    started: Instant,
    waiting: &dyn Fn(),
) -> Result<Option<File>, FileError> {
    if try_now(&file)? {
        return Ok(Some(file));
    }
    if wait.at_most.is_zero() {
        return Ok(None);
    }
    let pending = lock_in_background(file)?;
    let mut told = false;
    loop {
        match pending.recv_timeout(STEP.min(wait.at_most)) {
            Ok(locked) => return Ok(Some(locked?)),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("the waiting thread died").into());
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let waited = started.elapsed();
        if wait.is_over(waited) {
            return Ok(None);
        }
        if waited >= QUIET_WAIT && !told {
            waiting();
            told = true;
        }
    }
}

fn try_now(file: &File) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// The kernel queues those who wait in a blocking call, so nobody starves; a call in a thread can be
/// given up. When it gets the lock after that, the channel is gone and the file is closed again.
fn lock_in_background(file: File) -> io::Result<mpsc::Receiver<io::Result<File>>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .name("lock".to_owned())
        .spawn(move || {
            let locked = retry(|| file.lock());
            let _ = sender.send(locked.map(|()| file));
        })?;
    Ok(receiver)
}

/// Who holds the lock, for people: `process 1234 (hooks)`.
fn holder(companion: &Companion) -> String {
    match kernel_holder(companion).or_else(|| noted_holder(companion)) {
        Some(pid) => match fs::read_to_string(format!("/proc/{pid}/comm")) {
            Ok(name) => format!("process {pid} ({})", escape(name.trim_end())),
            Err(_) => format!("process {pid}"),
        },
        None => "another process".to_owned(),
    }
}

/// Linux tells who holds a lock, also for a program that leaves no note.
#[cfg(target_os = "linux")]
fn kernel_holder(companion: &Companion) -> Option<u32> {
    let inode = format!(":{}", companion.status().ok()?.inode());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"; those who wait have "->" in second place.
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let held = words.get(1) != Some(&"->") && words.get(5)?.ends_with(&inode);
        if held {
            words.get(4)?.parse().ok()
        } else {
            None
        }
    })
}

#[cfg(not(target_os = "linux"))]
fn kernel_holder(_: &Companion) -> Option<u32> {
    None
}

fn noted_holder(companion: &Companion) -> Option<u32> {
    let file = companion.open().ok()??;
    let mut note = String::new();
    file.take(20).read_to_string(&mut note).ok()?;
    note.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::SharedFile;

    #[test]
    fn a_held_lock_names_its_holder_and_a_given_up_wait_does_not_keep_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = SharedFile::find(&directory.path().join("f")).unwrap();
        let moment = LockWait::at_most(Duration::from_millis(10));
        let first = file.lock(moment, &|_| {}).unwrap();
        let Err(LockError::Held(holder)) = file.lock(moment, &|_| {}) else {
            panic!("two hold one lock")
        };
        let this = format!("process {}", std::process::id());
        assert!(holder.starts_with(&this), "{holder}");
        drop(first);
        let longer = LockWait::at_most(Duration::from_secs(10));
        file.lock(longer, &|_| {}).unwrap();
    }

    #[test]
    fn an_interrupted_wait_ends_soon() {
        let interrupted = AtomicBool::new(true);
        let wait = LockWait::at_most(Duration::from_secs(60)).unless(&interrupted);
        assert!(wait.is_over(INTERRUPTED_WAIT));
        interrupted.store(false, Ordering::SeqCst);
        assert!(!wait.is_over(INTERRUPTED_WAIT));
    }

    #[test]
    fn a_lock_whose_file_was_deleted_is_not_current_and_saves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = SharedFile::find(&directory.path().join("f")).unwrap();
        let moment = LockWait::at_most(Duration::from_millis(10));
        let first = file.lock(moment, &|_| {}).unwrap();
        fs::remove_file(directory.path().join("f.lock")).unwrap();
        let second = file.lock(moment, &|_| {}).unwrap();
        assert!(!first.is_current().unwrap() && second.is_current().unwrap());
        file.replace(&second, b"new").unwrap();
        let lost = file.replace(&first, b"old");
        assert!(matches!(lost, Err(super::super::SaveError::LockLost)));
        assert_eq!(file.read().unwrap().unwrap(), b"new");
    }
}
