//! What the services' own libraries for Node make of the formats, and of the signature in GitHub's way.

use std::process::Command;

use serde_json::{Value, json};

use super::HOSTILE;
use crate::support::{Receiver, Request, Sandbox, base64, needs, needs_success};

/// What a module for Node prints as JSON of a request, which it finds as `headers` and `body`. `None` where the
/// package is not installed for everybody.
fn node(package: &str, script: &str, request: &Request) -> Option<Value> {
    if !(needs("node") && needs("npm")) {
        return None;
    }
    let find = format!("root=$(npm root -g) && test -d \"$root/{package}\" && echo \"$root\"");
    let library = format!("npm install -g {package}");
    let modules = needs_success(&library, Command::new("sh").args(["-c", &find]))?;
    // A module looks for others beside itself.
    let folder = Sandbox::new();
    std::os::unix::fs::symlink(modules, folder.path().join("node_modules"))
        .expect("a link can be made");
    let headers: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
    folder.write("headers", Value::Object(headers).to_string());
    folder.write("body", &request.body);
    let start = "import { readFileSync } from 'node:fs';
        const headers = JSON.parse(readFileSync('headers')), body = readFileSync('body', 'utf8');";
    let script = folder.write("read.mjs", format!("{start}\n{script}"));
    let run = Command::new("node")
        .arg(script)
        .current_dir(folder.path())
        .output()
        .expect("node is there");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(serde_json::from_slice(&run.stdout).expect("the script prints JSON"))
}

/// Deployments that a library may stumble over.
fn deployments() -> Vec<String> {
    let long = "*@😀<".repeat(2_000);
    let own: serde_json::Map<String, Value> =
        (0..30).map(|n| (format!("{n}{long}"), json!(long))).collect();
    let mut all = own.clone();
    for key in ["id", "status", "author", "message", "deployer"] {
        all.insert(key.to_owned(), json!(long));
    }
    vec![
        "{}".to_owned(),
        crate::support::DEPLOYMENT.to_owned(),
        json!({"id": HOSTILE, "status": "failed", "message": HOSTILE, "deployer": HOSTILE, HOSTILE: HOSTILE})
            .to_string(),
        Value::Object(all).to_string(),
    ]
}

/// What a hook with this format sends for each of the deployments.
fn sent(format: &str) -> Vec<Request> {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.add_with(&receiver.url("/"), "*", ["--format", format]);
    for deployment in deployments() {
        let publish = sandbox.hooks(["publish", "PostDeployment", "-"]).stdin(deployment);
        publish.run().assert_code(0);
    }
    receiver.wait_for(deployments().len())
}

#[test]
fn the_cloud_events_sdk_for_node_reads_what_is_sent() {
    const READ: &str = "import { HTTP } from 'cloudevents';
        const event = HTTP.toEvent({ headers, body });
        console.log(JSON.stringify({ valid: event.validate(), event }));";
    for (request, deployment) in sent("cloudevents").iter().zip(deployments()) {
        let Some(read) = node("cloudevents", READ, request) else {
            return;
        };
        assert_eq!(read["valid"], true);
        let event = &read["event"];
        assert_eq!(event["data"], serde_json::from_str::<Value>(&deployment).unwrap());
        assert_eq!(event["id"], request.the_header("webhook-id"));
        assert_eq!(event["type"], "PostDeployment");
        assert_eq!(event["specversion"], "1.0");
    }
}

#[test]
fn discords_own_builders_take_every_message() {
    // A setter throws what Discord would refuse.
    const BUILD: &str = "import { EmbedBuilder, embedLength } from '@discordjs/builders';
        const { embeds } = JSON.parse(body);
        const built = embeds.map(({ title, description, color, fields }) => {
          const embed = new EmbedBuilder().setTitle(title).setColor(color).addFields(fields);
          return description === undefined ? embed : embed.setDescription(description);
        });
        const lengths = built.map((embed) => embedLength(embed.toJSON()));
        console.log(JSON.stringify({ built, lengths }));";
    for request in sent("discord") {
        let Some(read) = node("@discordjs/builders", BUILD, &request) else {
            return;
        };
        assert_eq!(read["built"], request.json()["embeds"]);
        assert!(read["lengths"][0].as_u64().is_some_and(|length| length <= 6_000));
    }
}

#[test]
fn the_adaptive_cards_library_takes_every_card() {
    const PARSE: &str = "import cards from 'adaptivecards/dist/adaptivecards.min.js';
        const { content } = JSON.parse(body).attachments[0];
        const card = new cards.AdaptiveCard(), context = new cards.SerializationContext(cards.Versions.v1_4);
        card.parse(content, context);
        const events = Array.from({ length: context.eventCount }, (_, n) => context.getEventAt(n).message);
        events.push(...card.validateProperties().validationEvents.map((event) => event.message));
        console.log(JSON.stringify({ events, items: card.getItemCount(), wanted: content.body.length }));";
    for request in sent("teams") {
        let Some(read) = node("adaptivecards", PARSE, &request) else {
            return;
        };
        assert_eq!(read["events"], json!([]));
        assert_eq!(read["items"], read["wanted"]);
    }
}

#[test]
fn github_s_library_verifies_a_delivery_and_notices_each_change() {
    const VERIFY: &str = "import { verify } from '@octokit/webhooks-methods';
        const said = await verify(headers['x-secret'], body, headers['x-hub-signature-256']);
        console.log(JSON.stringify(said));";
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let secret = format!("whsec_{}", base64([7; 32]));
    sandbox.write("secret", &secret);
    sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--secret-file", "secret"]);
    sandbox.publish().assert_code(0);
    let mut request = receiver.request();
    let with_secret = |request: &Request, secret: &str| {
        let mut request = request.clone();
        request.headers.push(("x-secret".to_owned(), secret.to_owned()));
        node("@octokit/webhooks-methods", VERIFY, &request)
    };
    let Some(said) = with_secret(&request, &secret) else {
        return;
    };
    assert_eq!(said, true);
    let other = format!("whsec_{}", base64([8; 32]));
    assert_eq!(with_secret(&request, &other), Some(json!(false)), "a wrong secret");
    request.body[40] ^= 1;
    assert_eq!(with_secret(&request, &secret), Some(json!(false)), "a changed byte");
}
