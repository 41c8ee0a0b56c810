//! Registries that several users share, and registries on file systems with a will of their own.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::support::users::{ALICE, BOB, CAROL, MALLORY, as_member, give, needs_users};
use crate::support::{Mount, Receiver, Sandbox, needs, needs_root};

/// A group of all but Mallory.
const GROUP: u32 = 54_400;

/// A folder of the group with a registry that the group may write.
fn shared() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", "[]");
    sandbox.set_mode("hooks.json", 0o660);
    sandbox.set_mode(".", 0o2775);
    for name in [".", "hooks.json"] {
        give(&sandbox.path().join(name), ALICE, GROUP);
    }
    // Giving it away has taken the group's bit from the folder.
    sandbox.set_mode(".", 0o2775);
    sandbox
}

#[test]
fn a_group_shares_a_registry_whoever_makes_the_files() {
    if !needs_users() {
        return;
    }
    let sandbox = shared();
    let receiver = Receiver::new();
    for (number, user) in [BOB, ALICE, CAROL, ALICE].into_iter().enumerate() {
        let url = receiver.url(&format!("/{number}"));
        for verb in [
            &["add", "--url", &url, "--event", "E"][..],
            &["publish", "E", "{}"],
            &["redeliver", "1"],
            &["log"],
        ] {
            let done = sandbox.hooks(verb).shell(&as_member(user, GROUP)).run();
            done.assert_code(0);
            assert!(!done.stderr.contains("warning"), "{user}: {}", done.stderr);
        }
        for name in ["hooks.json", "hooks.json.lock", "hooks.json.journal"] {
            let metadata = fs::metadata(sandbox.path().join(name)).unwrap();
            assert_eq!(metadata.gid(), GROUP, "{name}");
            assert_eq!(metadata.mode() & 0o777, 0o660, "{name}");
        }
    }
    assert_eq!(sandbox.ids(), ["1", "2", "3", "4"]);
    // Root, too, and what root makes is for all of them.
    fs::remove_file(sandbox.path().join("hooks.json.lock")).unwrap();
    sandbox.add("http://h.example/", "Other");
    let remove = sandbox.hooks(["remove", "5"]).shell(&as_member(CAROL, GROUP));
    remove.run().assert_code(0);
}

#[test]
fn what_somebody_outside_the_group_has_put_there_is_refused() {
    if !needs_users() {
        return;
    }
    let sandbox = shared();
    // Open to all for a moment, which is all that it takes.
    sandbox.write("hooks.json.journal", "");
    give(&sandbox.path().join("hooks.json.journal"), MALLORY, MALLORY);
    sandbox.set_mode(".", 0o3777);
    let log = sandbox.hooks(["log"]).shell(&as_member(BOB, GROUP)).run();
    let whose = format!("hooks.json.journal belongs to user {MALLORY}");
    log.assert_code(1).assert_stderr_has(&[&whose]);
}

#[test]
fn root_uses_a_folder_of_a_group_only_if_the_registry_is_the_groups() {
    if !needs_users() {
        return;
    }
    let list = |sandbox: &Sandbox| sandbox.hooks(["list"]).run();
    let sandbox = shared();
    give(sandbox.path(), 0, GROUP);
    sandbox.set_mode(".", 0o2775);
    list(&sandbox).assert_code(0);
    sandbox.set_mode("hooks.json", 0o640);
    let refused = list(&sandbox);
    refused
        .assert_code(1)
        .assert_stderr_has(&["[DIR] of user 0 (root), which other users may write, too"]);
    sandbox.set_mode(".", 0o2755);
    list(&sandbox).assert_code(0);
}

#[test]
fn a_file_that_is_a_mount_of_its_own_gets_a_hint() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.add("http://h.example/", "E");
    let before = sandbox.registry_bytes();
    let mounted = sandbox.path().join("mounted.json");
    let mount = Mount::of_file(&sandbox.path().join("hooks.json"), &mounted);
    for verb in [
        &["add", "--url", "http://h.example/2", "--event", "E"][..],
        &["edit", "1", "--disable"],
        &["remove", "1"],
    ] {
        let refused = sandbox.hooks(verb).env("HOOKS_FILE", mount.path()).run();
        refused.assert(
            1,
            "",
            "error: could not save the registry [DIR]/mounted.json (it is as it was): \
             Device or resource busy (os error 16)\n\
             hint: a file that is a mount of its own cannot be replaced: mount the folder that it is in\n",
        );
    }
    assert_eq!(sandbox.registry_bytes(), before);
    assert!(!sandbox.has("mounted.json.tmp"));
}

#[test]
fn a_change_on_a_remote_file_system_is_warned_of() {
    if !(needs_root() && needs("bindfs")) {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("there")).unwrap();
    let mount = Mount::by_fuse(&sandbox.path().join("there"), &sandbox.path().join("here"));
    let file = mount.path().join("hooks.json");
    let warning = "warning: [DIR]/here/hooks.json is on a remote file system (FUSE)";
    for verb in [
        &["-q", "add", "--url", "http://h.example/", "--event", "E"][..],
        &["edit", "1", "--disable"],
        &["remove", "1"],
    ] {
        let done = sandbox.hooks(verb).env("HOOKS_FILE", &file).run();
        done.assert_code(0);
        assert_eq!(done.stderr.matches(warning).count(), 1, "{}", done.stderr);
        let local = sandbox.hooks(verb).run();
        assert_eq!(local.code(), Some(0));
        assert!(!local.stderr.contains("warning"), "{}", local.stderr);
    }
    let read = sandbox.hooks(["list"]).env("HOOKS_FILE", &file).run();
    assert!(!read.stderr.contains("warning"), "{}", read.stderr);
}
