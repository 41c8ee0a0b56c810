//! `hooks list`.

use serde_json::json;

use crate::support::{DEPLOYMENT, Receiver, Reply, Sandbox, hook_json, needs, refused_url};

#[test]
fn an_empty_registry_is_an_empty_array_and_a_note() {
    let sandbox = Sandbox::new();
    sandbox.hooks(["list", "--json"]).run().assert(0, "[]\n", "");
    let nothing = "note: no hook is registered in [DIR]/hooks.json, which does not exist yet; \
                   see 'hooks add --help'\n";
    sandbox.hooks(["list"]).run().assert(0, "", nothing);
    assert_eq!(sandbox.names(), Vec::<String>::new(), "reading makes no file");
}

#[test]
fn the_array_holds_every_hook_in_the_order_of_their_ids() {
    let sandbox = Sandbox::new();
    sandbox.add("https://user:pw@h.example/b?k=v", "PostDeployment");
    sandbox.add_with("https://h.example/a", "*", ["--insecure-ssl"]);
    let listed = sandbox.hooks(["list", "--json"]).run();
    listed.assert_code(0);
    assert_eq!(
        listed.json(),
        json!([
            {"id": 1, "url": "https://user:pw@h.example/b?k=v", "event": "PostDeployment", "insecure_ssl": false},
            {"id": 2, "url": "https://h.example/a", "event": "*", "insecure_ssl": true},
        ])
    );
}

#[test]
fn a_table_shows_each_hook_and_how_its_last_delivery_went() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    let bad = Receiver::answering([Reply::status(404).body("no such\nchannel")]);
    sandbox.add(&good.url("/good"), "PostDeployment");
    sandbox.add_with(&bad.url("/bad"), "PostDeployment", ["--status", "success"]);
    sandbox.add(&bad.url("/never"), "Other");
    sandbox.add(refused_url(), "*");
    let publish = ["publish", "PostDeployment", DEPLOYMENT, "--retries", "0"];
    sandbox.hooks(publish).run().assert_code(3);
    sandbox.hooks(["edit", "4", "--disable"]).run().assert_code(0);
    // A free port has five digits, so the columns are as wide as here.
    let table = "\
ID  EVENT                     URL                           LAST DELIVERY           RESULT
1   PostDeployment            http://127.0.0.1:[PORT]/good   [TIME]  200 OK
2   PostDeployment (success)  http://127.0.0.1:[PORT]/bad    [TIME]  404 Not Found: no such\\nchannel
3   Other                     http://127.0.0.1:[PORT]/never  never
4   *                         http://127.0.0.1:9/refused    [TIME]  disabled
";
    sandbox.hooks(["list"]).run().assert(0, table, "");
}

