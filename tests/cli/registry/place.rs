//! Where the registry's file is, and who may read it.

use std::fs;
use std::path::Path;

use super::ADD;
use crate::support::{DEPLOYMENT, Sandbox, needs};

#[test]
fn the_flag_wins_over_the_environment_and_that_over_the_configuration_folder() {
    let sandbox = Sandbox::new();
    sandbox.hooks(ADD).arg("--file").arg("by-flag.json").run().assert_code(0);
    assert_eq!(sandbox.names(), ["by-flag.json", "by-flag.json.lock"]);
    sandbox.hooks(ADD).run().assert_code(0);
    assert!(sandbox.has("hooks.json"));
    sandbox.hooks(ADD).without_env("HOOKS_FILE").run().assert_code(0);
    assert!(sandbox.has("config/hooks/hooks.json"));
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_configuration_folder_it_is_the_homes() {
    let sandbox = Sandbox::new();
    let homeless = || sandbox.hooks(ADD).without_env("HOOKS_FILE").without_env("XDG_CONFIG_HOME");
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
        add.run().assert_code(1).assert_stderr_has(&["error: ", "HOOKS_FILE", "--file"]);
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
    // The other user may not be allowed to read the build's folder.
    fs::copy(Sandbox::BINARY, sandbox.path().join("hooks")).unwrap();
    sandbox.set_mode(".", 0o777);
    sandbox.set_mode("hooks", 0o755);
    let stranger = r#"shift; exec setpriv --reuid 54321 --regid 54321 --clear-groups ./hooks "$@""#;
    let add = || sandbox.hooks(ADD).shell(stranger).without_env("HOOKS_FILE").without_env("HOME");
    let nowhere = add().without_env("XDG_CONFIG_HOME").run();
    nowhere.assert_code(1).assert_stderr_has(&["error: ", "HOOKS_FILE"]);
    assert_eq!(sandbox.names(), ["hooks"]);
    add().run().assert_code(0);
    assert!(sandbox.has("config/hooks/hooks.json"));
}

#[test]
fn the_registry_of_another_folder_is_another_registry() {
    let sandbox = Sandbox::new();
    for name in ["a.json", "b.json"] {
        sandbox.hooks(ADD).args(["--file", name]).run().assert_code(0);
        let publish = ["publish", "PostDeployment", DEPLOYMENT, "--dry-run", "--file", name];
        sandbox.hooks(publish).run().assert_code(0);
    }
    assert!(Path::new(&sandbox.path().join("a.json")).exists());
    sandbox.hooks(["remove", "1", "--file", "a.json"]).run().assert_code(0);
    let left = sandbox.hooks(["list", "--json", "--file", "b.json"]).run();
    assert_eq!(left.json().as_array().unwrap().len(), 1);
}
