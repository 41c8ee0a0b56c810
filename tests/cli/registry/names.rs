//! A hook's name: what it may be, and that it stands wherever an id may.

use serde_json::json;

use crate::support::{Receiver, Sandbox};

#[test]
fn a_name_stands_wherever_an_id_may() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add_with(&receiver.url("/"), "E", ["--name", "chat"]);
    sandbox.add(&receiver.url("/other"), "Other");
    sandbox.hooks(["publish", "E", "{}"]).run().assert_code(0);
    for arguments in [
        &["show", "chat", "--json"][..],
        &["edit", "CHAT", "--status", "failed", "--json"],
        &["test", "Chat", "--json"],
        &["log", "chat", "--json", "-n", "1"],
        &["redeliver", "chaT", "--json"],
    ] {
        let by_name = sandbox.hooks(arguments).run();
        by_name.assert_code(0).assert_stdout_has(&[&receiver.url("/")]);
        assert!(!by_name.stdout.contains("/other"), "{}", by_name.stdout);
    }
    sandbox.hooks(["remove", "chat", "1"]).run().assert_code(0);
    assert_eq!(sandbox.ids(), ["2"]);
    // The journal goes by ids, and a name that is gone may be another hook's soon.
    sandbox.hooks(["log", "1"]).run().assert_code(0);
    sandbox.hooks(["log", "chat"]).run().assert_code(5);
}

#[test]
fn the_name_stands_after_the_id_and_on_every_line_about_the_hook() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let added = sandbox
        .hooks([
            "add",
            "--url",
            &receiver.url("/"),
            "--event",
            "E",
            "--name",
            "Chat-2.x_y",
            "--json",
        ])
        .run();
    added.assert_code(0).assert_stdout_has(&["\"id\": 1,\n  \"name\": \"Chat-2.x_y\",\n  \"url\""]);
    let text = String::from_utf8(sandbox.registry_bytes()).unwrap();
    assert!(text.contains("\"id\": 1,\n      \"name\": \"Chat-2.x_y\",\n      \"url\""), "{text}");
    let shown = sandbox.hooks(["show", "1"]).run();
    shown
        .assert_code(0)
        .assert_stdout_has(&["id              1\nname            Chat-2.x_y\nurl "]);
    let line = format!("delivered  hook 1 (Chat-2.x_y)  {}  200 OK (", receiver.url("/"));
    let published = sandbox.hooks(["publish", "E", "{}"]).run();
    assert!(published.stdout.starts_with(&line), "{}", published.stdout);
    let passed = sandbox.hooks(["-v", "publish", "F", "{}"]).run();
    passed.assert_stderr_has(&["note: hook 1 (Chat-2.x_y) is passed over: it waits for E"]);
    let dry = sandbox.hooks(["publish", "E", "{}", "--dry-run"]).run();
    assert!(dry.stdout.starts_with("# hook 1 (Chat-2.x_y)\n"), "{}", dry.stdout);
}

#[test]
fn a_name_is_given_changed_and_cleared_by_edit() {
    let sandbox = Sandbox::new();
    sandbox.add("http://h/1", "E");
    let name = |name: &str| {
        let edited = sandbox.hooks(["edit", "1", "--name", name]).run();
        edited.assert_code(0);
    };
    name("chat");
    assert_eq!(sandbox.hook("1")["name"], "chat");
    name("Chat");
    assert_eq!(sandbox.hook("1")["name"], "Chat");
    name("");
    assert_eq!(sandbox.hook("1").get("name"), None);
    sandbox.hooks(["show", "chat"]).run().assert(
        5,
        "",
        "error: no hook has the name chat\nhint: see 'hooks list'; the registry is [DIR]/hooks.json\n",
    );
}

