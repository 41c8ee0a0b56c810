//! `examples/templates/`: each registered as its first lines say, and the bytes that its service gets.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Receiver, Reply, Request, Sandbox};

const DEPLOYMENT: &str = r#"{"id":"cd5bee7181e74ea38a3522e73253f6ebb8ed72fb","status":"failed",
 "message":"Fix \"&\" +\u001b[31m\n\nmore","deployer":"remi","app":"shop & co",
 "start_time":"2026-01-01T00:00:00Z","end_time":"2026-01-01T00:01:12Z"}"#;

const SUMMARY: &str = "❌ Deployment FAILED: cd5bee7 by remi in 1 m 12 s";

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/templates"))
}

/// The command in an example's comment, which goes over several lines.
fn command(text: &str) -> String {
    let command = text.split("hooks add ").nth(1).expect("the command is there");
    let command = command.split("-#}").next().unwrap_or_default().replace("\\\n", " ");
    format!("add {}", command.trim())
}

/// What the recipe's service gets for a deployment; the command's own URL, but to a receiver here.
#[track_caller]
fn delivered(name: &str, deployment: &str) -> Request {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).body(r#"{"routed":true}"#)]);
    let template = fs::read_to_string(folder().join(name)).expect("the example is there");
    let command = command(&template);
    assert!(command.contains(&format!("--template {name}")), "{command}");
    sandbox.write(name, &template);
    let words = shell_words(&command).into_iter().map(|word| match word.split_once("://") {
        Some((_, rest)) => {
            let (authority, path) = rest.split_once('/').expect("the URL has a path");
            let user = authority.split_once('@').map(|(user, _)| format!("{user}@"));
            let to = receiver.url("/").replace("http://", "");
            format!("http://{}{to}{path}", user.unwrap_or_default())
        }
        None => word,
    });
    sandbox.hooks(words).run().assert_code(0);
    let publish = sandbox.hooks(["publish", "PostDeployment", "-"]).stdin(deployment);
    publish.run().assert_code(0);
    receiver.request()
}

/// The words of a command line as the shell sees them.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("it begins with one").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_recipe_is_tested() {
    let entries = fs::read_dir(folder()).expect("the examples can be listed");
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let known = ["ntfy.txt.j2", "pagerduty.json.j2", "rabbitmq.json.j2", "sms.form.j2"];
    assert_eq!(names, known);
}

#[test]
fn rabbitmq_gets_a_cloud_event_as_its_payload() {
    let request = delivered("rabbitmq.json.j2", DEPLOYMENT);
    assert_eq!(request.target, "/api/exchanges/%2F/deploys/publish");
    assert_eq!(request.the_header("content-type"), "application/json");
    assert_eq!(request.the_header("authorization"), "Basic VVNFUjpQQVNTV09SRA==");
    let body = request.json();
    let id = request.the_header("webhook-id");
    assert_eq!(
        body["properties"],
        json!({"delivery_mode": 2, "message_id": id, "type": "PostDeployment",
            "content_type": "application/cloudevents+json"})
    );
    assert_eq!(body["routing_key"], "PostDeployment");
    assert_eq!(body["payload_encoding"], "string");
    // The deployment is in it byte for byte.
    let payload = body["payload"].as_str().unwrap();
    assert!(payload.contains(DEPLOYMENT), "{payload}");
    let event: Value = serde_json::from_str(payload).unwrap();
    assert_eq!([&event["id"], &event["type"]], [id, "PostDeployment"]);
}

#[test]
fn ntfy_gets_plain_text() {
    let request = delivered("ntfy.txt.j2", DEPLOYMENT);
    assert_eq!(request.the_header("content-type"), "text/plain");
    assert_eq!(request.the_header("title"), "Deployment");
    assert_eq!(request.the_header("authorization"), "Bearer TOKEN");
    assert_eq!(request.text(), format!("{SUMMARY}\nFix \"&\" +␛[31m"));
    let bare = delivered("ntfy.txt.j2", "{}");
    assert_eq!(bare.text(), "🔔 PostDeployment");
}

#[test]
fn an_sms_gateway_gets_a_form() {
    let request = delivered("sms.form.j2", DEPLOYMENT);
    assert_eq!(request.target, "/2010-04-01/Accounts/ACCOUNT/Messages.json");
    assert_eq!(request.the_header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(request.the_header("authorization"), "Basic QUNDT1VOVDpUT0tFTg==");
    assert_eq!(
        request.text(),
        "To=%2B15551230001&From=%2B15551230002\
         &Body=%E2%9D%8C%20Deployment%20FAILED%3A%20cd5bee7%20by%20remi%20in%201%20m%2012%20s"
    );
}

#[test]
fn pagerduty_gets_an_incident_and_its_end() {
    let failed = delivered("pagerduty.json.j2", DEPLOYMENT).json();
    let whole: Value = serde_json::from_str(DEPLOYMENT).unwrap();
    assert_eq!(
        failed,
        json!({"routing_key": "INTEGRATION-KEY", "event_action": "trigger", "dedup_key": "deployment/shop & co",
            "payload": {"summary": SUMMARY, "source": "remi", "severity": "error",
                "timestamp": "2026-01-01T00:01:12Z", "custom_details": whole}})
    );
    let ended = delivered("pagerduty.json.j2", r#"{"status":"success"}"#).json();
    assert_eq!(
        ended,
        json!({"routing_key": "INTEGRATION-KEY", "event_action": "resolve", "dedup_key": "deployment/default",
            "payload": {"summary": "✅ Deployment succeeded", "source": "hooks", "severity": "error",
                "custom_details": {"status": "success"}}})
    );
}
