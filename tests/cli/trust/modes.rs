//! Who may read what is written: modes of the files and of their directory, whatever the umask.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Output, Receiver, Reply, Sandbox, needs};

const UMASKS: [&str; 4] = ["000", "077", "022", "027"];

/// Runs it under a umask, with its registry in a directory that is not there yet.
fn under(sandbox: &Sandbox, umask: &str, arguments: &[&str]) -> Output {
    let script = format!("umask {umask}; exec \"$@\"");
    sandbox
        .hooks(arguments)
        .shell(&script)
        .env("HOOKS_FILE", sandbox.path().join("new/deeper/hooks.json"))
        .run()
}

#[test]
fn new_files_are_the_owners_alone_under_any_umask() {
    for umask in UMASKS {
        let sandbox = Sandbox::new();
        let receiver = Receiver::answering([Reply::status(500), Reply::status(200)]);
        let url = receiver.url("/?key=secret");
        let add = ["add", "--url", &url, "--event", "E", "--generate-secret"];
        let added = under(&sandbox, umask, &add);
        added.assert_code(0);
        assert_eq!(added.stderr, "", "nothing to warn of");
        let publish = ["publish", "E", "{}", "--retries", "0"];
        under(&sandbox, umask, &publish).assert_code(3);
        under(&sandbox, umask, &["redeliver", "--failed"]).assert_code(0);
        under(&sandbox, umask, &["edit", "1", "--disable"]).assert_code(0);
        for (name, mode) in [
            ("new", 0o700),
            ("new/deeper", 0o700),
            ("new/deeper/hooks.json", 0o600),
            ("new/deeper/hooks.json.lock", 0o600),
            ("new/deeper/hooks.json.journal", 0o600),
        ] {
            let found = sandbox.mode(name);
            assert_eq!(found, mode, "{name} is {found:o} under umask {umask}");
        }
        assert!(!sandbox.has("new/deeper/hooks.json.tmp"));
    }
}

#[test]
fn the_files_in_the_default_place_are_the_owners_alone() {
    let sandbox = Sandbox::new();
    let add = ["add", "--url", "http://h.example/", "--event", "E"];
    let add = sandbox.hooks(add).without_env("HOOKS_FILE");
    let added = add.shell("umask 000; exec \"$@\"").run();
    added.assert_code(0);
    assert_eq!(sandbox.mode("config/hooks"), 0o700);
    assert_eq!(sandbox.mode("config/hooks/hooks.json"), 0o600);
}

#[cfg(target_os = "linux")]
#[test]
fn the_temporary_file_is_never_readable_by_others_even_for_a_moment() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.add("http://h.example/", "E");
    for (mode, most) in [(0o600, 0o600), (0o640, 0o640), (0o644, 0o644)] {
        sandbox.set_mode("hooks.json", mode);
        let calls = "open,openat,creat,chmod,fchmod,fchmodat,rename,renameat,renameat2";
        let script = format!("umask 000; exec strace -f -qqq -y -e trace={calls} -o trace \"$@\"");
        let edit = ["edit", "1", "--header", &format!("X-A: {mode}")];
        sandbox.hooks(edit).shell(&script).run().assert_code(0);
        let trace = sandbox.read("trace");
        let trace = String::from_utf8_lossy(&trace).into_owned();
        let lines: Vec<&str> =
            trace.lines().filter(|line| line.contains("hooks.json.tmp")).collect();
        assert!(lines[0].contains("O_CREAT|O_EXCL") && lines[0].contains(", 0600)"));
        let last = lines[lines.len() - 1];
        assert!(last.contains("rename"), "{last}");
        for line in &lines[1..lines.len() - 1] {
            let to = format!("{most:o})");
            assert!(line.contains("chmod") && line.contains(&to), "{line}");
        }
        assert_eq!(sandbox.mode("hooks.json"), most);
    }
}

#[test]
fn a_temporary_file_that_a_killed_process_left_is_not_written_into() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json.tmp", "left");
    sandbox.set_mode("hooks.json.tmp", 0o666);
    let held = std::fs::File::open(sandbox.path().join("hooks.json.tmp")).unwrap();
    sandbox.write("secret", format!("whsec_{}", "A".repeat(32)));
    let secret_file = ["--secret-file", "secret"];
    sandbox.add_with("http://h.example/", "E", secret_file);
    assert_eq!(sandbox.mode("hooks.json"), 0o600);
    assert_eq!(held.metadata().unwrap().len(), 4, "another file");
}

#[test]
fn an_existing_mode_stays() {
    for mode in [0o640, 0o604, 0o644, 0o660, 0o400, 0o600] {
        let sandbox = Sandbox::new();
        let receiver = Receiver::new();
        sandbox.add(&receiver.url("/"), "E");
        sandbox.set_mode("hooks.json", mode);
        for arguments in [
            &["add", "--url", "http://h.example/", "--event", "Other"][..],
            &["edit", "1", "--header", "X-Auth: x"],
            &["publish", "E", "{}"],
            &["remove", "2"],
        ] {
            let call = sandbox.hooks(arguments).shell("umask 000; exec \"$@\"");
            call.run().assert_code(0);
            assert_eq!(sandbox.mode("hooks.json"), mode, "{arguments:?}");
        }
        let shared = if mode == 0o660 { 0o660 } else { 0o600 };
        assert_eq!(sandbox.mode("hooks.json.journal"), shared);
    }
}

