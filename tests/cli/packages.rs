//! What is published and what is installed: the crate's files, and those of the Debian package.
//!
//! `.ci/package` builds that package, installs it and takes it away again.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What `cargo` prints for these arguments, without the network.
#[track_caller]
fn cargo(arguments: &[&str]) -> String {
    let said = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(ROOT)
        .output()
        .expect("cargo can be started");
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "cargo {arguments:?}: {stderr}");
    String::from_utf8(said.stdout).expect("cargo says text")
}

/// The files below a folder of the sources, by their path from its root.
fn files_in(folder: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(format!("{ROOT}/{folder}")).expect("it is a folder") {
        let entry = entry.expect("a folder can be listed");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files.append(&mut files_in(&path));
        } else {
            files.insert(path);
        }
    }
    files
}

#[test]
fn the_crate_holds_what_a_user_needs_and_nothing_else() {
    let listed = cargo(&["package", "--list", "--allow-dirty"]);
    let listed: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    let mut wanted = BTreeSet::new();
    for folder in ["src", "man", "completions", "docs", "examples"] {
        wanted.append(&mut files_in(folder));
    }
    let others = ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE", "CHANGELOG.md"];
    wanted.extend(others.map(str::to_owned));
    // Made by cargo itself; the second in a git repository.
    let made = ["Cargo.toml.orig", ".cargo_vcs_info.json"].map(str::to_owned);
    let listed: BTreeSet<String> = listed.difference(&made.into()).cloned().collect();
    assert_eq!(listed, wanted);
}

/// The assets of the Debian package: from where to where, and how they may be used.
fn assets() -> Vec<[String; 3]> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("metadata is JSON");
    let assets = metadata["packages"][0]["metadata"]["deb"]["assets"].clone();
    serde_json::from_value(assets).expect("an asset is three strings")
}

#[test]
fn the_debian_package_puts_each_file_where_it_is_looked_for() {
    for [source, destination, mode] in [
        ["target/release/hooks", "usr/bin/", "755"],
        ["man/*.1", "usr/share/man/man1/", "644"],
        ["completions/hooks.bash", "usr/share/bash-completion/completions/hooks", "644"],
        ["completions/_hooks", "usr/share/zsh/vendor-completions/", "644"],
        ["completions/hooks.fish", "usr/share/fish/vendor_completions.d/", "644"],
        ["examples/post-receive", "usr/share/doc/hooks/examples/", "755"],
        ["README.md", "usr/share/doc/hooks/", "644"],
        ["CHANGELOG.md", "usr/share/doc/hooks/changelog", "644"],
    ] {
        let asset = [source, destination, mode].map(str::to_owned);
        assert!(assets().contains(&asset), "{asset:?} is missing");
    }
}

#[test]
fn no_page_completion_or_example_is_left_out_of_the_debian_package() {
    let sources: Vec<String> = assets().into_iter().map(|[source, ..]| source).collect();
    let is_packed = |file: &String| {
        sources.iter().any(|source| match source.split_once('*') {
            Some((start, end)) => file.starts_with(start) && file.ends_with(end),
            None => source == file,
        })
    };
    let mut files = BTreeSet::new();
    for folder in ["man", "completions", "docs", "examples"] {
        files.append(&mut files_in(folder));
    }
    // It builds the tool from the sources.
    files.remove("examples/demo.sh");
    let left_out: Vec<String> = files.into_iter().filter(|file| !is_packed(file)).collect();
    assert_eq!(left_out, [""; 0]);
}
