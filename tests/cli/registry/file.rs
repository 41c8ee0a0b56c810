//! The registry's file: what is read and kept, what is refused, and that a refused file is never written.

use std::fs;

use super::ADD;
use crate::support::{Receiver, Sandbox};

/// A registry as a person would type it, with keys that this version does not know.
const BY_HAND: &str = r#"{
    "comment": "keep me",
    "version": 1, "next_id": 8,
    "hooks": [
        {"id": 7, "url": "http://127.0.0.1:9/", "event": "E", "insecure_ssl": false, "tags": ["a", 1e400]}
    ],
    "later": {"b": 12345678901234567890123, "a": null}
}"#;

#[test]
fn fields_that_this_version_does_not_know_are_kept() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", BY_HAND);
    sandbox.add("https://h.example/", "PostDeployment");
    sandbox.hooks(["publish", "E", "{}", "--retries", "0"]).run().assert_code(3);
    let text = String::from_utf8(sandbox.registry_bytes()).unwrap();
    let squeezed: String = text.split_whitespace().collect();
    for kept in [
        r#""comment":"keepme""#,
        r#""later":{"b":12345678901234567890123,"a":null}"#,
        r#""tags":["a",1e400]"#,
        r#""next_id":9"#,
    ] {
        assert!(squeezed.contains(kept), "{kept} is lost:\n{text}");
    }
    assert!(!sandbox.has("hooks.json.tmp"), "no temporary file is left");
}

#[test]
fn a_next_id_below_the_highest_id_is_ignored() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", BY_HAND.replace("\"next_id\": 8", "\"next_id\": 2"));
    assert_eq!(sandbox.add("https://h.example/", "PostDeployment"), "8");
    sandbox.write("hooks.json", BY_HAND.replace("\"next_id\": 8,", ""));
    assert_eq!(sandbox.add("https://h.example/", "PostDeployment"), "8");
}

/// Files that are not a registry.
fn damaged() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("white space", b"\n \n".to_vec()),
        ("half", BY_HAND.as_bytes()[..120].to_vec()),
        ("NUL", vec![0; 300]),
        ("text", b"hello".to_vec()),
        ("bytes that are not UTF-8", b"{\"version\":1,\"hooks\":[],\"x\":\"\xff\"}".to_vec()),
        ("a BOM", [b"\xef\xbb\xbf", BY_HAND.as_bytes()].concat()),
        ("two documents", b"{\"version\":1,\"next_id\":1,\"hooks\":[]} {}".to_vec()),
        ("a string", b"\"hooks\"".to_vec()),
        ("null", b"null".to_vec()),
        ("an object without hooks", b"{\"version\":1}".to_vec()),
        ("hooks that are an object", b"{\"version\":1,\"next_id\":1,\"hooks\":{}}".to_vec()),
        ("a hook without an id", b"{\"version\":1,\"next_id\":1,\"hooks\":[{\"url\":\"http://h/\",\"event\":\"E\"}]}".to_vec()),
        ("a hook without a URL", b"{\"version\":1,\"next_id\":1,\"hooks\":[{\"id\":1,\"event\":\"E\"}]}".to_vec()),
        ("an array of numbers", b"[1, 2]".to_vec()),
        ("an id below zero", BY_HAND.replace("\"id\": 7", "\"id\": -7").into()),
        ("a newer version", BY_HAND.replace("\"version\": 1", "\"version\": 2").into()),
        ("a version in words", BY_HAND.replace("\"version\": 1", "\"version\": \"one\"").into()),
        ("two hooks with one id", BY_HAND.replace(r#""hooks": ["#, r#""hooks": [{"id": 7, "url": "http://127.0.0.1:9/b", "event": "E", "insecure_ssl": false},"#).into()),
    ]
}

/// Every verb that reads the registry, with arguments that are right.
const VERBS: [&[&str]; 11] = [
    &ADD,
    &["list"],
    &["list", "--json"],
    &["show", "7"],
    &["edit", "7", "--disable"],
    &["remove", "7"],
    &["remove", "--force", "7"],
    &["publish", "E", "{}"],
    &["test", "7"],
    &["redeliver", "7"],
    &["redeliver", "--failed"],
];

#[test]
fn a_file_that_is_no_registry_is_refused_by_every_verb_and_never_written() {
    for (what, bytes) in damaged() {
        let sandbox = Sandbox::new();
        sandbox.write("hooks.json", &bytes);
        for verb in VERBS {
            let refused = sandbox.hooks(verb).run();
            refused.assert_code(1).assert_stderr_has(&["error: ", "[DIR]/hooks.json"]);
            assert_eq!(refused.stdout, "", "{what}");
            assert_eq!(sandbox.registry_bytes(), bytes, "{what}: {verb:?}");
        }
        assert!(!sandbox.has("hooks.json.journal"), "{what}");
        assert!(!sandbox.has("hooks.json.tmp"), "{what}");
    }
}

