//! The lock file: held while a file changes, never deleted, never renamed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::ownership::Ownership;

/// After this long a wait is worth a word.
const QUIET_WAIT: Duration = Duration::from_secs(1);
/// Whoever was interrupted waits no longer than this.
const CUT_WAIT: Duration = Duration::from_millis(200);
/// How often a wait looks whether it was interrupted.
const STEP: Duration = Duration::from_millis(50);

/// How long to wait for the lock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience<'a> {
    most: Duration,
    cut: Option<&'a AtomicBool>,
}

impl<'a> Patience<'a> {
    /// At most this long.
    pub(crate) fn of(most: Duration) -> Self {
        Self { most, cut: None }
    }

    /// No longer once this is set: an interrupted process must come to its end.
    #[must_use]
    pub(crate) fn unless(self, cut: &'a AtomicBool) -> Self {
        Self {
            cut: Some(cut),
            ..self
        }
    }

    fn is_over(self, waited: Duration) -> bool {
        let cut = self.cut.is_some_and(|cut| cut.load(Ordering::SeqCst));
        waited
            >= if cut {
                self.most.min(CUT_WAIT)
            } else {
                self.most
            }
    }
}

/// An exclusive lock; dropping it, or the end of the process, gives it back.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process holds it; who, if that can be known.
    Held(String),
    /// The lock file could not be opened or locked.
    Io(io::Error),
}

impl Lock {
    /// Waits for the lock. After a second `waiting` is told who holds it.
    pub(crate) fn acquire(
        path: &Path,
        ownership: &Ownership,
        patience: Patience,
        waiting: &dyn Fn(&str),
    ) -> Result<Self, LockError> {
        let file = open(path, ownership).map_err(LockError::Io)?;
        if try_now(&file).map_err(LockError::Io)? {
            return Ok(Self::claim(file));
        }
        if patience.most.is_zero() {
            return Err(LockError::Held(holder(path)));
        }
        let pending = lock_in_background(file).map_err(LockError::Io)?;
        let (started, mut told) = (Instant::now(), false);
        loop {
            match pending.recv_timeout(STEP.min(patience.most)) {
                Ok(locked) => return locked.map(Self::claim).map_err(LockError::Io),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(LockError::Io(io::Error::other("the waiting thread died")));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let waited = started.elapsed();
            if patience.is_over(waited) {
                return Err(LockError::Held(holder(path)));
            }
            if waited >= QUIET_WAIT && !told {
                waiting(&holder(path));
                told = true;
            }
        }
    }

    /// Leaves a note of who holds the lock, for those who wait: always of one length, as cutting a file
    /// costs more than all the rest. Best effort: a full disk must not keep anybody from the lock.
    fn claim(mut file: File) -> Self {
        let note = format!("{:10}\n", std::process::id());
        let _ = file.write_all(note.as_bytes());
        Self { _file: file }
    }
}

fn open(path: &Path, ownership: &Ownership) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            options.create(true);
            super::private(&mut options);
            let file = options.open(path)?;
            ownership.apply(&file)?;
            Ok(file)
        }
        opened => opened,
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
            let locked = super::retry(|| file.lock());
            let _ = sender.send(locked.map(|()| file));
        })?;
    Ok(receiver)
}

/// Who holds the lock, for people: `process 1234 (hooks)`.
fn holder(path: &Path) -> String {
    match kernel_holder(path).or_else(|| noted_holder(path)) {
        Some(pid) => match fs::read_to_string(format!("/proc/{pid}/comm")) {
            Ok(name) => format!(
                "process {pid} ({})",
                crate::security::escape::escape(name.trim_end())
            ),
            Err(_) => format!("process {pid}"),
        },
        None => "another process".to_owned(),
    }
}

/// Linux tells who holds a lock, also for a program that leaves no note.
#[cfg(target_os = "linux")]
fn kernel_holder(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let inode = format!(":{}", fs::metadata(path).ok()?.ino());
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
fn kernel_holder(_: &Path) -> Option<u32> {
    None
}

fn noted_holder(path: &Path) -> Option<u32> {
    let mut note = String::new();
    File::open(path)
        .ok()?
        .take(20)
        .read_to_string(&mut note)
        .ok()?;
    note.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_names_its_holder_and_a_given_up_wait_does_not_keep_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let owner = Ownership::of(&path).unwrap();
        let patience = Patience::of(Duration::from_millis(10));
        let first = Lock::acquire(&path, &owner, patience, &|_| {}).unwrap();
        let refused = Lock::acquire(&path, &owner, patience, &|_| {});
        let Err(LockError::Held(holder)) = refused else {
            panic!("two hold one lock")
        };
        assert!(
            holder.starts_with(&format!("process {}", std::process::id())),
            "{holder}"
        );
        drop(first);
        Lock::acquire(
            &path,
            &owner,
            Patience::of(Duration::from_secs(10)),
            &|_| {},
        )
        .unwrap();
    }

    #[test]
    fn an_interrupted_wait_ends_soon() {
        let cut = AtomicBool::new(true);
        let patience = Patience::of(Duration::from_secs(60)).unless(&cut);
        assert!(patience.is_over(CUT_WAIT));
        cut.store(false, Ordering::SeqCst);
        assert!(!patience.is_over(CUT_WAIT));
    }
}
