//! How tables and help look on terminals of four widths, with colour and without, as files in `views/`.
//! `HOOKS_RENEW=1 cargo test --test cli views` writes them anew; look at them in a terminal then.

mod times;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::{Past, Sandbox, hook_json, needs};

const WIDTHS: [usize; 4] = [60, 80, 100, 200];

/// Central Europe, with its summer time; in this form it needs no data of the system's.
const ZONE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// Five hooks such as people have: a chat, a long host, a long path, one that is disabled, a new one.
fn hooks() -> Vec<Value> {
    let last = |mut hook: Value, time: &str, status: &str, code: Option<u16>, reason: &str| {
        hook["last_datetime"] = json!(time);
        hook["last_status"] = json!(status);
        if let Some(code) = code {
            hook["last_code"] = json!(code);
        }
        hook["last_reason"] = json!(reason);
        hook
    };
    let mut chat = hook_json(
        1,
        "https://hooks.slack.com/services/T024F/B7x9/xyzABC123xyzABC123",
        "PostDeployment",
    );
    chat["name"] = json!("chat");
    let mut ci = hook_json(
        2,
        "https://ci.internal.example.com:8443/hooks/built?key=abc",
        "deploy.*,Rollback",
    );
    ci["status"] = json!(["failed"]);
    let long = format!("https://deploy.example.org/{}end", "very/long/path/".repeat(18));
    let mut staging = hook_json(3, &long, "PostDeployment");
    staging["name"] = json!("staging-build");
    let mut gone = hook_json(4, "https://wide.example/通知/配備", "*");
    gone["enabled"] = json!(false);
    gone["disabled_reason"] = json!("410 Gone at 2026-07-14T22:10:00.000Z: 配備は終了しました");
    vec![
        last(chat, "2026-11-25T09:20:53.130Z", "OK", Some(200), "delivered"),
        last(ci, "2026-11-25T09:21:03.104Z", "Failure", None, "connection refused"),
        last(
            staging,
            "2026-11-25T09:21:01.104Z",
            "Not Found",
            Some(404),
            "no such channel: it was removed by its owner",
        ),
        last(gone, "2026-07-14T22:10:00.540Z", "Gone", Some(410), "配備は終了しました"),
        hook_json(5, "http://127.0.0.1:9000/new", "Test"),
    ]
}

/// A sandbox with these hooks and a past up to this moment.
fn with_past(now: DateTime<Utc>) -> Sandbox {
    let (sandbox, hooks) = (Sandbox::new(), hooks());
    sandbox.write_hooks(&hooks);
    sandbox.set_mode("hooks.json", 0o600);
    let mut past = Past::before(now);
    let times = [3, 20, 25, 31, 40, 180, 900, 2500, 25, 28, 30, 22];
    for (minutes, ms) in (1..=30).rev().zip(times.into_iter().cycle()) {
        past.delivered(minutes * 100, &hooks[0], Some(200), ms);
    }
    past.delivered(3000, &hooks[1], Some(200), 12);
    for minutes in [400, 250, 215] {
        past.delivered(minutes, &hooks[1], None, 30_000);
    }
    past.delivered(300, &hooks[2], Some(404), 90);
    past.delivered(5 * 24 * 60, &hooks[3], Some(200), 700);
    past.write(&sandbox);
    sandbox
}

/// What a call prints on a terminal that is so wide, with `\e` for the escape character.
#[track_caller]
fn captured(sandbox: &Sandbox, arguments: &[&str], width: usize, coloured: bool) -> String {
    let call = arguments.join(" ");
    let script = format!("script -qec \"stty cols {width} rows 24; '$1' {call}\" /dev/null");
    let shown = sandbox.hooks::<&str>([]).shell(&script).env("TZ", ZONE);
    let shown = shown.env("TERM", "xterm-256color");
    let shown = if coloured { shown } else { shown.env("NO_COLOR", "1") };
    let shown = shown.run();
    assert_eq!(shown.stderr, "");
    shown.stdout.replace('\r', "").replace('\u{1b}', "\\e")
}

/// Compares all captures of a call with those in the file, or renews them.
#[track_caller]
fn assert_views(file: &str, sandbox: &Sandbox, arguments: &[&str]) {
    if !needs("script") || !needs("stty") {
        return;
    }
    let mut views = String::new();
    for width in WIDTHS {
        let plain = captured(sandbox, arguments, width, false);
        let _ = writeln!(views, "=== {width} columns ===\n{plain}");
    }
    let coloured = captured(sandbox, arguments, 80, true);
    let _ = write!(views, "=== 80 columns, in colour ===\n{coloured}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/views").join(file);
    if std::env::var_os("HOOKS_RENEW").is_some() {
        fs::write(&path, &views).expect("a view can be written");
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        wanted == views,
        "{file} is not what is shown; to renew it: HOOKS_RENEW=1 cargo test --test cli views\n{views}"
    );
}

/// A moment whose times are the same each time.
fn fixed() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_598_520, 0).expect("a time")
}

#[test]
fn list_is_shown_as_captured() {
    assert_views("list.txt", &with_past(fixed()), &["list"]);
}

#[test]
fn log_is_shown_as_captured() {
    assert_views("log.txt", &with_past(fixed()), &["log", "-n", "8"]);
}

#[test]
fn health_is_shown_as_captured() {
    // Its ages count from now; half an hour keeps them from turning over.
    let sandbox = with_past(Utc::now());
    assert_views("health.txt", &sandbox, &["health"]);
}

#[test]
fn show_is_shown_as_captured() {
    assert_views("show.txt", &with_past(fixed()), &["show", "4"]);
}

#[test]
fn help_is_shown_as_captured() {
    assert_views("help.txt", &Sandbox::new(), &["list", "--help"]);
}

#[test]
fn what_is_asked_for_tells_which_registry_it_looked_in() {
    let sandbox = with_past(fixed());
    for arguments in [
        &["list"][..],
        &["log"],
        &["health"],
        &["show", "1"],
        &["add", "--url", "http://h/", "--event", "E"],
    ] {
        let asked = sandbox.hooks(arguments).arg("-v").run();
        let first = asked.stderr.lines().next().unwrap_or_default();
        assert_eq!(first, "note: the registry is [DIR]/hooks.json", "{arguments:?}");
        let unasked = sandbox.hooks(arguments).run();
        assert!(!unasked.stderr.contains("hooks.json"), "{}", unasked.stderr);
    }
}

#[test]
fn an_empty_answer_names_the_file_that_it_looked_in() {
    let sandbox = Sandbox::new();
    for (arguments, code, said) in [
        (&["list"][..], 0, "no hook is registered in [DIR]/hooks.json, which does not exist yet"),
        (&["list", "--event", "E"], 0, "no hook is registered for E in [DIR]/hooks.json, which"),
        (&["health"], 0, "no hook is registered in [DIR]/hooks.json, which does not exist yet"),
        (&["log"], 0, "no such delivery is in [DIR]/hooks.json.journal"),
        (&["show", "1"], 5, "the registry is [DIR]/hooks.json, which does not exist yet"),
        (&["log", "1"], 5, "the registry is [DIR]/hooks.json, which does not exist yet"),
        (&["health", "x"], 5, "the registry is [DIR]/hooks.json, which does not exist yet"),
    ] {
        let nothing = sandbox.hooks(arguments).run();
        nothing.assert_code(code).assert_stderr_has(&[said]);
        assert_eq!(nothing.stdout, "", "{arguments:?}");
    }
}
