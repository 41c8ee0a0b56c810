//! Formats, from a deployment to what a receiver gets.

mod libraries;

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{
    Commit, PLAIN, Receiver, Reply, Repository, Request, Sandbox, is_webhook_id, needs_success,
};

/// The formats that are templates for people to read.
const CHAT: [&str; 3] = ["slack", "discord", "teams"];

/// Made to break JSON, Jinja, every service's mark-up and mentions, and terminals.
const HOSTILE: &str = concat!(
    "\"}], {{ 7*7 }} {% raw %} \\\" ${x} $(touch pwned) <!channel> <@U1> @everyone x.@here *b* `c` ",
    "[a](https://e.example/a_b) &lt; <at>all</at> {{DATE(2017-02-14T06:00:00Z)}} \u{1b}[2J\u{202e}\u{7f}",
    "\n\n# second line\n```\n\u{2028}end",
);

/// One hook a format, each at a path of its name, in a sandbox.
fn one_hook_each(receiver: &Receiver) -> Sandbox {
    let sandbox = Sandbox::new();
    for format in ["raw", "slack", "discord", "teams", "cloudevents"] {
        let url = receiver.url(&format!("/{format}"));
        sandbox.add_with(&url, "PostDeployment", ["--format", format]);
    }
    sandbox
}

/// What came for a format.
#[track_caller]
fn of(receiver: &Receiver, format: &str) -> Request {
    let requests = receiver.requests();
    let mut of = requests.into_iter().filter(|r| r.target == format!("/{format}"));
    let request = of.next().unwrap_or_else(|| panic!("nothing came for {format}"));
    assert!(of.next().is_none(), "more than one came for {format}");
    request
}

/// Every string of a JSON value, keys left out.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(keys) => keys.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn each_format_has_its_content_type_and_is_json() {
    let receiver = Receiver::new();
    let sandbox = one_hook_each(&receiver);
    sandbox.publish().assert_code(0);
    for format in ["raw", "slack", "discord", "teams", "cloudevents"] {
        let request = of(&receiver, format);
        let content_type = if format == "cloudevents" {
            "application/cloudevents+json"
        } else {
            "application/json"
        };
        assert_eq!(request.the_header("content-type"), content_type, "{format}");
        assert_eq!(request.count("content-type"), 1, "{format}");
        assert!(request.json().is_object(), "{format}");
        assert_eq!(request.the_header("webhook-event"), "PostDeployment");
        let id = of(&receiver, "raw").the_header("webhook-id").to_owned();
        assert_eq!(request.the_header("webhook-id"), id);
    }
    assert_eq!(of(&receiver, "raw").text(), crate::support::DEPLOYMENT);
}

#[test]
fn a_chat_message_tells_what_was_deployed_by_whom_and_how_long_it_took() {
    let receiver = Receiver::new();
    let sandbox = one_hook_each(&receiver);
    for (status, said) in [("success", "succeeded"), ("failed", "FAILED")] {
        let before = receiver.count();
        let deployment = json!({"id": "cd5bee7181e74ea38a3522e73253f6ebb8ed72fb", "status": status,
            "author": "Ada Author", "message": "Fix the menu\n\nAt last", "deployer": "remi",
            "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:01:12Z",
            "ref": "refs/heads/main"});
        let publish = sandbox.hooks(["publish", "PostDeployment", &deployment.to_string()]);
        publish.run().assert_code(0);
        for request in receiver.requests().iter().skip(before) {
            let format = &request.target[1..];
            let body = request.json();
            let text = strings(&body).join("\n");
            if CHAT.contains(&format) {
                for fact in
                    [said, "cd5bee7", "remi", "Ada Author", "1 m 12 s", "Fix the menu", "main"]
                {
                    assert!(text.contains(fact), "{format} says nothing of {fact}: {text}");
                }
            }
        }
    }
}

