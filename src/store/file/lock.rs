//! The lock file: held while a file changes, never deleted by this program, never renamed.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::SharedFile;
use crate::exit::{Exit, Failure};
use crate::platform::{Access, retry};
use crate::security::escape::escape;

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
        Self { cut: Some(cut), ..self }
    }

    fn is_over(self, waited: Duration) -> bool {
        let cut = self.cut.is_some_and(|cut| cut.load(Ordering::SeqCst));
        waited >= if cut { self.most.min(CUT_WAIT) } else { self.most }
    }
}

/// An exclusive lock; dropping it, or the end of the process, gives it back.
#[derive(Debug)]
pub(crate) struct Lock {
    held: File,
    file: SharedFile,
}

impl SharedFile {
    /// Waits for the lock that guards the registry and the files beside it. After a second `waiting` is
    /// told who holds it. Where another process keeps it, the error is one of [`Exit::Locked`].
    pub(crate) fn lock(&self, patience: Patience, waiting: &dyn Fn(&str)) -> io::Result<Lock> {
        let (file, started) = (self.companion("lock"), Instant::now());
        loop {
            let opened = file.open_or_create(Access::Write)?;
            let mut held = wait_for(opened, &file, patience, started, waiting)?;
            // A note of who holds it, for those who wait: always of one length, as cutting a file costs more
            // than all the rest. Best effort: a full disk must not keep anybody from the lock.
            let _ = held.write_all(format!("{:10}\n", std::process::id()).as_bytes());
            let lock = Lock { held, file: file.clone() };
            // Whoever deletes the lock file lets others make, and lock, a new one.
            if lock.is_current()? {
                return Ok(lock);
            }
            if patience.is_over(started.elapsed()) {
                return Err(held_by("another process"));
            }
        }
    }
}

impl Lock {
    /// Whether it still is the lock that others find. A lock file that was deleted keeps nobody out.
    pub(crate) fn is_current(&self) -> io::Result<bool> {
        self.file.is(&self.held)
    }
}

fn wait_for(
    opened: File,
    file: &SharedFile,
    patience: Patience,
    started: Instant,
    waiting: &dyn Fn(&str),
) -> io::Result<File> {
    match retry(|| opened.try_lock()) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        locked => return locked.map(|()| opened),
    }
    if patience.most.is_zero() {
        return Err(held_by(&holder(file)));
    }
    let pending = lock_in_background(opened)?;
    let mut told = false;
    loop {
        match pending.recv_timeout(STEP.min(patience.most)) {
            Ok(locked) => return locked,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("the waiting thread died"));
            }
        }
        let waited = started.elapsed();
        if patience.is_over(waited) {
            return Err(held_by(&holder(file)));
        }
        if waited >= QUIET_WAIT && !told {
            waiting(&holder(file));
            told = true;
        }
    }
}

fn held_by(holder: &str) -> io::Error {
    let held = Failure::new(Exit::Locked, format!("{holder} holds its lock"));
    io::Error::new(io::ErrorKind::WouldBlock, held.hint("try again when that process has ended"))
}

/// The kernel queues those who wait in a blocking call, so nobody starves; a call in a thread can be
/// given up. When it gets the lock after that, the channel is gone and the file is closed again.
fn lock_in_background(file: File) -> io::Result<mpsc::Receiver<io::Result<File>>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("lock".to_owned()).spawn(move || {
        let locked = retry(|| file.lock());
        let _ = sender.send(locked.map(|()| file));
    })?;
    Ok(receiver)
}

/// Who holds the lock, for people: `process 1234 (hooks)`.
fn holder(file: &SharedFile) -> String {
    match kernel_holder(file).or_else(|| noted_holder(file)) {
        Some(pid) => match fs::read_to_string(format!("/proc/{pid}/comm")) {
            Ok(name) => format!("process {pid} ({})", escape(name.trim_end())),
            Err(_) => format!("process {pid}"),
        },
        None => "another process".to_owned(),
    }
}

/// Linux tells who holds a lock, also for a program that leaves no note.
fn kernel_holder(file: &SharedFile) -> Option<u32> {
    let (_, number) = file.facts().ok()??.identity;
    let inode = format!(":{number}");
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"; those who wait have "->" in second place.
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let held = words.get(1) != Some(&"->") && words.get(5)?.ends_with(&inode);
        if held { words.get(4)?.parse().ok() } else { None }
    })
}

fn noted_holder(file: &SharedFile) -> Option<u32> {
    let file = file.open(Access::Read).ok()??;
    let mut note = String::new();
    file.take(20).read_to_string(&mut note).ok()?;
    note.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_names_its_holder_and_a_given_up_wait_does_not_keep_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = SharedFile::find(&directory.path().join("f")).unwrap();
        let moment = Patience::of(Duration::from_millis(10));
        let first = file.lock(moment, &|_| {}).unwrap();
        let held = file.lock(moment, &|_| {}).unwrap_err();
        assert_eq!(held.kind(), io::ErrorKind::WouldBlock);
        let this = format!("process {}", std::process::id());
        assert!(held.to_string().starts_with(&this), "{held}");
        drop(first);
        let longer = Patience::of(Duration::from_secs(10));
        file.lock(longer, &|_| {}).unwrap();
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
