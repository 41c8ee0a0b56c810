//! Other people's receivers verify real deliveries: the official libraries of Standard Webhooks, and Debian's
//! `webhook`, which checks as GitHub's receivers do. They run as in `examples/receivers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{
    DEPLOYMENT, Program, Receiver, Reply, Request, Sandbox, base64, free_port, needs, needs_success,
};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/receivers");

fn secret(key: u8) -> String {
    format!("whsec_{}", base64([key; 32]))
}

fn has_python_library() -> bool {
    let import = ["-c", "import standardwebhooks"];
    needs("python3")
        && needs_success("pip install standardwebhooks", Command::new("python3").args(import))
            .is_some()
}

/// The folder into which npm has installed the library for everybody.
fn node_modules() -> Option<PathBuf> {
    if !(needs("node") && needs("npm")) {
        return None;
    }
    let script = "root=$(npm root -g) && test -d \"$root/standardwebhooks\" && echo \"$root\"";
    let found =
        needs_success("npm install -g standardwebhooks", Command::new("sh").args(["-c", script]))?;
    Some(PathBuf::from(found))
}

/// A receiver of `examples/receivers` that has this secret, and its URL.
fn receiver(program: &str, script: &Path, secret: &str) -> (Program, String) {
    let running =
        Program::start(Command::new(program).arg(script).arg("0").env("HOOKS_SECRET", secret));
    let line = running.stdout_line("listening on ");
    let url = line.trim_start_matches("listening on ").to_owned();
    (running, url)
}

fn add(sandbox: &Sandbox, url: &str, secret: &str) -> String {
    sandbox.write("secret", secret);
    sandbox.add_with(url, "PostDeployment", ["--secret-file", "secret"])
}

fn rotate(sandbox: &Sandbox, id: &str, secret: &str) {
    sandbox.write("secret", secret);
    sandbox.hooks(["edit", id, "--secret-file", "secret"]).run().assert_code(0);
}

/// The library of `program` verifies deliveries with the right secret, with a wrong one, and with two secrets.
fn verifies_real_deliveries(program: &str, script: &Path) {
    let sandbox = Sandbox::new();
    let (old_receiver, old_url) = receiver(program, script, &secret(1));
    let (new_receiver, new_url) = receiver(program, script, &secret(2));
    let old = add(&sandbox, &old_url, &secret(1));
    let new = add(&sandbox, &new_url, &secret(1));
    sandbox.publish().assert_code(3);
    let codes = |ids: [&String; 2]| ids.map(|id| sandbox.hook(id)["last_code"].clone());
    assert_eq!(codes([&old, &new]), [204, 401], "a wrong secret fails");
    for id in [&old, &new] {
        rotate(&sandbox, id, &secret(2));
    }
    sandbox.publish().assert_code(0);
    assert_eq!(codes([&old, &new]), [204, 204], "both secrets sign");
    for id in [&old, &new] {
        let edited = sandbox.hooks(["edit", id, "--no-secret"]).run();
        edited.assert_code(0);
    }
    sandbox.publish().assert_code(3);
    assert_eq!(codes([&old, &new]), [401, 401], "unsigned");
    let deployed = |receiver: Program| receiver.end().matches("deployed: ").count();
    assert_eq!([old_receiver, new_receiver].map(deployed), [2, 1]);
}

/// Reads a delivery on standard input, `name: value` lines, an empty line and the body, and verifies it.
const PYTHON_VERIFY: &str = r#"
import os, sys
from standardwebhooks import Webhook
head, body = sys.stdin.buffer.read().split(b"\n\n", 1)
headers = dict(line.split(": ", 1) for line in head.decode().split("\n"))
deployment = Webhook(os.environ["SECRET"]).verify(body, headers)
print("verified", deployment["id"])
"#;

/// What the Python library says to this request.
fn python_says(sandbox: &Sandbox, secret: &str, request: &Request) -> String {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let head = names.map(|name| format!("{name}: {}", request.the_header(name)));
    let delivery = [head.join("\n").as_bytes(), b"\n\n", &request.body].concat();
    let delivery = sandbox.write("delivery", delivery);
    let input = std::fs::File::open(delivery).expect("it was just written");
    let output = Command::new("python3")
        .args(["-c", PYTHON_VERIFY])
        .env("SECRET", secret)
        .stdin(input)
        .output()
        .expect("python3 is there");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.trim_end().lines().last().unwrap_or_default().to_owned()
}

const REFUSED: &str =
    "standardwebhooks.webhooks.WebhookVerificationError: No matching signature found";