#[test]
fn a_hostile_commit_is_sent_as_text_by_every_format() {
    let receiver = Receiver::new();
    let sandbox = one_hook_each(&receiver);
    sandbox.write("template", r#"{"text": {{ status ~ ": " ~ message }}, "by": {{ author }} }"#);
    sandbox.add_with(&receiver.url("/own"), "PostDeployment", ["--template", "template"]);
    let repository = Repository::new(&sandbox);
    let author = "A\"}]{{ 7*7 }} @everyone & $(touch pwned)";
    let hash = repository.commit("main", Commit { author, message: HOSTILE, ..PLAIN });
    let published = repository
        .call(&repository.work(), &["publish", "PostDeployment", "--git"])
        .shell(r#"exec "$@""#)
        .run();
    published.assert_code(0);
    assert!(!repository.work().join("pwned").exists());
    for plain in [of(&receiver, "raw").json(), of(&receiver, "cloudevents").json()["data"].clone()]
    {
        assert_eq!(plain["message"], HOSTILE);
        assert_eq!(plain["author"], author);
        assert_eq!(plain["id"], json!(hash));
    }
    let own = of(&receiver, "own").json();
    assert_eq!(own, json!({"text": format!("success: {HOSTILE}"), "by": author}));
    for format in CHAT {
        let body = of(&receiver, format).json();
        for text in strings(&body) {
            for active in
                ["@everyone", "@here", "<!channel>", "<@U1>", "\u{1b}", "\u{202e}", "\u{7f}"]
            {
                assert!(!text.contains(active), "{format}: {active:?} in {text:?}");
            }
            let dates = ["{{DATE", "<at>"].iter().any(|tag| text.contains(tag));
            assert!(format != "teams" || !dates, "{text}");
        }
        // Not evaluated: Discord's mark-up gets backslashes.
        let whole = body.to_string().replace('\\', "");
        assert!(whole.contains("7*7"), "{format}: {whole}");
    }
}

#[test]
fn big_numbers_and_unusual_values_are_kept() {
    let receiver = Receiver::new();
    let sandbox = one_hook_each(&receiver);
    let odd = r#"{"status":"success", "build":12345678901234567890123,"huge":1e400,"pi":3.14159265358979323846,"list":[1,null,{"a":true}],"none":null,"half":"x\ud800y","deep":{"a":{"b":1.50}},"event":"mine","build":12345678901234567890124}"#;
    sandbox.hooks(["publish", "PostDeployment", odd]).run().assert_code(0);
    assert_eq!(of(&receiver, "raw").text(), odd);
    assert!(of(&receiver, "cloudevents").text().contains(odd));
    for format in CHAT {
        let body = of(&receiver, format).json();
        let text = strings(&body).join("\n");
        for value in ["12345678901234567890124", "1e400", "3.14159265358979323846"] {
            assert!(text.contains(value), "{format}: {value} in {text}");
        }
    }
}

#[test]
fn a_redelivery_sends_the_same_body() {
    let receiver = Receiver::answering([
        Reply::status(404),
        Reply::status(404),
        Reply::status(404),
        Reply::status(404),
        Reply::status(404),
        Reply::status(200),
    ]);
    let sandbox = one_hook_each(&receiver);
    sandbox.publish().assert_code(3);
    sandbox.hooks(["redeliver", "--failed", "--now"]).run().assert_code(0);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 10);
    for first in &requests[..5] {
        let again = requests[5..].iter().find(|r| r.target == first.target).unwrap();
        assert_eq!(again.text(), first.text());
        assert_eq!(again.the_header("content-type"), first.the_header("content-type"));
    }
}

#[test]
fn a_test_sends_the_format_and_a_dry_run_shows_it() {
    let receiver = Receiver::new();
    let sandbox = one_hook_each(&receiver);
    for (id, format) in [("2", "slack"), ("3", "discord"), ("4", "teams"), ("5", "cloudevents")] {
        sandbox.hooks(["test", id]).run().assert_code(0);
        let tested = of(&receiver, format);
        assert!(tested.text().contains("test"), "{}", tested.text());
    }
    let before = receiver.count();
    let shown = sandbox
        .hooks(["publish", "PostDeployment", r#"{"status":"failed","id":"42"}"#, "--dry-run"])
        .run();
    shown.assert(0, &shown.stdout, "note: nothing was sent\n");
    assert_eq!(receiver.count(), before);
    assert_eq!(shown.stdout.matches("❌ Deployment FAILED: 42").count(), 4, "{}", shown.stdout);
    assert_eq!(shown.stdout.matches("content-type: application/cloudevents+json\n").count(), 1);
    assert!(shown.stdout.contains(r#""specversion": "1.0""#), "{}", shown.stdout);
}

/// Reads a structured cloud event by the SDK for Python, 1.x or 2.x.
const READ_EVENT: &str = "
import json, sys
headers, body = json.loads(sys.argv[1]), open(sys.argv[2], 'rb').read()
try:
    from cloudevents.core.bindings.http import HTTPMessage, from_http
    from cloudevents.core.formats.json import JSONFormat
    event = from_http(HTTPMessage(headers=headers, body=body), JSONFormat())
    attributes, data = event.get_attributes(), event.get_data()
except ModuleNotFoundError:
    from cloudevents.http import from_http
    event = from_http(headers, body)
    attributes, data = event.get_attributes(), event.data
print(json.dumps({'attributes': {k: str(v) for k, v in attributes.items()}, 'data': data}))
";

#[test]
fn the_cloud_events_sdk_reads_what_is_sent() {
    let mut import = Command::new("python3");
    import.args(["-c", "import cloudevents"]);
    if needs_success("cloudevents for Python", &mut import).is_none() {
        return;
    }
    let receiver = Receiver::new();
    let sandbox = Sandbox::new();
    sandbox.add_with(&receiver.url("/"), "*", ["--format", "cloudevents"]);
    let deployment = json!({"id": "42", "message": HOSTILE, "specversion": "9", "n": 1.5});
    let publish = sandbox.hooks(["publish", "Backup.done/eu:1", &deployment.to_string()]);
    publish.run().assert_code(0);
    let request = receiver.request();
    let headers: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let body = sandbox.write("body", &request.body);
    let read = Command::new("python3")
        .args(["-c", READ_EVENT, &Value::Object(headers).to_string()])
        .arg(body)
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let event: Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(event["data"], deployment);
    let attributes = &event["attributes"];
    assert_eq!(attributes["specversion"], "1.0");
    assert_eq!(attributes["type"], "Backup.done/eu:1");
    assert_eq!(attributes["id"], request.the_header("webhook-id"));
    assert!(is_webhook_id(attributes["id"].as_str().unwrap()));
    assert!(attributes["source"].as_str().unwrap().starts_with("/hooks/"));
    assert!(attributes["time"].as_str().unwrap().starts_with("20"));
    assert_eq!(attributes["datacontenttype"], "application/json");
}

#[test]
fn a_format_of_a_newer_version_fails_its_own_hook_alone() {
    let receiver = Receiver::new();
    let sandbox = Sandbox::new();
    let hook = |id: u32, format: &str| json!({"id": id, "url": receiver.url(&format!("/{id}")), "event": "*", "format": format});
    sandbox.write_hooks(&[hook(1, "pager"), hook(2, "slack")]);
    let published = sandbox.publish();
    published.assert_code(3);
    let unknown = "its body could not be rendered: this version of hooks has no format `pager`";
    assert!(published.stdout.contains(unknown), "{}", published.stdout);
    assert_eq!(receiver.request().target, "/2");
    assert_eq!(sandbox.hook("1")["format"], "pager");
}
