//! File systems for tests of full disks and power cuts. Mounting needs root.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::needs;
use super::proof::needs_root;

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

    /// An image, or a copy of one that is mounted. It commits nothing by itself as long as that can be had, so
    /// that what a power cut leaves is what was synced.
    pub(crate) fn of_image(system: FileSystem, image: &Path, at: &Path) -> Self {
        let image = image.to_string_lossy();
        let options = match system {
            FileSystem::Ext4 | FileSystem::Btrfs => "loop,commit=600",
            FileSystem::Xfs => "loop,nouuid",
        };
        Self::new(at, &["-t", system.name(), "-o", options, &image])
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
        // Lazily, in case a process that a failed test left has a file open.
        let plain = Command::new("umount").arg(&self.at).output();
        if !plain.is_ok_and(|done| done.status.success()) {
            let _ = Command::new("umount").arg("-l").arg(&self.at).output();
        }
    }
}

/// A file system of disks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileSystem {
    Ext4,
    Xfs,
    Btrfs,
}

impl FileSystem {
    /// As `mount` knows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }

    /// Whether this machine can make it and mount it; if not, the test is skipped and says so.
    pub(crate) fn is_available(self) -> bool {
        let name = self.name();
        if !(needs_root() && needs(&format!("mkfs.{name}"))) {
            return false;
        }
        let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
        let is_known = known.split_whitespace().any(|word| word == name);
        let loaded = || Command::new("modprobe").arg(name).status();
        let is_known = is_known || loaded().is_ok_and(|status| status.success());
        if !is_known {
            // No package brings it, so that is no failure anywhere.
            let _ = writeln!(
                io::stderr(),
                "\n*** SKIPPED: this test needs {name}, which this kernel does not have ***\n"
            );
        }
        is_known
    }

    /// Makes an empty image of it, as small as it may be.
    pub(crate) fn make_image(self, image: &Path) {
        let (mebibytes, options): (_, &[&str]) = match self {
            Self::Ext4 => (8, &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"]),
            Self::Xfs => (300, &["-q"]),
            Self::Btrfs => (128, &["-q"]),
        };
        let file = fs::File::create(image).expect("an image can be created");
        file.set_len(mebibytes << 20).expect("an image can be sparse");
        let mut mkfs = Command::new(format!("mkfs.{}", self.name()));
        let made = mkfs.args(options).arg(image).output();
        let made = made.expect("mkfs can be started");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}
