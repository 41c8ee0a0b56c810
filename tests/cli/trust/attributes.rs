//! What a registry keeps when a new version takes its place: ACL, other extended attributes, owner, group.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use crate::support::users::{ALICE, BOB, as_user, give, needs_users};
use crate::support::{Receiver, Sandbox, Strace, needs};

const ADD: [&str; 5] = ["add", "--url", "http://h.example/", "--event", "Other"];

/// A program's output on a file of the sandbox.
fn on(sandbox: &Sandbox, program: &str, arguments: &[&str], file: &str) -> String {
    let output = Command::new(program).args(arguments).arg(sandbox.path().join(file)).output();
    let output = output.unwrap_or_else(|error| panic!("can't start {program}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn acl(sandbox: &Sandbox, file: &str) -> String {
    on(sandbox, "getfacl", &["-cpn"], file)
}

fn attributes(sandbox: &Sandbox, file: &str) -> String {
    let all = on(sandbox, "getfattr", &["-dm", "-", "--absolute-names"], file);
    all.lines().skip(1).collect::<Vec<_>>().join("\n")
}

/// Every verb that puts a new version of the registry in place.
fn changes() -> [Vec<&'static str>; 4] {
    [
        ADD.into(),
        vec!["edit", "1", "--header", "X-A: b"],
        vec!["publish", "E", "{}"],
        vec!["remove", "2"],
    ]
}

#[test]
fn an_acl_is_kept_and_its_mask_is_not_the_groups_permission() {
    if !needs("setfacl") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "E");
    // The group may do nothing, user 54321 may read: the mode shows the mask, 0640.
    on(&sandbox, "setfacl", &["-m", "u:54321:r,g::-,m::r"], "hooks.json");
    let before = acl(&sandbox, "hooks.json");
    assert!(before.contains("user:54321:r--") && before.contains("group::---"), "{before}");
    for verb in changes() {
        let inode = fs::metadata(sandbox.path().join("hooks.json")).unwrap().ino();
        sandbox.hooks(&verb).run().assert_code(0);
        assert_eq!(acl(&sandbox, "hooks.json"), before, "{verb:?}");
        let now = fs::metadata(sandbox.path().join("hooks.json")).unwrap().ino();
        assert_ne!(now, inode, "{verb:?} has replaced it");
    }
    for companion in ["hooks.json.lock", "hooks.json.journal"] {
        assert_eq!(sandbox.mode(companion), 0o600, "a reader is no writer");
        assert!(!acl(&sandbox, companion).contains("54321"));
    }
}

#[test]
fn who_may_write_the_registry_by_its_acl_may_write_the_files_beside_it() {
    if !(needs_users() && needs("setfacl")) {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    give(sandbox.path(), ALICE, ALICE);
    sandbox.write("hooks.json", "[]");
    give(&sandbox.path().join("hooks.json"), ALICE, ALICE);
    let url = receiver.url("/");
    let writers = "u:54322:rw,u:54323:r,g::r,m::rw,o::-";
    on(&sandbox, "setfacl", &["-m", writers], "hooks.json");
    let add = ["add", "--url", &url, "--event", "E"];
    sandbox.hooks(add).shell(&as_user(ALICE)).run().assert_code(0);
    let publish = || sandbox.hooks(["publish", "E", "{}"]);
    publish().shell(&as_user(ALICE)).run().assert_code(0);
    for companion in ["hooks.json.lock", "hooks.json.journal"] {
        let acl = acl(&sandbox, companion);
        for entry in ["user:54322:rw-", "user:54323:---", "group::---", "mask::rw-", "other::---"] {
            assert!(acl.contains(entry), "{companion} has no {entry}:\n{acl}");
        }
    }
    // The folder is Alice's, so Bob replaces nothing in it, but what he sends is on record.
    let published = publish().shell(&as_user(BOB)).run();
    published.assert_code(0);
    let warning = "warning: could not save the registry";
    assert!(published.stderr.starts_with(warning), "{}", published.stderr);
    assert_eq!(sandbox.log().len(), 2);
}

#[test]
fn the_default_acl_of_a_folder_opens_nothing_that_was_closed() {
    if !needs("setfacl") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "E");
    sandbox.set_mode("hooks.json", 0o640);
    fs::remove_file(sandbox.path().join("hooks.json.lock")).unwrap();
    on(&sandbox, "setfacl", &["-d", "-m", "u:54321:rwx,g::rwx,o::rwx"], ".");
    for verb in changes() {
        sandbox.hooks(&verb).run().assert_code(0);
    }
    assert_eq!(sandbox.mode("hooks.json"), 0o640);
    for file in ["hooks.json", "hooks.json.lock", "hooks.json.journal"] {
        assert!(!acl(&sandbox, file).contains("54321"), "{file}");
    }
}

#[test]
fn other_attributes_are_kept() {
    if !needs("setfattr") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "E");
    for (name, value) in [("user.origin", "backup"), ("user.empty", ""), ("user.text", "a b\n")] {
        on(&sandbox, "setfattr", &["-n", name, "-v", value], "hooks.json");
    }
    let before = attributes(&sandbox, "hooks.json");
    assert!(before.contains("user.origin=\"backup\""), "{before}");
    for verb in changes() {
        sandbox.hooks(&verb).run().assert_code(0);
        assert_eq!(attributes(&sandbox, "hooks.json"), before, "{verb:?}");
    }
}