/// Whether a warning names the file and how to change its mode.
fn warns(finished: &Output) -> bool {
    let warning = finished.stderr.lines().find(|line| line.starts_with("warning: "));
    warning.is_some_and(|line| line.contains("[DIR]/hooks.json") && line.contains("chmod 600"))
}

#[test]
fn a_file_that_others_can_read_is_warned_about_if_it_holds_secrets() {
    let id = "1";
    for (url, option, holds) in [
        ("http://127.0.0.1:9/plain", None, false),
        ("http://u:pw@127.0.0.1:9/", None, true),
        ("http://127.0.0.1:9/?key=value", None, true),
        ("http://127.0.0.1:9/services/Xa1Xa2Xa3Xa4Xa5Xa6", None, true),
        ("http://127.0.0.1:9/", Some("--header=X-Auth: x"), true),
        ("http://127.0.0.1:9/", Some("--generate-secret"), true),
    ] {
        let sandbox = Sandbox::new();
        let add = ["add", "--url", url, "--event", "E"];
        let added = sandbox.hooks(add).args(option).run();
        added.assert_code(0);
        assert!(!warns(&added), "0600: {}", added.stderr);
        for mode in [0o640, 0o604, 0o644, 0o660] {
            sandbox.set_mode("hooks.json", mode);
            for arguments in [
                &["list"][..],
                &["list", "--json"],
                &["show", id],
                &["edit", id, "--enable"],
                &["add", "--url", url, "--event", "E"],
                &["publish", "E", "{}", "--retries", "0"],
                &["publish", "E", "{}", "--dry-run"],
                &["test", id, "--retries", "0"],
                &["redeliver", id, "--retries", "0"],
                &["run", "E", "--retries", "0", "--", "true"],
            ] {
                let finished = sandbox.hooks(arguments).run();
                assert_eq!(warns(&finished), holds, "{arguments:?}: {}", finished.stderr);
            }
        }
        sandbox.set_mode("hooks.json", 0o600);
        assert!(!warns(&sandbox.hooks(["list"]).run()));
    }
}

#[test]
fn a_group_that_shares_the_registry_can_use_the_files_beside_it() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.write("hooks.json", "[]");
    sandbox.set_mode("hooks.json", 0o664);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.publish().assert_code(0);
    assert_eq!(sandbox.mode("hooks.json"), 0o664);
    for name in ["hooks.json.lock", "hooks.json.journal"] {
        assert_eq!(sandbox.mode(name), 0o660, "{name}: never the world");
    }
}

#[test]
fn a_registry_that_a_group_shares_on_purpose_is_not_warned_of() {
    let sandbox = Sandbox::new();
    let add = ["add", "--url", "http://h/?key=secret", "--event", "E"];
    sandbox.hooks(add).run().assert_code(0);
    for (directory, file, is_warned) in [
        (0o770, 0o660, false),
        (0o2770, 0o640, false),
        (0o750, 0o664, false),
        (0o775, 0o660, true),
        (0o771, 0o640, true),
        (0o700, 0o640, true),
        (0o700, 0o604, true),
    ] {
        sandbox.set_mode("", directory);
        sandbox.set_mode("hooks.json", file);
        for arguments in [&["list"][..], &["redeliver", "--failed"], &["edit", "1", "--event", "F"]]
        {
            let ran = sandbox.hooks(arguments).run();
            ran.assert_code(0);
            assert_eq!(warns(&ran), is_warned, "{directory:o} {file:o}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_directory_that_is_there_keeps_its_mode() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().join("there");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let add = ["add", "--url", "http://h.example/", "--event", "E"];
    let add = sandbox.hooks(add).env("HOOKS_FILE", folder.join("hooks.json"));
    add.run().assert_code(0);
    assert_eq!(sandbox.mode("there"), 0o755);
    assert_eq!(sandbox.mode("there/hooks.json"), 0o600);
}

#[test]
fn root_leaves_the_files_to_the_owner_of_the_registry() {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, chown};
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/", "PostDeployment");
    fs::remove_file(sandbox.path().join("hooks.json.lock")).unwrap();
    let registry = sandbox.path().join("hooks.json");
    chown(&registry, Some(54321), Some(54322)).unwrap();
    sandbox.add("http://127.0.0.1:9/", "E");
    let publish = ["publish", "E", "{}", "--retries", "0"];
    sandbox.hooks(publish).run().assert_code(3);
    // The files beside it get the same owner, who otherwise could not lock the registry the next time.
    for name in ["hooks.json", "hooks.json.lock", "hooks.json.journal"] {
        let metadata = fs::metadata(sandbox.path().join(name)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (54321, 54322), "{name}");
        assert_eq!(sandbox.mode(name), 0o600, "{name}");
    }
}
