//! Completions in real shells: what a TAB gives, with the files of completions/ where a package puts them.

use std::fs;

use serde_json::json;

use crate::help::VERBS;
use crate::support::{Offer, Sandbox, Shell, Terminal};

/// A sandbox with two hooks, whose URLs hold secrets.
fn registered() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add("https://user:s3cret@ci.example.com/hook", "PostDeployment");
    let token = "https://chat.example.com/hooks/tok3nabcdef0123456789?key=s3cret";
    sandbox.add(token, "repo/main:deployed");
    sandbox
}

/// A registry of one hook, another than those of [`registered`].
fn other_registry() -> String {
    let hook =
        json!({"id": 77, "url": "http://other.example/", "event": "Other", "insecure_ssl": false});
    json!({"version": 1, "next_id": 78, "hooks": [hook]}).to_string()
}

/// Puts files on the desk, where the shells are.
fn on_desk(sandbox: &Sandbox, names: &[&str]) {
    for name in names {
        let path = sandbox.path().join("desk").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}").unwrap();
    }
}

/// Checks in each shell what becomes of each line after one TAB.
#[track_caller]
fn assert_completed(sandbox: &Sandbox, lines: &[(&str, &str)]) {
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, sandbox);
        for (typed, completed) in lines {
            let line = terminal.completed(typed);
            assert_eq!(line, *completed, "{shell:?}: {typed}<TAB>");
        }
    }
}

#[test]
fn the_first_tab_in_a_new_shell_completes() {
    let sandbox = Sandbox::new();
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        assert_eq!(
            terminal.completed("hooks pub"),
            "hooks publish ",
            "{shell:?}"
        );
    }
}

#[test]
fn the_verbs_are_offered_in_the_order_of_the_help_and_described() {
    let sandbox = Sandbox::new();
    for shell in Shell::installed() {
        let offers = Terminal::start(shell, &sandbox).offers("hooks ");
        let verbs: Vec<&str> = offers.iter().map(|offer| offer.value.as_str()).collect();
        assert_eq!(verbs.get(..VERBS.len()), Some(&VERBS[..]), "{shell:?}");
        if shell != Shell::Bash {
            assert_eq!(
                offers[0].description.as_deref(),
                Some("Registers a hook and prints it"),
                "{shell:?}"
            );
        }
    }
}

#[test]
fn flags_and_their_values_are_completed() {
    assert_completed(
        &Sandbox::new(),
        &[
            (
                "hooks publish PostDeployment --dry",
                "hooks publish PostDeployment --dry-run ",
            ),
            ("hooks add --forma", "hooks add --format "),
            ("hooks add --format sl", "hooks add --format slack "),
            ("hooks add --format=sl", "hooks add --format=slack "),
            ("hooks --color=al", "hooks --color=always "),
            (
                "hooks publish E --status suc",
                "hooks publish E --status success ",
            ),
            (
                "true; A=b:c hooks redeliver --fai",
                "true; A=b:c hooks redeliver --failed ",
            ),
        ],
    );
}

#[test]
fn the_ids_are_offered_with_their_urls_and_without_their_secrets() {
    let sandbox = registered();
    let described = |value: &str, description: &str| Offer {
        value: value.to_owned(),
        description: Some(description.to_owned()),
    };
    let ids = [
        described("1", "https://user:***@ci.example.com/hook"),
        described("2", "https://chat.example.com/hooks/***?key=***"),
    ];
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        for verb in [
            "show",
            "edit",
            "remove",
            "remove 1",
            "rm",
            "test",
            "log",
            "redeliver",
        ] {
            let mut offers = terminal.offers(&format!("hooks {verb} "));
            offers.truncate(ids.len());
            if shell == Shell::Bash {
                let values: Vec<String> = offers.into_iter().map(|offer| offer.value).collect();
                assert_eq!(values, ["1", "2"], "{verb}");
            } else {
                assert_eq!(offers, ids, "{shell:?}: {verb}");
            }
        }
        let screen = terminal.screen();
        assert!(
            !screen.contains("s3cret") && !screen.contains("tok3n"),
            "{shell:?}: {screen}"
        );
    }
}

#[test]
fn the_events_are_those_of_the_registry_and_kudus_own() {
    let sandbox = registered();
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        for line in [
            "publish ",
            "run ",
            "list --event ",
            "add --url http://h/ --event ",
            "edit 1 --event ",
        ] {
            let mut events = terminal.values(&format!("hooks {line}"));
            events.truncate(3);
            let wanted = [
                "PostDeployment",
                "repo/main:deployed",
                "TriggeredJobFinished",
            ];
            assert_eq!(events, wanted, "{shell:?}: {line}");
        }
    }
}

