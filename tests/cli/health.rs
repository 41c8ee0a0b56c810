//! `hooks health`.

#[cfg(target_os = "linux")]
mod monitoring;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{Past, Receiver, Reply, Sandbox, hook_json, refused_url};

const MINUTES_A_DAY: i64 = 24 * 60;

/// A hook for the event that is published here.
fn hook(id: u64, url: &str) -> Value {
    hook_json(id, url, "PostDeployment")
}

/// What `health --json` says, and with which exit code.
#[track_caller]
fn health(sandbox: &Sandbox, code: i32) -> Vec<Value> {
    let health = sandbox.hooks(["health", "--json"]).run();
    health.assert_code(code);
    health.json().as_array().expect("an array").clone()
}

/// A sandbox with one hook and what has happened to it.
fn with_past(happened: impl FnOnce(&mut Past, &Value)) -> Sandbox {
    let sandbox = Sandbox::new();
    let hook = hook(1, "https://h.example/cb");
    sandbox.write_hooks(std::slice::from_ref(&hook));
    let mut past = Past::before(Utc::now());
    happened(&mut past, &hook);
    past.write(&sandbox);
    sandbox
}

#[test]
fn without_hooks_it_names_the_registry_and_all_is_well() {
    let sandbox = Sandbox::new();
    let nothing = "note: no hook is registered in [DIR]/hooks.json, which does not exist yet; see 'hooks add --help'\n";
    sandbox.hooks(["health"]).run().assert(0, "", nothing);
    let json = sandbox.hooks(["health", "--json"]).run();
    json.assert(0, "[]\n", "");
    assert_eq!(sandbox.names(), [""; 0], "reading makes no file");
}

#[test]
fn a_hook_is_idle_then_ok_then_failing_and_ok_when_it_was_sent_again() {
    let sandbox = Sandbox::new();
    let replies = [200, 500, 500, 200].map(Reply::status);
    let receiver = Receiver::answering(replies);
    sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--name", "chat"]);
    let state = |code| {
        let hook = &health(&sandbox, code)[0];
        let counts = ["deliveries", "delivered", "consecutive_failures", "owed"];
        let counts = counts.map(|key| hook[key].as_u64().expect("a number"));
        (hook["state"].as_str().expect("a string").to_owned(), counts)
    };
    assert_eq!(state(0), ("idle".to_owned(), [0, 0, 0, 0]));
    sandbox.publish().assert_code(0);
    assert_eq!(state(0), ("ok".to_owned(), [1, 1, 0, 0]));
    let publish = ["publish", "PostDeployment", "{}", "--retries", "0"];
    sandbox.hooks(publish).run().assert_code(3);
    assert_eq!(state(3), ("failing".to_owned(), [2, 1, 1, 1]));
    let again = ["redeliver", "--failed", "--now", "--retries", "0"];
    sandbox.hooks(again).run().assert_code(3);
    assert_eq!(state(3), ("failing".to_owned(), [2, 1, 2, 1]));
    sandbox.hooks(again).run().assert_code(0);
    assert_eq!(state(0), ("ok".to_owned(), [2, 2, 0, 0]));
    // Samples of `test` are no deliveries.
    sandbox.hooks(["test", "chat"]).run().assert_code(0);
    assert_eq!(state(0), ("ok".to_owned(), [2, 2, 0, 0]));
}