#[test]
fn the_official_python_library_verifies_the_bytes_and_notices_each_change() {
    if !has_python_library() {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(500), Reply::status(200)]);
    add(&sandbox, &receiver.url("/"), &secret(1));
    sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT, "--retries", "0"]).run().assert_code(3);
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    for request in receiver.wait_for(2) {
        let said = |secret: &str, request: &Request| python_says(&sandbox, secret, request);
        assert!(said(&secret(1), &request).starts_with("verified "));
        assert_eq!(said(&secret(2), &request), REFUSED, "a wrong secret");
        let mut changed = request.clone();
        changed.body[40] ^= 1;
        assert_eq!(said(&secret(1), &changed), REFUSED, "a changed byte");
        let mut other = request.clone();
        for (name, value) in &mut other.headers {
            if name.eq_ignore_ascii_case("webhook-id") {
                value.pop();
            }
        }
        assert_eq!(said(&secret(1), &other), REFUSED, "another id");
    }
}

#[test]
fn the_official_python_library_verifies_a_rotated_delivery_by_the_old_and_by_the_new_secret() {
    if !has_python_library() {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let id = add(&sandbox, &receiver.url("/"), &secret(1));
    rotate(&sandbox, &id, &secret(2));
    sandbox.publish().assert_code(0);
    let request = receiver.request();
    for key in [1, 2] {
        assert!(python_says(&sandbox, &secret(key), &request).starts_with("verified "));
    }
    assert_eq!(python_says(&sandbox, &secret(3), &request), REFUSED);
}

#[test]
fn the_receiver_in_python_accepts_what_is_signed_by_its_secret_alone() {
    if has_python_library() {
        verifies_real_deliveries("python3", &Path::new(EXAMPLES).join("verify.py"));
    }
}

#[cfg(unix)]
#[test]
fn the_receiver_in_node_accepts_what_is_signed_by_its_secret_alone() {
    let Some(modules) = node_modules() else {
        return;
    };
    // Node looks for modules beside the script, so the script is copied to where they are.
    let folder = Sandbox::new();
    let text = std::fs::read(Path::new(EXAMPLES).join("verify.mjs")).unwrap();
    let script = folder.write("verify.mjs", text);
    std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
    verifies_real_deliveries("node", &script);
}

#[test]
fn debians_webhook_runs_its_command_on_a_delivery_and_refuses_a_wrongly_signed_one() {
    if !needs("webhook") {
        return;
    }
    let sandbox = Sandbox::new();
    // The example, with a command that exists on every machine.
    let example = std::fs::read_to_string(Path::new(EXAMPLES).join("webhook.json")).unwrap();
    let mut configuration: serde_json::Value = serde_json::from_str(&example).unwrap();
    configuration[0]["execute-command"] = "/bin/mkdir".into();
    configuration[0]["command-working-directory"] = sandbox.path().to_str().unwrap().into();
    let configuration = sandbox.write("webhook.json", configuration.to_string());
    let port = free_port();
    let webhook = Program::start(
        Command::new("webhook")
            .args(["-template", "-verbose", "-ip", "127.0.0.1", "-port"])
            .arg(port.to_string())
            .arg("-hooks")
            .arg(configuration)
            .env("HOOKS_SECRET", secret(1)),
    );
    webhook.stderr_line("serving hooks on");
    let url = format!("http://127.0.0.1:{port}/hooks/deployed");
    let id = add(&sandbox, &url, &secret(2));
    let publish = |deployment: &str| {
        let arguments = ["publish", "PostDeployment", deployment, "--retries", "0"];
        sandbox.hooks(arguments).run()
    };
    publish(r#"{"id":"forged","status":"success"}"#).assert_code(3);
    assert_eq!(sandbox.hook(&id)["last_code"], 403);
    rotate(&sandbox, &id, &secret(1));
    publish(r#"{"id":"run-üñ","status":"success"}"#).assert_code(0);
    assert!(sandbox.has("run-üñ") && sandbox.has("success"));
    assert!(!sandbox.has("forged"));
    publish(r#"{"id":"run-üñ","status":"success"}"#).assert_code(3);
    assert_eq!(sandbox.hook(&id)["last_code"], 500, "its command failed");
    // GitHub's header has one signature: after a rotation that of the new secret.
    rotate(&sandbox, &id, &secret(2));
    publish(r#"{"id":"rotated","status":"failed"}"#).assert_code(3);
    assert!(!sandbox.has("rotated"));
}
