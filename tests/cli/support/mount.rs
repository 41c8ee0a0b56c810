//! File systems for tests of full disks and power cuts. Mounting needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system, unmounted when it is dropped: before the sandbox that it is in.
pub(crate) struct Mount {
    at: PathBuf,
}

impl Mount {
    /// A file system in memory of this many KiB.
    pub(crate) fn in_memory(at: &Path, kib: usize) -> Self {
        let size = format!("size={kib}k");
        Self::new(at, &["-t", "tmpfs", "-o", &size, "tmpfs"])
    }

    /// An image of ext4, mounted so that only a sync writes to it.
    pub(crate) fn of_image(image: &Path, at: &Path) -> Self {
        let image = image.to_string_lossy();
        Self::new(at, &["-t", "ext4", "-o", "loop,commit=600", &image])
    }

    fn new(at: &Path, arguments: &[&str]) -> Self {
        fs::create_dir_all(at).expect("a folder to mount at can be made");
        let mounted = Command::new("mount").args(arguments).arg(at).output();
        let mounted = mounted.expect("mount can be started");
        assert!(
            mounted.status.success(),
            "mount {arguments:?}: {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Self { at: at.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.at
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, in case a process that a failed test left has a file open.
        let plain = Command::new("umount").arg(&self.at).output();
        if !plain.is_ok_and(|done| done.status.success()) {
            let _ = Command::new("umount").arg("-l").arg(&self.at).output();
        }
    }
}

/// Makes an empty ext4 image.
pub(crate) fn make_image(image: &Path) {
    let file = fs::File::create(image).expect("an image can be created");
    file.set_len(8 << 20).expect("an image can be sparse");
    let made = Command::new("mkfs.ext4")
        .args(["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
        .arg(image)
        .output()
        .expect("mkfs.ext4 can be started");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}
