//! Power cuts at the moment of an acknowledgement: only what is on the disk at that moment is left.
//!
//! The disk is a mounted image. A power cut copies the image while it is mounted, and mounts the copy: what the
//! kernel has not written yet is not in it. What a real disk would lose from its own cache is not simulated.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::support::{
    Call, Effect, FileSystem, Invocation, Mount, Output, Receiver, Reply, Sandbox, Scope, Strace,
    figures, files_of, needs, scaled,
};

/// A mounted disk.
struct Disk {
    // Unmounted before its folder is removed.
    mount: Mount,
    sandbox: Sandbox,
    system: FileSystem,
    cuts: AtomicUsize,
}

impl Disk {
    /// One of ext4; none where it can't be had.
    fn new() -> Option<Self> {
        Self::of(FileSystem::Ext4)
    }

    fn of(system: FileSystem) -> Option<Self> {
        if !system.is_available() {
            return None;
        }
        let sandbox = Sandbox::new();
        let image = sandbox.path().join("image");
        system.make_image(&image);
        let mount = Mount::of_image(system, &image, &sandbox.path().join("disk"));
        Some(Self { mount, sandbox, system, cuts: AtomicUsize::new(0) })
    }

    fn registry(&self) -> PathBuf {
        self.mount.path().join("hooks.json")
    }

    fn hooks<'a>(&'a self, arguments: &[&str]) -> Invocation<'a> {
        self.sandbox.hooks(arguments).env("HOOKS_FILE", self.registry())
    }

    fn add<'a>(&'a self, url: &str) -> Invocation<'a> {
        self.hooks(&["add", "--url", url, "--event", "E"])
    }

    /// Writes everything so far to the disk.
    fn sync(&self) {
        let synced = Command::new("sync").arg("-f").arg(self.mount.path()).status();
        assert!(synced.is_ok_and(|status| status.success()), "sync -f failed");
    }

    /// Cuts the power, and gives the disk as it is found afterwards.
    fn cut(&self) -> Cut {
        let number = self.cuts.fetch_add(1, Ordering::SeqCst);
        let at = |name: &str| self.sandbox.path().join(format!("{name}-{number}"));
        let image = at("image");
        let copied = Command::new("cp")
            .arg("--sparse=always")
            .args([&self.sandbox.path().join("image"), &image])
            .status();
        assert!(copied.is_ok_and(|status| status.success()), "cp failed");
        Cut { mount: Mount::of_image(self.system, &image, &at("after")), image }
    }
}

/// The disk after a power cut.
struct Cut {
    mount: Mount,
    image: PathBuf,
}

impl Cut {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.mount.path().join(name)).ok()
    }

    /// The URLs in the registry; it must parse if it is there.
    fn urls(&self) -> Vec<String> {
        let Some(bytes) = self.read("hooks.json") else {
            return Vec::new();
        };
        let registry: Value = serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            panic!("the power cut left {error} in {:?}", String::from_utf8_lossy(&bytes))
        });
        let hooks = registry["hooks"].as_array().expect("an array of hooks");
        let url = |hook: &Value| hook["url"].as_str().unwrap_or_default().to_owned();
        hooks.iter().map(url).collect()
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.image);
    }
}

fn url(number: usize) -> String {
    format!("https://h.example/{number}")
}

fn urls(count: usize) -> Vec<String> {
    (0..count).map(url).collect()
}

/// Cuts the power at each acknowledgement: every change is there.
fn cut_at_each_acknowledgement(system: FileSystem) {
    let Some(disk) = Disk::of(system) else { return };
    for number in 0..scaled(20, 200) {
        disk.add(&url(number)).run().assert_code(0);
        assert_eq!(disk.cut().urls(), urls(number + 1));
    }
    disk.hooks(&["edit", "3", "--event", "Changed"]).run().assert_code(0);
    let registry = disk.cut().read("hooks.json").expect("the registry is there");
    assert!(String::from_utf8_lossy(&registry).contains("Changed"));
    let others: Vec<_> = disk_ids(&disk).into_iter().filter(|id| id != "3").collect();
    disk.hooks(&["remove"]).args(others).run().assert_code(0);
    assert_eq!(disk.cut().urls(), [url(2)]);
    // And what is published is on record when the first byte arrives.
    for number in 0..5 {
        let on_record = is_on_record_when_sent(&disk, true);
        assert_eq!(on_record, Some(true), "publication {number}");
    }
}

#[test]
fn twenty_power_cuts_at_the_moment_of_an_acknowledgement_keep_every_change() {
    cut_at_each_acknowledgement(FileSystem::Ext4);
}

#[test]
fn twenty_power_cuts_on_xfs_keep_every_change() {
    cut_at_each_acknowledgement(FileSystem::Xfs);
}

