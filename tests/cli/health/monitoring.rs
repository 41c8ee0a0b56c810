//! `health --openmetrics` and `examples/monitoring/`, as the programs take them that they are for.

use std::fs;
use std::process::Command;

use chrono::Utc;
use serde_json::{Value, json};

use super::hook;
use crate::support::{Past, Program, Sandbox, free_port, needs, needs_success};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/monitoring");

/// Hooks of every state, with names and URLs that a hand wrote, and secrets in them.
fn every_state() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut hooks: Vec<Value> = [
        "https://user:s3cret@Ok.example:8443/T0AB12CD34EF56GH78?key=s3cret",
        "https://bücher.example/failing",
        "not a \"URL\"\\",
        "http://[::1]:9/idle",
    ]
    .into_iter()
    .zip(1..)
    .map(|(url, id)| hook(id, url))
    .collect();
    hooks[0]["name"] = json!("chat");
    hooks[1]["name"] = json!("a\"b\\c\nd\u{1b}");
    hooks[2]["enabled"] = json!(false);
    sandbox.write_hooks(&hooks);
    sandbox.set_mode("hooks.json", 0o600);
    let mut past = Past::before(Utc::now());
    for minutes in [50, 40, 30] {
        past.delivered(minutes, &hooks[0], Some(200), 250);
    }
    past.delivered(20, &hooks[1], None, 30_000);
    past.write(&sandbox);
    sandbox
}

/// What `health --openmetrics` prints.
#[track_caller]
fn metrics(sandbox: &Sandbox, code: i32) -> String {
    let health = sandbox.hooks(["health", "--openmetrics"]).run();
    health.assert_code(code).assert_hides("s3cret");
    health.assert_hides("T0AB12CD34EF56GH78").assert_hides("\u{1b}");
    assert_eq!(health.stderr, "");
    health.stdout
}

#[test]
fn the_metrics_have_a_line_a_hook() {
    let sandbox = every_state();
    let text = metrics(&sandbox, 3);
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    for line in [
        "hooks_registered 4",
        r#"hooks_state{hook="1",name="chat",host="ok.example",state="ok"} 1"#,
        r#"hooks_state{hook="1",name="chat",host="ok.example",state="failing"} 0"#,
        r#"hooks_state{hook="2",name="a\"b\\c\\nd\\u{1b}",host="xn--bcher-kva.example",state="failing"} 1"#,
        r#"hooks_state{hook="3",name="",host="",state="disabled"} 1"#,
        r#"hooks_state{hook="4",name="",host="[::1]",state="idle"} 1"#,
        r#"hooks_deliveries{hook="1",name="chat",host="ok.example"} 3"#,
        r#"hooks_delivered_ratio{hook="1",name="chat",host="ok.example"} 1"#,
        r#"hooks_delivery_median_seconds{hook="1",name="chat",host="ok.example"} 0.25"#,
        r#"hooks_owed_deliveries{hook="1",name="chat",host="ok.example"} 0"#,
        r#"hooks_deliveries{hook="4",name="",host="[::1]"} 0"#,
    ] {
        assert!(text.lines().any(|l| l == line), "no {line} in\n{text}");
    }
    // What there is no value of is left out.
    assert!(!text.contains("hooks_delivered_ratio{hook=\"4\""), "{text}");
    assert!(!text.contains("hooks_failing_since_timestamp_seconds{hook=\"1\""), "{text}");
}

#[test]
fn prometheus_finds_nothing_wrong_with_the_metrics() {
    if !needs("promtool") {
        return;
    }
    for sandbox in [every_state(), Sandbox::new()] {
        let script = r#""$@" | promtool check metrics"#;
        let checked = sandbox.hooks(["health", "--openmetrics"]).shell(script).run();
        checked.assert(0, "", "");
    }
}

#[test]
fn the_python_parser_of_openmetrics_takes_the_metrics() {
    let parser = "from prometheus_client.openmetrics.parser import text_string_to_metric_families";
    let mut present = Command::new("python3");
    present.args(["-c", parser]);
    if needs_success("prometheus_client", &mut present).is_none() {
        return;
    }
    let sandbox = every_state();
    sandbox.write(
        "parse.py",
        format!(
            "import sys\n{parser}\nfor family in text_string_to_metric_families(sys.stdin.read()):\n    \
             print(family.name, family.type, family.unit, len(family.samples))\n"
        ),
    );
    let script = r#""$@" | python3 parse.py"#;
    let parsed = sandbox.hooks(["health", "--openmetrics"]).shell(script).run();
    parsed.assert(
        0,
        "\
hooks_registered gauge  1
hooks_state gauge  16
hooks_deliveries gauge  4
hooks_delivered_ratio gauge ratio 2
hooks_delivery_median_seconds gauge seconds 2
hooks_delivery_p95_seconds gauge seconds 2
hooks_consecutive_failures gauge  4
hooks_failing_since_timestamp_seconds gauge seconds 1
hooks_owed_deliveries gauge  4
hooks_oldest_owed_timestamp_seconds gauge seconds 1
hooks_last_delivery_timestamp_seconds gauge seconds 2
",
        "",
    );
}