#[test]
fn the_json_has_every_key_in_its_order() {
    let sandbox = with_past(|past, hook| {
        past.delivered(3000, hook, Some(200), 40);
        past.delivered(2000, hook, Some(200), 20);
        past.delivered(90, hook, Some(404), 30);
    });
    let all = sandbox.hooks(["health", "--json"]).run();
    all.assert_code(3);
    let now = Utc::now();
    let ago = |minutes| {
        let time = now - TimeDelta::minutes(minutes);
        // To the minute, as the test itself takes some time.
        time.to_rfc3339()[..16].to_owned()
    };
    let mut json = all.json()[0].clone();
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let is_about = |value: &Value, minutes: i64| {
        let time = text(value);
        assert!(time.ends_with('Z') && time.len() == 24, "{time}");
        let near = [ago(minutes), ago(minutes - 1), ago(minutes + 1)];
        assert!(near.iter().any(|near| time.starts_with(near)), "{time}");
    };
    is_about(&json["failing_since"], 90);
    is_about(&json["oldest_owed"], 90);
    is_about(&json["last"][0]["time"], 3000);
    let age = json["oldest_owed_age_ms"].as_i64().expect("a number") / 60_000;
    assert!((90..95).contains(&age), "{age}");
    let keys: Vec<_> = keys_of(&all.stdout);
    assert_eq!(
        keys,
        [
            "id",
            "url",
            "event",
            "state",
            "deliveries",
            "delivered",
            "share_delivered",
            "median_ms",
            "p95_ms",
            "consecutive_failures",
            "failing_since",
            "owed",
            "oldest_owed",
            "oldest_owed_age_ms",
            "last"
        ]
    );
    for key in ["failing_since", "oldest_owed", "oldest_owed_age_ms"] {
        json.as_object_mut().expect("an object").remove(key);
    }
    for last in json["last"].as_array_mut().expect("an array") {
        last.as_object_mut().expect("an object").remove("time");
    }
    assert_eq!(
        json,
        json!({
            "id": 1, "url": "https://h.example/cb", "event": "PostDeployment", "state": "failing",
            "deliveries": 3, "delivered": 2, "share_delivered": 2.0 / 3.0,
            "median_ms": 30, "p95_ms": 40, "consecutive_failures": 1, "owed": 1,
            "last": [
                {"delivered": true, "duration_ms": 40},
                {"delivered": true, "duration_ms": 20},
                {"delivered": false, "duration_ms": 30},
            ],
        })
    );
}

/// The keys of the first hook of a pretty array, in their order.
fn keys_of(json: &str) -> Vec<String> {
    let of_hook = json.lines().filter(|line| line.starts_with("    \""));
    let key = |line: &str| line.split('"').nth(1).map(str::to_owned);
    of_hook.filter_map(key).collect()
}

#[test]
fn what_is_older_than_since_or_went_to_another_url_does_not_count() {
    let sandbox = with_past(|past, hook| {
        let other = self::hook(1, "https://elsewhere.example/cb");
        past.delivered(9 * MINUTES_A_DAY, hook, None, 5);
        past.delivered(6 * MINUTES_A_DAY, hook, Some(200), 5);
        past.delivered(60, &other, None, 5);
    });
    let counted = |since: &str| {
        let found = sandbox.hooks(["health", "--json", "--since", since]).run();
        let json = found.json();
        (found.code(), json[0]["deliveries"].clone(), json[0]["owed"].clone())
    };
    assert_eq!(counted("7d"), (Some(0), json!(1), json!(0)));
    assert_eq!(counted("10d"), (Some(0), json!(2), json!(0)));
    assert_eq!(counted("1d"), (Some(0), json!(0), json!(0)));
}

#[test]
fn what_is_owed_is_what_would_still_be_sent() {
    let sandbox = with_past(|past, hook| {
        // Too old to be sent again.
        past.delivered(25 * 60, hook, None, 5);
        // Its run was killed.
        past.published(23 * 60, "PostDeployment", &[hook]);
        past.delivered(60, hook, None, 5);
        // A sample of `test`.
        let sample = past.published(50, "PostDeployment", &[hook]);
        past.sample(&sample);
        past.delivered(40, hook, Some(200), 5);
    });
    let hook = &health(&sandbox, 3)[0];
    assert_eq!((&hook["state"], &hook["owed"]), (&json!("ok"), &json!(2)));
    assert_eq!(hook["deliveries"], 3);
    let age = hook["oldest_owed_age_ms"].as_i64().expect("a number") / 3_600_000;
    assert_eq!(age, 23);
    // A day is how long it is sent, whatever is looked at.
    let narrow = sandbox.hooks(["health", "--since", "1s", "--json"]).run();
    narrow.assert_code(3);
    assert_eq!(narrow.json()[0]["owed"], 2);
}

#[test]
fn failures_in_a_row_count_every_try_and_since_is_the_first() {
    let sandbox = with_past(|past, hook| {
        past.delivered(700, hook, Some(200), 5);
        let first = past.published(600, "PostDeployment", &[hook]);
        past.ended(&first, hook, 600, None, 5);
        past.ended(&first, hook, 590, None, 5);
        past.delivered(300, hook, Some(502), 5);
        past.ended(&first, hook, 200, None, 5);
    });
    let table = sandbox.hooks(["health"]).run();
    table.assert(
        3,
        "\
ID  URL                   STATE    DELIVERED  MEDIAN  P95   FAILING   OWED      LAST 20
1   https://h.example/cb  failing  33% of 3   5 ms    5 ms  4 in 10h  2 in 10h  ▂××
",
        "",
    );
}

