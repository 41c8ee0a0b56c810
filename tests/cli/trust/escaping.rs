//! Hostile text reaches a terminal escaped: what a receiver replies, and what stands in a registry that somebody
//! else has edited.
//!
//! Each call is made with `--color always`, too: off a terminal the library for colours drops escape sequences,
//! which would hide that they were let through.

use serde_json::json;

use crate::support::{Output, Receiver, Reply, Sandbox, Secrets, needs, refused_url};

/// ESC with an OSC and a CSI, U+009B (the one-character CSI), DEL, a bidi override, line ends with something that
/// looks like ours, and U+2028.
const HOSTILE: &str = "a\u{1b}]0;owned\u{7}b\u{1b}[2Jc\u{9b}31md\u{7f}e\u{202e}f\r\nerror: forged\rg\u{2028}error: forged\u{2066}h";

/// Whether a terminal or a log viewer would act on this character.
fn obeyed(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// The text without the colours that the tool itself gives: `ESC [ digits m`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match digits.strip_prefix('m') {
            Some(rest) => plain += rest,
            None => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}

/// Neither stream holds a control sequence, or a line that the tool did not write.
#[track_caller]
fn assert_harmless(finished: &Output) {
    for text in [&finished.stdout, &finished.stderr] {
        let text = without_colours(text);
        let hostile: String = text.chars().filter(|&c| obeyed(c)).collect();
        assert_eq!(hostile, "", "$ {}\n{text:?}", finished.command);
        let forged = text.lines().find(|line| line.contains("error: forged"));
        let starts = forged.is_some_and(|line| line.trim_start().starts_with("error: forged"));
        assert!(!starts, "$ {}\n{text}", finished.command);
    }
}

/// Runs it with and without colours.
#[track_caller]
fn harmless(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let coloured = sandbox.hooks(["--color", "always"]).args(arguments).run();
    assert_harmless(&coloured);
    let plain = sandbox.hooks(arguments).run();
    assert_harmless(&plain);
    plain
}

#[test]
fn a_hostile_reply_is_escaped_by_every_verb_that_shows_it() {
    for status in [404, 410, 500] {
        let sandbox = Sandbox::new();
        let raw = [HOSTILE.as_bytes(), b"\x9b31m\xff"].concat();
        let receiver = Receiver::answering([Reply::status(status).body(raw)]);
        let id = sandbox.add(&receiver.url("/"), "PostDeployment");
        let publish = ["publish", "PostDeployment", "{}", "-v", "--retries", "0"];
        let published = sandbox.hooks(["--color", "always"]).args(publish).run();
        published.assert_code(3);
        assert_harmless(&published);
        for part in ["\\u{1b}]0;owned\\u{7}b", "\\u{9b}31m", "\\u{202e}f\\r\\n"] {
            assert!(published.stdout.contains(part), "{}", published.stdout);
        }
        for arguments in [
            &["list"][..],
            &["list", "-v", "--reveal"],
            &["show", &id],
            &["log"],
            &["log", "--failed", "-v"],
            &["test", &id, "--retries", "0"],
            &["redeliver", &id, "--retries", "0"],
            &["edit", &id, "--enable"],
            &publish,
        ] {
            let shown = harmless(&sandbox, arguments);
            let shown = format!("{}{}", shown.stdout, shown.stderr);
            // After a 410 the hook is disabled, and the verbs that deliver say so instead.
            assert!(shown.contains("\\u{1b}]0;owned") || status == 410, "{arguments:?}: {shown}");
        }
        let run = ["run", "PostDeployment", "--retries", "0", "--", "true"];
        harmless(&sandbox, &run);
    }
}