/// The command of the example's unit, with the sandbox's files in place of the system's.
fn command_of_the_unit(sandbox: &Sandbox) -> String {
    let unit = fs::read_to_string(format!("{EXAMPLES}/hooks-metrics.service")).expect("a unit");
    let unit = unit.replace("\\\n", "");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart="));
    let file = sandbox.path().join("textfile/hooks.prom");
    let folder = format!("PATH={}:$PATH", path_of_the_binary());
    let export = format!("export METRICS={} {folder}", file.display());
    format!("{export}; {}", command.expect("a command"))
}

fn path_of_the_binary() -> String {
    let binary = std::path::Path::new(Sandbox::BINARY);
    binary.parent().expect("a folder").display().to_string()
}

#[test]
fn node_exporter_shows_what_the_unit_of_the_example_writes() {
    if !needs("prometheus-node-exporter") || !needs("curl") {
        return;
    }
    let sandbox = every_state();
    let folder = sandbox.path().join("textfile");
    fs::create_dir(&folder).expect("a folder can be made");
    let write = |code| {
        let script = command_of_the_unit(&sandbox);
        sandbox.hooks::<&str>([]).shell(&script).run().assert_code(code);
    };
    write(0);
    let address = format!("127.0.0.1:{}", free_port());
    let exporter = Program::start(Command::new("prometheus-node-exporter").args([
        "--collector.disable-defaults",
        "--collector.textfile",
        &format!("--collector.textfile.directory={}", folder.display()),
        &format!("--web.listen-address={address}"),
    ]));
    exporter.stderr_line("TLS is disabled");
    let scraped = || {
        let curl =
            Command::new("curl").args(["-sS", &format!("http://{address}/metrics")]).output();
        String::from_utf8(curl.expect("curl can be started").stdout).expect("metrics are text")
    };
    let shown = scraped();
    for line in [
        "node_textfile_scrape_error 0",
        "hooks_registered 4",
        r#"hooks_state{hook="2",host="xn--bcher-kva.example",name="a\"b\\c\\nd\\u{1b}",state="failing"} 1"#,
        r#"hooks_delivery_p95_seconds{hook="1",host="ok.example",name="chat"} 0.25"#,
    ] {
        assert!(shown.lines().any(|l| l == line), "no {line} in\n{shown}");
    }
    // A registry that cannot be read leaves the file as it was.
    let before = sandbox.read("textfile/hooks.prom");
    sandbox.write("hooks.json", "{");
    write(1);
    assert_eq!(sandbox.read("textfile/hooks.prom"), before);
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    if !needs("systemd-analyze") {
        return;
    }
    let sandbox = Sandbox::new();
    for unit in ["hooks-metrics.service", "hooks-metrics.timer"] {
        let path = format!("{EXAMPLES}/{unit}");
        let script = format!("systemd-analyze verify --man=no '{path}'");
        let verified = sandbox.hooks::<&str>([]).shell(&script).run();
        verified.assert_code(0);
        let own: Vec<&str> =
            verified.stderr.lines().filter(|line| line.contains("hooks")).collect();
        assert_eq!(own, [""; 0]);
    }
}

#[test]
fn the_alerts_of_the_example_fire() {
    if !needs("promtool") {
        return;
    }
    let sandbox = Sandbox::new();
    let rules = format!("{EXAMPLES}/hooks-alerts.yml");
    let check = format!("promtool check rules '{rules}'");
    let checked = sandbox.hooks::<&str>([]).shell(&check).run();
    checked.assert_code(0);
    let labels = r#"hook="2", name="chat", host="h.example""#;
    sandbox.write(
        "alerts.yml",
        format!(
            r#"
rule_files: ['{rules}']
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'hooks_registered', values: '2x200'}}
      - {{series: 'hooks_state{{{labels}, state="failing"}}', values: '1x200'}}
      - {{series: 'hooks_oldest_owed_timestamp_seconds{{{labels}}}', values: '0x200'}}
    promql_expr_test:
      - {{expr: 'count(ALERTS{{alertstate="firing"}}) by (alertname)', eval_time: 5m, exp_samples: []}}
      - expr: 'count(ALERTS{{alertstate="firing"}}) by (alertname)'
        eval_time: 70m
        exp_samples:
          - {{labels: '{{alertname="HookFailing"}}', value: 1}}
          - {{labels: '{{alertname="HookDeliveriesOwed"}}', value: 1}}
"#
        ),
    );
    let tested = sandbox.hooks::<&str>([]).shell("promtool test rules alerts.yml").run();
    tested.assert_code(0);
}