#[test]
fn an_event_with_colons_and_slashes_is_completed_from_any_place_in_it() {
    assert_completed(
        &registered(),
        &[
            ("hooks publish re", "hooks publish repo/main:deployed "),
            ("hooks publish repo/", "hooks publish repo/main:deployed "),
            (
                "hooks publish repo/main:",
                "hooks publish repo/main:deployed ",
            ),
            (
                "hooks publish repo/main:de",
                "hooks publish repo/main:deployed ",
            ),
            (
                "hooks list --event=repo/main:de",
                "hooks list --event=repo/main:deployed ",
            ),
        ],
    );
}

#[test]
fn files_are_completed_where_a_file_is_wanted() {
    let sandbox = Sandbox::new();
    on_desk(&sandbox, &["deploy.json", "sub/only.json", "deploy.sh"]);
    assert_completed(
        &sandbox,
        &[
            (
                "hooks list --file deploy.j",
                "hooks list --file deploy.json ",
            ),
            (
                "hooks list --file=deploy.j",
                "hooks list --file=deploy.json ",
            ),
            ("hooks list --file sub/", "hooks list --file sub/only.json "),
            (
                "hooks add --secret-file deploy.j",
                "hooks add --secret-file deploy.json ",
            ),
            (
                "hooks add --ca-file sub/o",
                "hooks add --ca-file sub/only.json ",
            ),
            (
                "hooks add --template deploy.j",
                "hooks add --template deploy.json ",
            ),
            ("hooks publish E @deploy.j", "hooks publish E @deploy.json "),
            ("hooks publish E @sub/", "hooks publish E @sub/only.json "),
            ("hooks run E -- ./deploy.s", "hooks run E -- ./deploy.sh "),
            (
                "hooks run E -- sh -x deploy.s",
                "hooks run E -- sh -x deploy.sh ",
            ),
        ],
    );
}

#[test]
fn a_folder_is_completed_to_go_on_in_it() {
    let sandbox = Sandbox::new();
    on_desk(&sandbox, &["sub/one.json", "sub/two.json"]);
    assert_completed(
        &sandbox,
        &[
            ("hooks list --file su", "hooks list --file sub/"),
            ("hooks publish E @su", "hooks publish E @sub/"),
        ],
    );
}

#[test]
fn a_file_with_blanks_and_signs_in_its_name_is_one_word() {
    let sandbox = Sandbox::new();
    on_desk(&sandbox, &["my hooks.json", "a;$(touch b)"]);
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        let line = terminal.completed("hooks list --file my");
        assert_eq!(line, r"hooks list --file my\ hooks.json ", "{shell:?}");
        let line = terminal.completed("hooks list --file 'my");
        assert_eq!(line, "hooks list --file 'my hooks.json' ", "{shell:?}");
        // Run by the shell itself, what it inserted names the file and does nothing else.
        let line = terminal.completed("echo a; hooks list --file a");
        let word = line.strip_prefix("echo a; hooks list --file ").unwrap();
        terminal.line_after(&format!("cat {word} >read\n"));
        let desk = sandbox.path().join("desk");
        assert_eq!(
            fs::read_to_string(desk.join("read")).unwrap(),
            "{}",
            "{shell:?}: {word}"
        );
        assert!(!desk.join("b").exists(), "{shell:?}: {word}");
        fs::remove_file(desk.join("read")).unwrap();
    }
}

#[test]
fn a_registry_named_on_the_line_is_the_one_that_is_asked() {
    let sandbox = registered();
    sandbox.write("other.json", other_registry());
    sandbox.write("my other.json", other_registry());
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        for line in [
            "hooks --file ../other.json show ",
            "hooks --file=../other.json show ",
            "hooks show --file ../other.json ",
            "hooks --file '../my other.json' show ",
            r"hooks --file ../my\ other.json show ",
            "hooks --file \"../my other.json\" show ",
            "hooks --file ~/other.json show ",
        ] {
            assert_eq!(terminal.values(line)[0], "77", "{shell:?}: {line}");
        }
        let events = terminal.values("hooks --file ../other.json publish ");
        assert_eq!(events[0], "Other", "{shell:?}");
    }
}

