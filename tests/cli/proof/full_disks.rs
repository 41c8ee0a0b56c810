//! Disks and files that are really full: what was there stays, and an event still reaches its hooks.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::support::{Invocation, Mount, Receiver, Sandbox, hook_json, needs, needs_root};

const FULL: &str = "No space left on device";

/// A registry in a small file system, which can be filled up.
struct Disk {
    // Unmounted before its folder is removed.
    mount: Mount,
    sandbox: Sandbox,
}

impl Disk {
    fn new() -> Option<Self> {
        if !needs_root() {
            return None;
        }
        let sandbox = Sandbox::new();
        let mount = Mount::in_memory(&sandbox.path().join("disk"), 256);
        Some(Self { mount, sandbox })
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.mount.path().join(format!("hooks.json{suffix}"))
    }

    fn hooks<'a>(&'a self, arguments: &[&str]) -> Invocation<'a> {
        self.sandbox.hooks(arguments).env("HOOKS_FILE", self.path(""))
    }

    fn ballast(&self) -> PathBuf {
        self.mount.path().join("ballast")
    }

    /// Leaves this many pages of 4 KiB free.
    fn fill(&self, free: u64) {
        let _ = fs::remove_file(self.ballast());
        let mut pages: u64 = 1024;
        // What does not fit is not written, so the disk is full after this.
        let _ = fs::write(self.ballast(), vec![b'x'; 4096 * 1024]);
        let length = fs::metadata(self.ballast()).map_or(0, |file| file.len());
        pages = pages.min(length / 4096).saturating_sub(free);
        let file = fs::File::options().write(true).open(self.ballast());
        file.and_then(|file| file.set_len(pages * 4096)).expect("the ballast can be cut");
    }

    fn empty(&self) {
        fs::remove_file(self.ballast()).expect("the ballast can be removed");
    }

    fn read(&self, suffix: &str) -> String {
        fs::read_to_string(self.path(suffix)).unwrap_or_default()
    }

    /// A registry of more than two pages, with one hook at the receiver.
    fn register(&self, receiver: &Receiver) {
        let padding = "p".repeat(9000);
        let hook = hook_json(1, receiver.url("/"), "E");
        let registry = json!({"version": 1, "next_id": 2, "hooks": [hook], "padding": padding});
        fs::write(self.path(""), registry.to_string()).expect("the registry fits");
    }
}

#[test]
fn on_a_full_disk_a_change_is_refused_and_the_registry_stays_as_it_was() {
    let Some(disk) = Disk::new() else { return };
    let receiver = Receiver::new();
    disk.register(&receiver);
    disk.hooks(&["publish", "E", "{}"]).run().assert_code(0);
    let before = disk.read("");
    let (mut refused, mut done) = (0, 0);
    for free in 0..8 {
        disk.fill(free);
        for change in [
            &["add", "--url", "https://h.example/", "--event", "E"][..],
            &["edit", "1", "--disable"],
            &["remove", "1"],
        ] {
            let changed = disk.hooks(change).run();
            if changed.code() == Some(0) {
                done += 1;
                assert_ne!(disk.read(""), before, "acknowledged, not done: {change:?}");
                disk.fill(8);
                fs::write(disk.path(""), &before).expect("the registry fits");
                disk.fill(free);
                continue;
            }
            refused += 1;
            let registry = "could not save the registry [DIR]/disk/hooks.json (it is as it was)";
            changed.assert(1, "", &format!("error: {registry}: {FULL} (os error 28)\n"));
            assert_eq!(disk.read(""), before, "{change:?}");
            assert!(!disk.path(".tmp").exists(), "{change:?}");
        }
    }
    assert!(refused >= 3 && done >= 3, "{refused} refused, {done} done");
    disk.empty();
    disk.hooks(&["remove", "1"]).run().assert_code(0);
}