#[test]
fn a_save_that_cannot_keep_them_is_refused_and_says_so() {
    if !(needs_users() && needs("setfattr")) {
        return;
    }
    // Who asks, what is wrong with the file, and what is said of it.
    let cases: [(&[&str], u32, u32, &str); 4] = [
        (
            &["setfattr", "-n", "security.label", "-v", "secret"],
            ALICE,
            0o600,
            "attribute security.label",
        ),
        (&["chown", "54322:54322"], BOB, 0o666, "owner"),
        (&["chown", "54321:54322"], ALICE, 0o660, "group"),
        (&["chown", "54322:54321"], BOB, 0o666, "owner"),
    ];
    for (command, owner, mode, what) in cases {
        let sandbox = Sandbox::new();
        sandbox.set_mode(".", 0o777);
        sandbox.write("hooks.json", r#"{"version":1,"next_id":1,"hooks":[]}"#);
        give(&sandbox.path().join("hooks.json"), owner, owner);
        on(&sandbox, command[0], &command[1..], "hooks.json");
        sandbox.set_mode("hooks.json", mode);
        let before = (sandbox.registry_bytes(), attributes(&sandbox, "hooks.json"));
        let refused = sandbox.hooks(ADD).shell(&as_user(ALICE)).run();
        let what = format!("its {what} cannot be kept: Operation not permitted");
        refused.assert_code(1).assert_stderr_has(&[&what]);
        assert_eq!(before.0, sandbox.registry_bytes());
        assert_eq!(before.1, attributes(&sandbox, "hooks.json"));
        assert!(!sandbox.has("hooks.json.tmp"));
    }
}

#[test]
fn an_attribute_that_the_system_refuses_is_not_dropped() {
    if !needs("setfattr") {
        return;
    }
    let Some(strace) = Strace::find() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.add("http://h.example/1", "E");
    on(&sandbox, "setfattr", &["-n", "user.origin", "-v", "backup"], "hooks.json");
    let before = sandbox.registry_bytes();
    let (refused, came) = strace.refuse(sandbox.hooks(ADD), "fsetxattr", "ENOSPC");
    assert!(came, "{}", refused.stderr);
    refused.assert(
        1,
        "",
        "error: could not save the registry [DIR]/hooks.json (it is as it was): \
         its attribute user.origin cannot be kept: No space left on device (os error 28)\n\
         hint: do it as the user who owns the file\n",
    );
    assert_eq!(sandbox.registry_bytes(), before);
}