#[test]
fn the_table_fits_the_terminal_and_shows_every_host() {
    if !needs("script") || !needs("stty") {
        return;
    }
    let sandbox = Sandbox::new();
    for count in [1, 5, 300] {
        // URLs of 20 to 300 characters, with a host of 11 to 30.
        let host = |number: usize| format!("{}{number}.example.org", "h".repeat(number % 18));
        let hook = |number: usize| {
            let mut url = format!("https://{}/", host(number));
            while url.len() < 20 + number * 71 % 281 {
                url.push_str(if url.len().is_multiple_of(7) { "/" } else { "p" });
            }
            hook_json(number as u64, url, "PostDeployment")
        };
        let hooks: Vec<_> = (1..=count).map(hook).collect();
        sandbox.write_hooks(&hooks);
        for columns in [60, 80, 100, 200] {
            // `script` gives it a terminal, whose width `stty` sets.
            let script =
                format!(r#"script -qec "stty cols {columns} rows 24; '$1' list" /dev/null"#);
            let listed = sandbox.hooks(["list"]).shell(&script).run();
            listed.assert_code(0);
            let shown = &listed.stdout;
            for line in shown.lines() {
                let width = without_escapes(line).trim_end().chars().count();
                assert!(width <= columns, "{width} columns in {columns}:\n{shown}");
            }
            for number in 1..=count {
                let host = format!("https://{}", host(number));
                assert!(shown.contains(&host), "no {host} in {columns} columns:\n{shown}");
            }
        }
    }
}

/// A terminal's text without its colours.
fn without_escapes(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/", "PostDeployment");
    sandbox.hooks(["edit", "1", "--disable"]).run().assert_code(0);
    let coloured = |arguments: &[&str]| {
        let listed = sandbox.hooks(["list"]).args(arguments).run();
        listed.assert_code(0);
        listed.stdout.contains('\u{1b}')
    };
    assert!(!coloured(&[]));
    assert!(!coloured(&["--color", "auto"]));
    assert!(!coloured(&["--color", "never"]));
    assert!(coloured(&["--color", "always"]));
}

#[test]
fn no_color_is_honoured_on_a_terminal() {
    if !needs("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/", "PostDeployment");
    let on_a_terminal = r#"script -qec "'$1' list" /dev/null"#;
    let listed = || sandbox.hooks(["list"]).shell(on_a_terminal).env("TERM", "xterm-256color");
    assert!(listed().run().stdout.contains('\u{1b}'), "a terminal gets colour");
    assert!(!listed().env("NO_COLOR", "1").run().stdout.contains('\u{1b}'));
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let sandbox = Sandbox::new();
    for number in 0..20 {
        sandbox.add(&format!("https://h.example/{number}"), "PostDeployment");
    }
    for arguments in [&["list"][..], &["list", "--json"], &["show", "1"]] {
        // `true` has ended before the first byte is written.
        let piped = sandbox
            .hooks(arguments)
            .shell(r#"{ sleep 0.2; "$@"; echo "code $?" >&2; } | true"#)
            .run();
        piped.assert(0, "", "code 0\n");
    }
}

#[test]
fn a_full_disk_under_standard_output_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/", "PostDeployment");
    for arguments in [&["list"][..], &["list", "--json"], &["show", "1"]] {
        let full = sandbox.hooks(arguments).shell(r#""$@" > /dev/full"#).run();
        full.assert_code(1).assert_stderr_has(&["error: "]);
    }
}

#[test]
fn control_characters_are_shown_escaped() {
    let sandbox = Sandbox::new();
    // As a person or a receiver's response can put it into the file.
    sandbox.write(
        "hooks.json",
        "{\"version\":1,\"next_id\":2,\"hooks\":[{\"id\":1,\"url\":\"http://h/\\u001b]0;x\\u0007\",\
         \"event\":\"E\\u009b2J\",\"insecure_ssl\":false,\"last_datetime\":\"2026-01-02T03:04:05Z\",\
         \"last_status\":\"Failure\",\"last_reason\":\"\\u001b[2J\\u202eevil\\u007f\"}]}",
    );
    for arguments in [&["list"][..], &["show", "1"]] {
        let shown = sandbox.hooks(arguments).run();
        shown.assert_code(0);
        for control in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{7f}'] {
            assert!(!shown.stdout.contains(control), "{control:?} in {:?}", shown.stdout);
        }
        assert!(shown.stdout.contains("evil"));
    }
}

#[test]
fn an_event_selects_the_hooks_that_it_would_reach_whatever_its_case() {
    let sandbox = Sandbox::new();
    for (path, event) in [("a", "PostDeployment"), ("b", "*"), ("c", "Backup")] {
        sandbox.add(&format!("https://h.example/{path}"), event);
    }
    for (event, expected) in [("postDEPLOYMENT", &[1, 2][..]), ("Backup", &[2, 3]), ("Other", &[2])]
    {
        let listed = sandbox.hooks(["list", "--json", "--event", event]).run();
        listed.assert_code(0);
        let listed = listed.json();
        let hooks = listed.as_array().unwrap().iter();
        let ids: Vec<_> = hooks.map(|hook| hook["id"].clone()).collect();
        assert_eq!(ids, expected, "{event}");
    }
    let refused = sandbox.hooks(["list", "--event", "no event"]).run();
    refused.assert_code(2);
}

#[test]
fn ls_is_the_same_verb() {
    let sandbox = Sandbox::new();
    sandbox.add("http://h/", "E");
    let listed = sandbox.hooks(["list", "--json"]).run();
    sandbox.hooks(["ls", "--json"]).run().assert(0, &listed.stdout, "");
}
