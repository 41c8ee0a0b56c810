//! File systems of a test's own, which need root: full ones, and ones that lose their power.

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
        let size = format!("size={kib}k,mode=755");
        Self::new(at, &["-t", "tmpfs", "-o", &size, "tmpfs"])
    }

    /// A folder behind FUSE, as a remote one would be.
    pub(crate) fn by_fuse(folder: &Path, at: &Path) -> Self {
        fs::create_dir_all(at).expect("a folder to mount at can be made");
        let mounted = Command::new("bindfs").arg(folder).arg(at).status();
        assert!(mounted.is_ok_and(|status| status.success()), "bindfs");
        Self { at: at.to_owned() }
    }

    /// A single file over another one, as Docker mounts it.
    pub(crate) fn of_file(file: &Path, at: &Path) -> Self {
        fs::write(at, "").expect("a file to mount at can be made");
        Self::mounted(at, &["--bind", &file.to_string_lossy()])
    }

    /// An image of ext4. It commits nothing by itself, so that what a power cut leaves is what was synced.
    pub(crate) fn of_image(image: &Path, at: &Path) -> Self {
        let image = image.to_string_lossy();
        Self::new(at, &["-t", "ext4", "-o", "loop,commit=600", &image])
    }

    fn new(at: &Path, arguments: &[&str]) -> Self {
        fs::create_dir_all(at).expect("a folder to mount at can be made");
        Self::mounted(at, arguments)
    }

    fn mounted(at: &Path, arguments: &[&str]) -> Self {
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
        // Lazily, where a process that a failed test left has a file open.
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
