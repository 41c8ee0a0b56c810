//! Times for people are those of their zone, in tables to the minute; `--json` is UTC.

use chrono::{TimeDelta, Utc};

use super::{ZONE, fixed, with_past};
use crate::support::{Past, Sandbox, hook_json, needs};

/// What a call prints in a zone.
#[track_caller]
fn shown(sandbox: &Sandbox, zone: &str, arguments: &[&str]) -> String {
    let shown = sandbox.hooks(arguments).env("TZ", zone).run();
    shown.assert_code(0).stdout.clone()
}

#[test]
fn list_show_and_log_are_in_the_local_zone_with_its_offset_at_that_time() {
    let sandbox = with_past(fixed());
    let has = |arguments: &[&str], time: &str| {
        let shown = shown(&sandbox, ZONE, arguments);
        assert!(shown.contains(time), "no {time} in\n{shown}");
    };
    has(&["list"], "  2026-11-25 10:20 +0100  200 OK\n");
    has(&["list"], "  2026-07-15 00:10 +0200  disabled");
    has(&["show", "4"], "\nlast_datetime   2026-07-15 00:10:00 +0200\n");
    has(&["log", "-n", "1"], "\n2026-11-25 08:42 +0100  delivered");
    has(&["log", "-n", "1", "-v"], "2026-11-25 08:42:00 +0100  ");
}

#[test]
fn any_zone_is_written_as_date_writes_it() {
    if !needs("date") {
        return;
    }
    let sandbox = with_past(fixed());
    for zone in ["UTC", "Asia/Kathmandu", "America/St_Johns", "XXX+3:30", "", "no zone"] {
        let date = ["date", "-d", "2026-11-25T09:20:53Z", "+%F %H:%M:%S %z"]
            .map(|word| format!("'{word}'"));
        let date = sandbox.hooks::<&str>([]).shell(&date.join(" ")).env("TZ", zone).run();
        let shown = shown(&sandbox, zone, &["show", "1"]);
        let line = format!("\nlast_datetime   {}", date.stdout);
        assert!(shown.contains(&line), "{zone}: no {line} in\n{shown}");
    }
}

#[test]
fn json_and_the_files_are_utc_whatever_the_zone() {
    let sandbox = with_past(fixed());
    for arguments in [&["list", "--json"][..], &["show", "1", "--json"], &["log", "--json"]] {
        let here = shown(&sandbox, ZONE, arguments);
        assert_eq!(here, shown(&sandbox, "UTC", arguments));
        assert!(here.contains("Z\"") && !here.contains("+0100"), "{here}");
    }
}

#[test]
fn the_next_try_is_in_the_local_zone() {
    let (sandbox, hook) = (Sandbox::new(), hook_json(1, "http://127.0.0.1:9/", "E"));
    sandbox.write_hooks(std::slice::from_ref(&hook));
    let now = Utc::now();
    let mut past = Past::before(now);
    let id = past.published(2, "E", &[&hook]);
    past.ended(&id, &hook, 2, None, 5);
    past.ended(&id, &hook, 1, None, 5);
    past.write(&sandbox);
    let again = sandbox.hooks(["redeliver", "--failed"]).env("TZ", "XXX-2").run();
    let next = now + TimeDelta::minutes(4) + TimeDelta::hours(2);
    let next = next.format("the next at %Y-%m-%d %H:%M:%S +0200;").to_string();
    again.assert_code(0).assert_stderr_has(&[&next]);
}

#[test]
fn a_time_that_is_none_stays_and_the_end_of_the_calendar_does_no_harm() {
    let sandbox = Sandbox::new();
    for (time, shown) in [
        ("last Tuesday", "last Tuesday"),
        ("2013-08-08T13:24:00.1234567Z", "2013-08-08 13:24:00 +0000"),
        ("9999-12-31T23:59:59-12:00", "10000-01-01 11:59:59 +0000"),
    ] {
        let mut hook = hook_json(1, "http://h/", "E");
        hook["last_datetime"] = time.into();
        sandbox.write_hooks(&[hook]);
        let line = format!("last_datetime   {shown}\n");
        let all = self::shown(&sandbox, "UTC", &["show", "1"]);
        assert!(all.contains(&line), "no {line} in\n{all}");
        self::shown(&sandbox, "UTC", &["list"]);
    }
}
