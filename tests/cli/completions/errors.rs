//! A registry that is damaged, locked or hostile gives no completions, and never an error in the shell.

use std::fs;

use serde_json::json;

use super::two_hooks;
use crate::support::{Sandbox, Shell, Terminal};

/// Puts something in the registry's place that is not a registry.
type Breaks = fn(&Sandbox);

/// What makes a registry unreadable.
const BROKEN: [(&str, Breaks); 5] = [
    ("missing", |_| ()),
    ("corrupt", |sandbox| {
        sandbox.write("hooks.json", r#"{"version": 1, "hooks": [{"id": 1, "url": "#);
    }),
    ("binary", |sandbox| {
        sandbox.write("hooks.json", b"\xff\xfe\x00\x1b[2J\x07".repeat(1000));
    }),
    ("from the future", |sandbox| {
        sandbox.write("hooks.json", r#"{"version": 99, "hooks": []}"#);
    }),
    ("a folder", |sandbox| {
        fs::create_dir(sandbox.path().join("hooks.json")).expect("a folder can be made");
    }),
];

#[test]
fn a_registry_that_cannot_be_read_is_ignored_without_an_error() {
    let empty = Sandbox::new();
    empty.write("hooks.json", r#"{"version": 1, "next_id": 1, "hooks": []}"#);
    for shell in Shell::installed() {
        let lines = ["hooks show ", "hooks publish "];
        let of_none = |sandbox: &Sandbox| {
            let mut terminal = Terminal::start(shell, sandbox);
            let offers = lines.map(|line| terminal.candidates(line));
            (offers, terminal.screen())
        };
        let (wanted, quiet) = of_none(&empty);
        assert!(!wanted[0].is_empty() && wanted[1][0].value == "PostDeployment", "{wanted:?}");
        for (how, breaks) in BROKEN {
            let sandbox = Sandbox::new();
            breaks(&sandbox);
            let names = sandbox.names();
            let (offers, screen) = of_none(&sandbox);
            assert_eq!(offers, wanted, "{shell:?}: {how}");
            // What fish draws depends on timing.
            if shell != Shell::Fish {
                assert_eq!(screen, quiet, "{shell:?}: {how}");
            }
            assert!(names.iter().all(|name| sandbox.has(name)));
            assert!(!sandbox.has("hooks.json.lock"), "{shell:?}: {how}: asking writes nothing");
        }
    }
}

#[test]
fn completing_prints_no_error_and_writes_nothing() {
    for (how, breaks) in BROKEN {
        let sandbox = Sandbox::new();
        breaks(&sandbox);
        let names = sandbox.names();
        let asked = sandbox.hooks(["--", "hooks", "show", ""]).env("HOOKS_COMPLETE", "fish").run();
        asked.assert_code(0);
        assert_eq!(asked.stderr, "", "{how}");
        assert!(asked.stdout.starts_with("--json\t"), "{how}: {}", asked.stdout);
        assert_eq!(sandbox.names(), names, "{how}");
    }
}

#[test]
fn a_locked_registry_answers_at_once() {
    let sandbox = two_hooks();
    let held = sandbox.lock();
    for shell in Shell::installed() {
        let ids = Terminal::start(shell, &sandbox).values("hooks show ");
        assert_eq!(ids[..2], ["1", "2"], "{shell:?}");
    }
    drop(held);
}

#[test]
fn text_in_a_hand_edited_registry_is_neither_run_nor_acted_on_by_the_terminal() {
    let sandbox = Sandbox::new();
    let hook = |id: u64, url: &str, event: &str| json!({"id": id, "url": url, "event": event});
    let hooks = [
        hook(1, "http://h/\u{1b}]0;owned\u{7}$(touch owned)`touch owned`", "$(touch owned)"),
        hook(2, "http://h/\n3\tforged", "E\u{1b}[2J"),
        hook(4, "", "-rf; touch owned"),
    ];
    sandbox.write("hooks.json", json!({"version": 1, "next_id": 9, "hooks": hooks}).to_string());
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        let ids = terminal.values("hooks show ");
        assert_eq!(ids[..3], ["1", "2", "4"], "{shell:?}");
        let events = terminal.values("hooks publish ");
        assert_eq!(events[..2], ["PostDeployment", "TriggeredJobFinished"], "{shell:?}");
        let screen = terminal.screen();
        assert!(!screen.contains("\u{1b}]0;owned"), "{shell:?}: {screen:?}");
        assert!(!sandbox.path().join("current/owned").exists(), "{shell:?}");
    }
}