#[test]
fn the_place_of_the_damage_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", "{\n  \"version\": 1,\n  \"hooks\": [,]\n}\n");
    let refused = sandbox.hooks(["list"]).run();
    refused.assert_code(1).assert_stderr_has(&[
        "error: ",
        "[DIR]/hooks.json",
        "line 3",
        "column 13",
    ]);
}

#[test]
fn a_newer_versions_file_is_refused_with_both_versions() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", BY_HAND.replace("\"version\": 1", "\"version\": 2"));
    sandbox.hooks(["list"]).run().assert_code(1).assert_stderr_has(&["version 2", "version 1"]);
}

#[test]
fn a_bad_url_in_the_file_is_a_failed_delivery_and_no_more() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let bad = r#"{"id": 8, "url": "no url", "event": "E", "insecure_ssl": false},"#;
    // Without the number that the tests' own JSON parser does not read.
    let text = BY_HAND.replace("1e400", "1");
    let text = text.replace(r#""hooks": ["#, &format!(r#""hooks": [{bad}"#));
    sandbox.write("hooks.json", text.replace("http://127.0.0.1:9/", &receiver.url("/")));
    let published = sandbox.hooks(["publish", "E", "{}", "--json"]).run();
    published.assert_code(3);
    receiver.wait_for(1);
    assert_eq!(sandbox.hook("7")["last_status"], "OK");
    assert_eq!(sandbox.hook("8")["last_status"], "Failure");
    let deliveries = published.json()["deliveries"].clone();
    assert_eq!(deliveries.as_array().unwrap().len(), 2);
}

#[test]
#[cfg(unix)]
fn symlinks_are_followed_and_stay_symlinks() {
    use std::os::unix::fs::symlink;
    for (target, exists) in
        [("real/hooks.json", true), ("real/hooks.json", false), ("[DIR]/real/hooks.json", true)]
    {
        let sandbox = Sandbox::new();
        let target = target.replace("[DIR]", &sandbox.path().to_string_lossy());
        fs::create_dir(sandbox.path().join("real")).unwrap();
        if exists {
            sandbox.write("real/hooks.json", BY_HAND.replace("1e400", "1"));
        }
        // A chain of two, the second one relative to another folder.
        symlink(&target, sandbox.path().join("middle.json")).unwrap();
        symlink("middle.json", sandbox.path().join("hooks.json")).unwrap();
        sandbox.hooks(ADD).run().assert_code(0);
        for link in ["hooks.json", "middle.json"] {
            assert!(sandbox.path().join(link).symlink_metadata().unwrap().is_symlink(), "{link}");
        }
        assert_eq!(sandbox.ids().len(), if exists { 2 } else { 1 });
        let real = sandbox.path().join("real/hooks.json");
        assert!(!real.symlink_metadata().unwrap().is_symlink());
    }
}

/// Reading, writing and publishing fail with an error that names the file.
#[track_caller]
fn assert_refused(sandbox: &Sandbox) {
    for verb in [&ADD[..], &["list"], &["publish", "E", "{}"]] {
        sandbox
            .hooks(verb)
            .run()
            .assert_code(1)
            .assert_stderr_has(&["error: ", "[DIR]/hooks.json"]);
    }
}

#[test]
#[cfg(unix)]
fn a_loop_of_symlinks_is_an_error() {
    use std::os::unix::fs::symlink;
    let sandbox = Sandbox::new();
    symlink("b", sandbox.path().join("hooks.json")).unwrap();
    symlink("hooks.json", sandbox.path().join("b")).unwrap();
    assert_refused(&sandbox);
}

#[test]
fn a_folder_in_place_of_the_file_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("hooks.json")).unwrap();
    assert_refused(&sandbox);
    assert!(sandbox.path().join("hooks.json").is_dir());
}

#[test]
fn a_temporary_file_that_a_crash_has_left_is_replaced() {
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/a", "PostDeployment");
    sandbox.write("hooks.json.tmp", "half a regis");
    sandbox.add("https://h.example/b", "PostDeployment");
    assert_eq!(sandbox.ids(), ["1", "2"]);
}

#[test]
#[cfg(unix)]
fn a_publish_without_room_for_its_files_delivers_and_warns() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.write("hooks.json", BY_HAND.replace("http://127.0.0.1:9/", &receiver.url("/")));
    let before = sandbox.registry_bytes();
    let full = r#"trap "" XFSZ; ulimit -f 0; exec "$@""#;
    let published = sandbox.hooks(["publish", "E", "{}"]).shell(full).run();
    published.assert_code(0).assert_stderr_has(&[
        "warning: could not write the journal [DIR]/hooks.json.journal",
        "warning: could not save the registry [DIR]/hooks.json",
    ]);
    receiver.request();
    assert_eq!(sandbox.registry_bytes(), before);
}