#[test]
fn twenty_power_cuts_on_btrfs_keep_every_change() {
    cut_at_each_acknowledgement(FileSystem::Btrfs);
}

#[test]
fn a_power_cut_after_the_first_add_keeps_the_folders_that_it_made() {
    let Some(disk) = Disk::new() else { return };
    let registry = disk.mount.path().join("a/b/c/hooks.json");
    disk.sync();
    disk.add(&url(0)).env("HOOKS_FILE", &registry).run().assert_code(0);
    let cut = disk.cut();
    assert!(cut.read("a/b/c/hooks.json").is_some(), "the first hook is lost");
}

/// Runs it with one sync left out: shows that these tests would notice a missing sync.
fn without(sync: &str, of: &Path, disk: &Disk, invocation: Invocation) -> Option<Output> {
    let strace = Strace::find()?;
    disk.sync();
    let call = Call { name: sync.to_owned(), number: 1, shown: String::new() };
    let paths = [of.to_owned()];
    let (finished, came) = strace.inject(invocation, Scope::On(&paths), &call, Effect::Nothing);
    assert!(came, "there was no {sync} to take out");
    Some(finished)
}

#[test]
fn without_the_sync_of_the_folder_power_cuts_lose_acknowledged_changes() {
    let Some(disk) = Disk::new() else { return };
    let mut lost = 0;
    for number in 0..5 {
        let Some(added) = without("fsync", disk.mount.path(), &disk, disk.add(&url(number))) else {
            return;
        };
        added.assert_code(0);
        lost += usize::from(disk.cut().urls() != urls(number + 1));
    }
    figures(&format!("without the folder's sync {lost} of 5 changes were lost"));
    assert!(lost > 0, "the test would not see a missing fsync");
}

/// Publishes, cuts the power when the request has arrived, and tells whether it is on record then.
fn is_on_record_when_sent(disk: &Disk, synced: bool) -> Option<bool> {
    let receiver = Receiver::answering([Reply::status(200).held()]);
    disk.hooks(&["edit", "3", "--url", &receiver.url("/"), "--event", "E"]).run().assert_code(0);
    disk.sync();
    let journal = disk.mount.path().join("hooks.json.journal");
    let publish = || {
        let publish = disk.hooks(&["publish", "E", "{}"]);
        if synced { Some(publish.run()) } else { without("fdatasync", &journal, disk, publish) }
    };
    thread::scope(|scope| {
        let publishing = scope.spawn(publish);
        let id = receiver.wait_for(1)[0].the_header("webhook-id").to_owned();
        let journal = disk.cut().read("hooks.json.journal").unwrap_or_default();
        receiver.release();
        let published = publishing.join().expect("the publish ends");
        published.map(|published| {
            published.assert_code(0);
            String::from_utf8_lossy(&journal).contains(&id)
        })
    })
}

#[test]
fn without_the_sync_of_the_journal_power_cuts_lose_publications() {
    let Some(disk) = Disk::new() else { return };
    if !needs("strace") {
        return;
    }
    for number in 0..3 {
        disk.add(&url(number)).run().assert_code(0);
    }
    disk.hooks(&["remove", "1", "2"]).run().assert_code(0);
    // The first one has the folder synced for the journal's name, which writes its lines, too.
    let kept = (0..4).map(|_| is_on_record_when_sent(&disk, false));
    assert!(
        kept.into_iter().any(|kept| kept == Some(false)),
        "the test would not see a missing fdatasync"
    );
}

#[test]
fn a_power_cut_at_any_system_call_of_an_add_leaves_the_old_or_the_new_registry() {
    let (Some(disk), Some(strace)) = (Disk::new(), Strace::find()) else {
        return;
    };
    disk.add(&url(0)).run().assert_code(0);
    let files = files_of(&disk.registry());
    let (_, calls) = strace.calls(disk.add(&url(1)), Scope::On(&files));
    let mut seen = [0, 0];
    for call in &calls {
        disk.hooks(&["remove", "--force"])
            .args(disk_ids(&disk).into_iter().filter(|id| id != "1"))
            .arg("0")
            .run()
            .assert_code(0);
        disk.sync();
        let killed = strace.inject(disk.add(&url(1)), Scope::On(&files), call, Effect::Kill);
        assert!(killed.1, "not killed at {call}");
        let found = disk.cut().urls();
        assert!(found == urls(1) || found == urls(2), "{found:?} after {call}");
        seen[found.len() - 1] += 1;
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

fn disk_ids(disk: &Disk) -> Vec<String> {
    let list = disk.hooks(&["list", "--json"]).run().json();
    let hooks = list.as_array().expect("an array");
    hooks.iter().map(|hook| hook["id"].to_string()).collect()
}