/// What makes a registry unreadable, put at its place.
const BROKEN: [(&str, fn(&Sandbox)); 5] = [
    ("missing", |_| ()),
    ("corrupt", |sandbox| {
        sandbox.write(
            "hooks.json",
            r#"{"version": 1, "hooks": [{"id": 1, "url": "#,
        );
    }),
    ("binary", |sandbox| {
        sandbox.write("hooks.json", b"\xff\xfe\x00\x1b[2J\x07".repeat(1000));
    }),
    ("from the future", |sandbox| {
        sandbox.write("hooks.json", r#"{"version": 99, "hooks": []}"#);
    }),
    ("a folder", |sandbox| {
        fs::create_dir(sandbox.path().join("hooks.json")).unwrap();
    }),
];

#[test]
fn a_registry_that_cannot_be_read_is_passed_over_in_silence() {
    let empty = Sandbox::new();
    empty.write("hooks.json", r#"{"version": 1, "next_id": 1, "hooks": []}"#);
    for shell in Shell::installed() {
        let lines = ["hooks show ", "hooks publish "];
        let of_none = |sandbox: &Sandbox| {
            let mut terminal = Terminal::start(shell, sandbox);
            let offers = lines.map(|line| terminal.offers(line));
            (offers, terminal.screen())
        };
        let (wanted, quiet) = of_none(&empty);
        assert!(
            !wanted[0].is_empty() && wanted[1][0].value == "PostDeployment",
            "{wanted:?}"
        );
        for (how, breaks) in BROKEN {
            let sandbox = Sandbox::new();
            breaks(&sandbox);
            let names = sandbox.names();
            let (offers, screen) = of_none(&sandbox);
            assert_eq!(offers, wanted, "{shell:?}: {how}");
            // fish draws as time allows.
            if shell != Shell::Fish {
                assert_eq!(screen, quiet, "{shell:?}: {how}");
            }
            assert!(names.iter().all(|name| sandbox.has(name)));
            assert!(
                !sandbox.has("hooks.json.lock"),
                "{shell:?}: {how}: asking writes nothing"
            );
        }
    }
}

#[test]
fn the_answer_itself_is_silent_and_writes_nothing() {
    for (how, breaks) in BROKEN {
        let sandbox = Sandbox::new();
        breaks(&sandbox);
        let names = sandbox.names();
        let asked = sandbox
            .hooks(["--", "hooks", "show", ""])
            .env("HOOKS_COMPLETE", "fish")
            .run();
        asked.assert_code(0);
        assert_eq!(asked.stderr, "", "{how}");
        assert!(
            asked.stdout.starts_with("--json\t"),
            "{how}: {}",
            asked.stdout
        );
        assert_eq!(sandbox.names(), names, "{how}");
    }
}

#[test]
fn a_locked_registry_answers_at_once() {
    let sandbox = registered();
    let lock = fs::File::options()
        .append(true)
        .open(sandbox.path().join("hooks.json.lock"));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    for shell in Shell::installed() {
        let ids = Terminal::start(shell, &sandbox).values("hooks show ");
        assert_eq!(ids[..2], ["1", "2"], "{shell:?}");
    }
    drop(lock);
}

#[test]
fn what_a_hand_edited_registry_holds_is_neither_run_nor_obeyed() {
    let sandbox = Sandbox::new();
    let hook = |id: u64, url: &str, event: &str| json!({"id": id, "url": url, "event": event});
    let hooks = [
        hook(
            1,
            "http://h/\u{1b}]0;owned\u{7}$(touch owned)`touch owned`",
            "$(touch owned)",
        ),
        hook(2, "http://h/\n3\tforged", "E\u{1b}[2J"),
        hook(4, "", "-rf; touch owned"),
    ];
    sandbox.write(
        "hooks.json",
        json!({"version": 1, "next_id": 9, "hooks": hooks}).to_string(),
    );
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        let ids = terminal.values("hooks show ");
        assert_eq!(ids[..3], ["1", "2", "4"], "{shell:?}");
        let events = terminal.values("hooks publish ");
        assert_eq!(
            events[..2],
            ["PostDeployment", "TriggeredJobFinished"],
            "{shell:?}"
        );
        let screen = terminal.screen();
        assert!(!screen.contains("\u{1b}]0;owned"), "{shell:?}: {screen:?}");
        assert!(!sandbox.path().join("desk/owned").exists(), "{shell:?}");
    }
}