#[test]
fn two_hooks_never_have_one_name() {
    let sandbox = Sandbox::new();
    sandbox.add_with("http://h/1", "E", ["--name", "chat"]);
    sandbox.add("http://h/2", "E");
    let before = sandbox.registry_bytes();
    let taken = "error: could not use the name CHAT: hook 1 has it\nhint: see 'hooks show 1'\n";
    for arguments in [
        &["edit", "2", "--name", "CHAT"][..],
        &["add", "--url", "http://h/2", "--event", "E", "--name", "CHAT"],
        &["add", "--url", "http://h/3", "--event", "E", "--name", "CHAT"],
    ] {
        sandbox.hooks(arguments).run().assert(4, "", taken);
    }
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn adding_again_compares_the_name() {
    let sandbox = Sandbox::new();
    let add = ["add", "--url", "http://h/1", "--event", "E"];
    sandbox.hooks(add).args(["--name", "chat"]).run().assert_code(0);
    let known = "note: hook 1 (chat) is registered already\n";
    for name in [&[][..], &["--name", "chat"], &["--name", "CHAT"]] {
        let again = sandbox.hooks(add).args(name).run();
        again.assert(0, &again.stdout, known);
    }
    let conflict = sandbox.hooks(add).args(["--name", "other"]).run();
    conflict.assert_code(4).assert_stderr_has(&["hook 1 (chat)", "hooks edit 1 --name 'other'"]);
}

#[test]
fn what_is_no_name_is_a_wrong_argument() {
    let sandbox = Sandbox::new();
    sandbox.add("http://h/1", "E");
    let letters = "a name is 1 to 64 letters, digits or . _ -, the first a letter";
    let long = "x".repeat(65);
    for (name, why) in [
        ("1", letters),
        ("1a", letters),
        ("-x", letters),
        ("a b", letters),
        ("é", letters),
        ("a\n", letters),
        (&long, letters),
        ("msg_1", "a name that begins with msg_ would be a publication's id"),
        ("MSG_1", "a name that begins with msg_ would be a publication's id"),
    ] {
        let refused = sandbox.hooks(["edit", "1", &format!("--name={name}")]).run();
        let said =
            format!("error: wrong value for --name <NAME>: {why}\nhint: see 'hooks edit --help'\n");
        refused.assert(2, "", &said);
    }
    sandbox.hooks(["edit", "1", "--name", &"x".repeat(64)]).run().assert_code(0);
}

#[test]
fn a_file_with_one_name_twice_is_refused_and_left_as_it_is() {
    let sandbox = Sandbox::new();
    let file = concat!(
        r#"[{"id":1,"name":"chat","url":"http://h/1","event":"E"},"#,
        "\n",
        r#"{"id":2,"name":"CHAT","url":"http://h/2","event":"E"}]"#
    );
    sandbox.write("hooks.json", file);
    let listed = sandbox.hooks(["list"]).run();
    listed.assert_code(1).assert_stderr_has(&["line 2", "two hooks have the name of hook 2"]);
    sandbox.hooks(["edit", "1", "--name", "x"]).run().assert_code(1);
    assert_eq!(sandbox.registry_bytes(), file.as_bytes());
}

#[test]
fn a_name_that_a_hand_has_written_may_be_any_text() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let odd = "7 \u{1b}[2J\n\u{202e}é";
    let hooks = json!([
        {"id": 1, "name": odd, "url": receiver.url("/"), "event": "E"},
        {"id": 2, "name": "", "url": "http://h/2", "event": "F"},
        {"id": 3, "name": "", "url": "http://h/3", "event": "F"},
        {"id": 4, "name": null, "url": "http://h/4", "event": "F"},
        {"id": 5, "name": "6", "url": "http://h/5", "event": "F"},
    ]);
    sandbox.write("hooks.json", hooks.to_string());
    for arguments in [&["list"][..], &["show", "1"], &["publish", "E", "{}"], &["log"]] {
        let ran = sandbox.hooks(arguments).run();
        ran.assert_code(0).assert_hides("\u{1b}").assert_hides("\u{202e}");
    }
    // A number is an id.
    sandbox.hooks(["show", "6"]).run().assert_code(5);
    sandbox.hooks(["edit", "4", "--name", "x"]).run().assert_code(0);
    assert_eq!(sandbox.hook("1")["name"], odd);
}

#[test]
fn names_and_ids_that_nobody_has_are_told_together() {
    let sandbox = Sandbox::new();
    sandbox.add_with("http://h/1", "E", ["--name", "chat"]);
    for (hooks, named) in [
        (&["ci"][..], "name ci"),
        (&["chat", "ci", "x"], "name ci or x"),
        (&["7", "ci"], "id or name 7 or ci"),
    ] {
        let said = format!("error: no hook has the {named}\nhint: see 'hooks list'\n");
        sandbox.hooks(["remove"]).args(hooks).run().assert(5, "", &said);
    }
    let forced = sandbox.hooks(["remove", "--force", "ci", "Chat"]).run();
    forced.assert_code(0);
    assert_eq!(sandbox.ids(), [""; 0]);
}
