//! Where the registry's file is, and who may read it.

use std::fs;
use std::path::Path;

use crate::support::{DEPLOYMENT, Sandbox, needs};

const ADD: [&str; 5] = [
    "add",
    "--url",
    "https://h.example/",
    "--event",
    "PostDeployment",
];

#[test]
fn the_flag_wins_over_the_environment_and_that_over_the_configuration_folder() {
    let sandbox = Sandbox::new();
    sandbox
        .hooks(ADD)
        .arg("--file")
        .arg("by-flag.json")
        .run()
        .assert_code(0);
    assert_eq!(sandbox.names(), ["by-flag.json", "by-flag.json.lock"]);
    sandbox.hooks(ADD).run().assert_code(0);
    assert!(sandbox.has("hooks.json"));
    sandbox
        .hooks(ADD)
        .without_env("HOOKS_FILE")
        .run()
        .assert_code(0);
    assert!(sandbox.has("config/hooks/hooks.json"));
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_configuration_folder_it_is_the_homes() {
    let sandbox = Sandbox::new();
    let homeless = || {
        sandbox
            .hooks(ADD)
            .without_env("HOOKS_FILE")
            .without_env("XDG_CONFIG_HOME")
    };
    homeless().run().assert_code(0);
    assert!(sandbox.has(".config/hooks/hooks.json"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_relative_configuration_folder_does_not_count() {
    let sandbox = Sandbox::new();
    sandbox
        .hooks(ADD)
        .without_env("HOOKS_FILE")
        .env("XDG_CONFIG_HOME", "config")
        .run()
        .assert_code(0);
    assert!(sandbox.has(".config/hooks/hooks.json"));
    assert!(!sandbox.has("config"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_relative_home_never_puts_a_file_into_the_current_folder() {
    let sandbox = Sandbox::new();
    for (home, config) in [(".", ""), ("home", ""), (".", "config")] {
        let add = sandbox
            .hooks(ADD)
            .without_env("HOOKS_FILE")
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", config);
        add.run()
            .assert_code(1)
            .assert_stderr_has(&["error: ", "HOOKS_FILE", "--file"]);
        assert_eq!(sandbox.names(), Vec::<String>::new(), "{home:?} {config:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_user_without_a_passwd_entry_has_the_configuration_folder_or_none() {
    if !needs("setpriv") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    // The tests' own folder may be closed to the other user.
    fs::copy(Sandbox::BINARY, sandbox.path().join("hooks")).unwrap();
    sandbox.set_mode(".", 0o777);
    sandbox.set_mode("hooks", 0o755);
    let stranger = r#"shift; exec setpriv --reuid 54321 --regid 54321 --clear-groups ./hooks "$@""#;
    let add = || {
        sandbox
            .hooks(ADD)
            .shell(stranger)
            .without_env("HOOKS_FILE")
            .without_env("HOME")
    };
    let nowhere = add().without_env("XDG_CONFIG_HOME").run();
    nowhere
        .assert_code(1)
        .assert_stderr_has(&["error: ", "HOOKS_FILE"]);
    assert_eq!(sandbox.names(), ["hooks"]);
    add().run().assert_code(0);
    assert!(sandbox.has("config/hooks/hooks.json"));
}

#[test]
#[cfg(unix)]
fn it_is_made_for_its_owner_alone() {
    let sandbox = Sandbox::new();
    sandbox
        .hooks(ADD)
        .env("HOOKS_FILE", "a/b/hooks.json")
        .shell("umask 0; \"$@\"")
        .run()
        .assert_code(0);
    sandbox
        .hooks(["publish", "Nothing", "{}"])
        .env("HOOKS_FILE", "a/b/hooks.json")
        .run()
        .assert_code(0);
    let modes: Vec<_> = ["a", "a/b", "a/b/hooks.json", "a/b/hooks.json.lock"]
        .map(|name| sandbox.mode(name))
        .into();
    assert_eq!(modes, [0o700, 0o700, 0o600, 0o600]);
}

#[test]
#[cfg(unix)]
fn the_journal_is_made_for_its_owner_alone() {
    let sandbox = Sandbox::new();
    sandbox.add("http://127.0.0.1:9/", "PostDeployment");
    let publish = ["publish", "PostDeployment", "{}", "--retries", "0"];
    sandbox
        .hooks(publish)
        .shell("umask 0; \"$@\"")
        .run()
        .assert_code(3);
    assert_eq!(sandbox.mode("hooks.json.journal"), 0o600);
}

#[test]
#[cfg(unix)]
fn an_existing_files_mode_is_kept() {
    let sandbox = Sandbox::new();
    sandbox.hooks(ADD).run().assert_code(0);
    for mode in [0o640, 0o604, 0o600] {
        sandbox.set_mode("hooks.json", mode);
        sandbox.add(&format!("https://h.example/{mode}"), "PostDeployment");
        assert_eq!(sandbox.mode("hooks.json"), mode);
    }
}

#[test]
#[cfg(unix)]
fn a_file_with_secrets_that_others_can_read_gets_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/", "PostDeployment");
    sandbox.set_mode("hooks.json", 0o644);
    sandbox.hooks(["list", "--json"]).run().assert_code(0);
    assert_eq!(
        sandbox.hooks(["list", "--json"]).run().stderr,
        "",
        "nothing secret in it"
    );
    sandbox
        .hooks(["edit", "1", "--header", "X-Key: hush"])
        .run()
        .assert_code(0);
    assert_eq!(sandbox.mode("hooks.json"), 0o644);
    let warned = sandbox.hooks(["list", "--json"]).run();
    warned
        .assert_code(0)
        .assert_stderr_has(&["warning: ", "[DIR]/hooks.json", "chmod 600"])
        .assert_hides("hush");
    sandbox.set_mode("hooks.json", 0o600);
    assert_eq!(sandbox.hooks(["list", "--json"]).run().stderr, "");
}

#[test]
fn the_registry_of_another_folder_is_another_registry() {
    let sandbox = Sandbox::new();
    for name in ["a.json", "b.json"] {
        sandbox
            .hooks(ADD)
            .args(["--file", name])
            .run()
            .assert_code(0);
        let publish = [
            "publish",
            "PostDeployment",
            DEPLOYMENT,
            "--dry-run",
            "--file",
            name,
        ];
        sandbox.hooks(publish).run().assert_code(0);
    }
    assert!(Path::new(&sandbox.path().join("a.json")).exists());
    sandbox
        .hooks(["remove", "1", "--file", "a.json"])
        .run()
        .assert_code(0);
    let left = sandbox.hooks(["list", "--json", "--file", "b.json"]).run();
    assert_eq!(left.json().as_array().unwrap().len(), 1);
}

#[test]
#[cfg(unix)]
fn roots_add_does_not_take_the_deploy_users_file_away() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.hooks(ADD).run().assert_code(0);
    std::fs::remove_file(sandbox.path().join("hooks.json.lock")).unwrap();
    let registry = sandbox.path().join("hooks.json");
    chown(&registry, Some(54321), Some(54322)).unwrap();
    sandbox.add("http://127.0.0.1:9/", "E");
    let publish = ["publish", "E", "{}", "--retries", "0"];
    sandbox.hooks(publish).run().assert_code(3);
    // What stands beside it is the deploy user's, too, who could otherwise not lock it the next time.
    for name in ["hooks.json", "hooks.json.lock", "hooks.json.journal"] {
        let metadata = fs::metadata(sandbox.path().join(name)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (54321, 54322), "{name}");
        assert_eq!(sandbox.mode(name), 0o600, "{name}");
    }
}