#[test]
fn on_a_full_disk_a_publish_delivers_and_warns_of_what_is_not_on_record() {
    let Some(disk) = Disk::new() else { return };
    let receiver = Receiver::new();
    disk.register(&receiver);
    disk.hooks(&["publish", "E", "{}"]).run().assert_code(0);
    // Of different lengths, so that the disk becomes full within a record, too.
    let mut warned = 0;
    for (number, free) in [0, 1, 2, 3, 4, 0, 1, 0].into_iter().enumerate() {
        disk.fill(free);
        let (journal, registry) = (disk.read(".journal"), disk.read(""));
        let content = format!("{{\"n\":\"{}\"}}", "x".repeat(3000 + 500 * number));
        let published = disk.hooks(&["publish", "E", &content]).run();
        published.assert_code(0);
        assert_eq!(receiver.wait_for(number + 2).len(), number + 2);
        assert!(disk.read(".journal").starts_with(&journal), "the journal lost something");
        let recorded = disk.read(".journal").lines().count() == journal.lines().count() + 2
            && disk.read("") != registry;
        if !recorded {
            warned += 1;
            published.assert_stderr_has(&["warning: ", FULL, "[DIR]/disk/hooks.json"]);
        }
    }
    assert!(warned >= 3, "{warned}");
    disk.empty();
    // The next publication is on record, whatever was cut off before.
    let published = disk.hooks(&["publish", "E", "{\"next\":1}", "--json"]).run();
    published.assert_code(0);
    let log = disk.hooks(&["log", "--json"]).run();
    log.assert_code(0);
    assert_eq!(log.json_lines()[0]["id"], published.json()["id"]);
    assert_eq!(log.json_lines()[0]["state"], "delivered");
}

/// Runs it with a limit to the size of the files that it writes, in KiB.
fn limited(invocation: Invocation, kib: usize) -> crate::support::Output {
    let script = format!("exec prlimit --fsize={} \"$@\"", kib * 1024);
    invocation.shell(&script).run()
}

#[test]
fn at_a_file_size_limit_a_change_is_refused_with_its_reason() {
    if !needs("prlimit") {
        return;
    }
    let sandbox = Sandbox::new();
    let hook = hook_json(1, "https://h.example/", "E");
    let padding = "p".repeat(9000);
    let registry = json!({"version": 1, "next_id": 2, "hooks": [hook], "padding": padding});
    sandbox.write("hooks.json", registry.to_string());
    for change in [
        &["add", "--url", "https://h.example/2", "--event", "E"][..],
        &["edit", "1", "--disable"],
        &["remove", "1"],
    ] {
        let changed = limited(sandbox.hooks(change), 4);
        changed.assert(
            1,
            "",
            "error: could not save the registry [DIR]/hooks.json (it is as it was): File too large (os error 27)\n",
        );
        assert_eq!(sandbox.registry_bytes(), registry.to_string().as_bytes());
        assert!(!sandbox.has("hooks.json.tmp"));
    }
    // Without the limit the next one succeeds.
    sandbox.hooks(["remove", "1"]).run().assert_code(0);
}

#[test]
fn at_a_file_size_limit_a_publish_delivers_and_warns() {
    if !needs("prlimit") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "E");
    let line = "{\"compacted\":{\"time\":\"2026-01-01T00:00:00Z\",\"length\":1}}\n";
    let journal = line.repeat(1024 * 8 / line.len());
    sandbox.write("hooks.json.journal", &journal);
    let published = limited(sandbox.hooks(["publish", "E", "{}"]), 8);
    published.assert_code(0).assert_stderr_has(&[
        "warning: ",
        "could not write the journal [DIR]/hooks.json.journal",
        "File too large",
    ]);
    receiver.request();
    assert!(sandbox.read("hooks.json.journal").starts_with(journal.as_bytes()));
    // Without the limit everything is on record again.
    sandbox.hooks(["publish", "E", "{}"]).run().assert_code(0);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
}