#[test]
fn hostile_headers_of_a_reply_are_escaped() {
    let sandbox = Sandbox::new();
    // A header may hold what is not ASCII, but no ESC.
    let reply =
        "HTTP/1.1 302 x\u{9b}2J\r\nlocation: /a\u{9b}31m\u{202e}b\tc\r\ncontent-length: 0\r\n\r\n";
    let receiver = Receiver::answering([Reply::raw(reply)]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = ["publish", "PostDeployment", "{}", "-v", "--retries", "0"];
    for arguments in [&publish[..], &["list"], &["log"], &["show", "1"]] {
        let shown = harmless(&sandbox, arguments);
        let location = "/a\\u{9b}31m\\u{202e}b\\tc";
        assert!(shown.stdout.contains(location), "{}", shown.stdout);
    }
}

#[test]
fn the_note_about_a_retry_is_escaped() {
    let sandbox = Sandbox::new();
    let bad = Reply::status(503).body(HOSTILE).header("retry-after", "0");
    let receiver = Receiver::answering([bad.clone(), Reply::status(200), bad, Reply::status(200)]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = ["publish", "PostDeployment", "{}", "-v", "--retries", "1"];
    harmless(&sandbox, &publish).assert_stderr_has(&["attempt 1 failed", "\\u{1b}]0;owned"]);
    receiver.wait_for(4);
}

#[test]
fn a_hostile_reply_is_one_row_of_a_table_on_a_terminal() {
    if !needs("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(404).body(HOSTILE)]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.publish().assert_code(3);
    for verb in ["list", "log"] {
        let script = format!(r#"script -qec "stty cols 160; '$1' {verb}" /dev/null"#);
        let shown = sandbox.hooks::<&str>([]).shell(&script);
        let shown = shown.env("TERM", "xterm-256color").run();
        shown.assert_code(0);
        let text = without_colours(&shown.stdout.replace("\r\n", "\n"));
        assert_eq!(text.chars().filter(|&c| obeyed(c)).count(), 0, "{text:?}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}

/// A registry in which every text is hostile.
fn hostile_registry(sandbox: &Sandbox) {
    let hostile = |id: u64, url: &str| {
        json!({
            "id": id, "url": url, "event": format!("E{HOSTILE}"), "status": [format!("s{HOSTILE}")],
            "headers": { format!("N{HOSTILE}"): HOSTILE }, "last_datetime": HOSTILE,
            "last_status": HOSTILE, "last_code": 404, "last_reason": HOSTILE, "last_context": HOSTILE,
        })
    };
    let mut hooks = vec![hostile(1, refused_url())];
    let more = [
        json!({ "format": format!("f{HOSTILE}") }),
        json!({ "template": format!("{{% raise %}}{HOSTILE}") }),
        json!({ "template": format!("{HOSTILE:?}") }),
        json!({ "enabled": false, "disabled_reason": HOSTILE }),
        json!({ "headers": { format!("N{HOSTILE}"): "v" } }),
        json!({ "headers": { "N": HOSTILE } }),
        json!({ "url": format!("http://h.example/{HOSTILE}") }),
        json!({ "url": HOSTILE }),
        json!({ "ca_file": HOSTILE, "url": "https://127.0.0.1:9/" }),
    ];
    for (id, more) in (2..).zip(more) {
        let mut hook = json!({ "id": id, "url": refused_url(), "event": "*" });
        let members = more.as_object().expect("it is an object").clone();
        hook.as_object_mut().expect("it is an object").extend(members);
        hooks.push(hook);
    }
    sandbox.write_hooks(&hooks);
    #[cfg(unix)]
    sandbox.set_mode("hooks.json", 0o600);
}

#[test]
fn hostile_text_in_a_registry_edited_by_hand_is_escaped_by_every_verb() {
    let sandbox = Sandbox::new();
    hostile_registry(&sandbox);
    let ids: Vec<String> = (1..=10).map(|id| id.to_string()).collect();
    for id in &ids {
        harmless(&sandbox, &["show", id]).assert_code(0);
        harmless(&sandbox, &["test", id, "--retries", "0"]).assert_code(3);
        harmless(&sandbox, &["show", id, "--reveal"]);
        harmless(&sandbox, &["edit", id, "--status", "failed"]);
    }
    hostile_registry(&sandbox);
    for arguments in [
        &["list"][..],
        &["list", "--reveal", "-v"],
        &["list", "--event", "Other"],
        &["publish", "E", "{\"status\":\"failed\"}", "--dry-run"],
        &["publish", "E", "{}", "--dry-run", "--reveal", "-v"],
        &["publish", "E", "{}", "-v", "--retries", "0"],
        &["run", "E", "-v", "--retries", "0", "--", "true"],
        &["log"],
        &["log", "-n", "100", "--failed", "--reveal"],
        &["redeliver", "1", "2", "3", "-v", "--retries", "0"],
        &["redeliver", "--failed", "--now", "-v", "--retries", "0"],
        &["add", "--url", refused_url(), "--event", "Other", "--format", "slack"],
    ] {
        harmless(&sandbox, arguments);
    }
}

#[test]
fn hostile_text_on_the_command_line_and_in_the_environment_is_escaped() {
    let sandbox = Sandbox::new();
    let place = format!("no{HOSTILE}where/hooks.json");
    let file = sandbox.path().join(&place);
    for arguments in [&["list"][..], &["publish", "E", "{}"], &["log"]] {
        assert_harmless(&sandbox.hooks(arguments).env("HOOKS_FILE", &file).run());
    }
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "{broken").unwrap();
    let refused = sandbox.hooks(["list"]).env("HOOKS_FILE", &file).run();
    refused.assert_code(1).assert_stderr_has(&["line 1"]);
    assert_harmless(&refused);
    std::fs::write(&file, "[{\"id\":1,\"url\":\"http://u:p@h/\",\"event\":\"E\"}]").unwrap();
    let readable = sandbox.hooks(["list"]).env("HOOKS_FILE", &file).run();
    readable.assert_code(0);
    assert_harmless(&readable);
    for arguments in [
        &["publish", "E", &format!("@{HOSTILE}")][..],
        &["publish", "E", "{}", "--git", HOSTILE],
        &["publish", HOSTILE, "{}"],
        &["run", "E", "--", HOSTILE],
        &["redeliver", &format!("msg_{HOSTILE}")],
        &["list", HOSTILE],
    ] {
        harmless(&sandbox, arguments);
    }
    for (option, value) in [
        ("--secret-file", HOSTILE),
        ("--ca-file", HOSTILE),
        ("--template", HOSTILE),
        ("--status", HOSTILE),
        ("--status", "f\u{202e}"),
    ] {
        let add = ["add", "--url", "http://h/", "--event", "E", option, value];
        harmless(&sandbox, &add);
    }
}

#[test]
fn json_escapes_control_characters_and_loses_nothing() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(404).body(HOSTILE)]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = ["publish", "PostDeployment", "{}", "--json"];
    let published = sandbox.hooks(publish).run();
    published.assert_code(3);
    for arguments in [&["list", "--json"][..], &["show", "1", "--json"], &["log", "--json"]] {
        let shown = harmless(&sandbox, arguments);
        assert!(shown.stdout.contains("\\u202e"), "{}", shown.stdout);
    }
    assert_harmless(&published);
    assert_eq!(published.json()["deliveries"][0]["reason"], HOSTILE);
    let log = sandbox.hooks(["log", "--json"]).run();
    assert_eq!(log.json_lines()[0]["reason"], HOSTILE);
}

#[test]
fn a_secret_with_escape_sequences_in_it_is_masked() {
    // A receiver that colours its response, with the secrets in it.
    let sandbox = Sandbox::new();
    let secrets = Secrets::new("colour");
    let body = "\u{1b}[1mPw-colour/canary\u{1b}[0m and Header-colour-canary\r\n";
    let receiver = Receiver::answering([Reply::status(404).body(body)]);
    let url = secrets.url("http", receiver.port());
    secrets.add(&sandbox, &url, "PostDeployment");
    let published = sandbox.publish();
    published.assert_code(3);
    secrets.assert_absent(&published);
    assert_harmless(&published);
}
