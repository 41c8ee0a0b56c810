//! File systems of a test's own, which need root: full ones, and ones that lose their power.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{needs, needs_root};

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

    /// An image of this file system. It commits nothing by itself for as long as it can be told so: what a
    /// power cut leaves is what was synced. A copy may be mounted beside the first.
    pub(crate) fn of_image(image: &Path, file_system: &str, at: &Path) -> Self {
        let options = match file_system {
            "xfs" => "loop,nouuid",
            _ => "loop,commit=600",
        };
        let image = image.to_string_lossy();
        Self::new(at, &["-t", file_system, "-o", options, &image])
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

/// Whether images of this file system can be made and mounted; if not, the test is skipped and says so.
pub(crate) fn needs_file_system(name: &str) -> bool {
    if !(needs_root() && needs(&format!("mkfs.{name}"))) {
        return false;
    }
    let module = Command::new("modprobe").args(["-q", name]).status();
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let is_known = module.is_ok_and(|status| status.success())
        || known.split_whitespace().any(|word| word == name);
    if !is_known {
        let _ = writeln!(
            io::stderr(),
            "\n*** SKIPPED: this test mounts {name}, which the kernel does not know ***\n"
        );
    }
    is_known
}

/// Makes an empty image of this file system, as small as that may be.
pub(crate) fn make_image(image: &Path, file_system: &str) {
    let (mebibytes, arguments): (u64, &[&str]) = match file_system {
        "xfs" => (300, &["-q", "-f"]),
        "btrfs" => (128, &["-q", "-f", "--mixed"]),
        _ => (
            8,
            &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"],
        ),
    };
    let file = fs::File::create(image).expect("an image can be created");
    file.set_len(mebibytes << 20)
        .expect("an image can be sparse");
    let made = Command::new(format!("mkfs.{file_system}"))
        .args(arguments)
        .arg(image)
        .output()
        .expect("mkfs can be started");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

/// Copies an image as it is at this moment, holes and all.
pub(crate) fn copy_image(image: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("--sparse=always")
        .args([image, to])
        .status();
    assert!(copied.is_ok_and(|status| status.success()), "cp failed");
}