#[test]
fn hooks_can_be_named_and_an_unknown_one_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.add_with("https://h.example/1", "E", ["--name", "chat"]);
    sandbox.add("https://h.example/2", "E");
    sandbox.add("https://h.example/3", "E");
    let ids = |named: &[&str]| {
        let found = sandbox.hooks(["health", "--json"]).args(named).run();
        found.assert_code(0);
        let ids = found.json();
        ids.as_array().expect("an array").iter().map(|h| h["id"].to_string()).collect::<String>()
    };
    assert_eq!(ids(&["3", "CHAT", "chat"]), "13");
    let unknown = sandbox.hooks(["health", "2", "9", "nobody"]).run();
    unknown.assert(
        5,
        "",
        "error: no hook has the id or name 9 or nobody\nhint: see 'hooks list'; the registry is [DIR]/hooks.json\n",
    );
}

#[test]
fn a_disabled_hook_is_no_trouble_by_itself() {
    let sandbox = with_past(|past, hook| past.delivered(2 * MINUTES_A_DAY, hook, None, 5));
    sandbox.hooks(["edit", "1", "--disable"]).run().assert_code(0);
    assert_eq!(health(&sandbox, 0)[0]["state"], "disabled");
}

#[test]
fn the_bars_are_ascii_where_the_locale_is_not_utf_8() {
    let sandbox = with_past(|past, hook| {
        for (minutes, ms) in (1..=25).rev().zip([1, 20, 5000].into_iter().cycle()) {
            past.delivered(minutes, hook, Some(200), ms);
        }
        past.delivered(0, hook, None, 5);
    });
    let bars = |variable: &str, value: &str| {
        let shown = sandbox.hooks(["health"]).without_env("LC_ALL").env(variable, value).run();
        let last = shown.stdout.lines().last().expect("a row").to_owned();
        last.rsplit("  ").next().expect("a cell").to_owned()
    };
    let utf8 = "▁▃█▁▃█▁▃█▁▃█▁▃█▁▃█▁×";
    assert_eq!(bars("LC_ALL", "C.UTF-8"), utf8);
    assert_eq!(bars("LANG", "de_DE.utf8"), utf8);
    let ascii = "_,#_,#_,#_,#_,#_,#_x";
    assert_eq!(bars("LC_ALL", "C"), ascii);
    assert_eq!(bars("LC_ALL", ""), ascii);
}

#[test]
fn a_damaged_line_is_said_and_the_rest_counts() {
    let sandbox = with_past(|past, hook| {
        past.delivered(5, hook, Some(200), 5);
        past.record(json!({"no": "record"}));
    });
    let found = sandbox.hooks(["health", "--json"]).run();
    found.assert_code(0).assert_stderr_has(&["skipped line 3 of the journal"]);
    assert_eq!(found.json()[0]["deliveries"], 1);
}

#[test]
fn list_failed_shows_what_needs_a_look() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    sandbox.add(&good.url("/good"), "PostDeployment");
    sandbox.add(refused_url(), "PostDeployment");
    sandbox.add("https://h.example/disabled", "Other");
    sandbox.add("https://h.example/new", "Other");
    sandbox.hooks(["edit", "3", "--disable"]).run().assert_code(0);
    let publish = ["publish", "PostDeployment", "{}", "--retries", "0"];
    sandbox.hooks(publish).run().assert_code(3);
    let ids = |arguments: &[&str]| {
        let listed = sandbox.hooks(["list", "--failed", "--json"]).args(arguments).run();
        listed.assert_code(0);
        let json = listed.json();
        json.as_array().expect("an array").iter().map(|h| h["id"].to_string()).collect::<String>()
    };
    assert_eq!(ids(&[]), "23");
    assert_eq!(ids(&["--event", "Other"]), "3");
    sandbox.hooks(["remove", "2", "3"]).run().assert_code(0);
    let none = sandbox.hooks(["list", "--failed"]).run();
    none.assert(0, "", "note: no hook needs a look in [DIR]/hooks.json\n");
}

#[test]
fn list_failed_shows_what_is_owed_to_a_hook_whose_last_delivery_arrived() {
    let sandbox = with_past(|past, hook| past.delivered(60, hook, None, 5));
    let mut hook = hook(1, "https://h.example/cb");
    hook["last_datetime"] = json!("2026-11-25T09:49:18.130Z");
    (hook["last_status"], hook["last_code"]) = (json!("OK"), json!(200));
    sandbox.write_hooks(&[hook]);
    let listed = sandbox.hooks(["list", "--failed", "--json"]).run();
    assert_eq!(listed.assert_code(0).json()[0]["id"], 1);
}
