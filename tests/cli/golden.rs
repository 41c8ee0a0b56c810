//! One session with each verb, compared with a recorded one: exit codes, both streams, files and requests.
//!
//! What varies is masked. `HOOKS_RENEW=1 cargo test --test cli golden` records the sessions anew in
//! `fixtures/golden/`, where the change of a file shows the change of the interface.

mod mask;
mod session;

use crate::support::{DEPLOYMENT, Reply, refused_url};
use session::Session;

const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";

/// A URL with a password, a token and a query value, all of which are masked in text.
const SECRET_URL: &str = "https://user:p%40ss@h.example/services/T0AB12CD34EF56GH78?key=value";

/// A registry with hooks of several kinds, as another session left it.
const REGISTRY: &str = r#"{
  "version": 1,
  "next_id": 5,
  "hooks": [
    {
      "id": 1,
      "url": "https://user:p%40ss@h.example/services/T0AB12CD34EF56GH78?key=value",
      "event": "PostDeployment",
      "insecure_ssl": true,
      "status": ["failed", "success"],
      "headers": {"X-Team": "ops"},
      "last_datetime": "2013-06-06T01:24:18.000Z",
      "last_status": "OK",
      "last_code": 200,
      "last_reason": "delivered",
      "last_context": "{\"id\":\"41\"}"
    },
    {
      "id": 2,
      "url": "https://h.example/2",
      "event": "*",
      "insecure_ssl": false,
      "format": "slack",
      "last_datetime": "2013-06-06T01:24:18.000Z",
      "last_status": "Not Found",
      "last_code": 404,
      "last_reason": "no such channel",
      "last_context": "{}"
    },
    {
      "id": 3,
      "url": "https://h.example/3",
      "event": "Backup",
      "insecure_ssl": false,
      "enabled": false
    },
    {
      "id": 4,
      "url": "https://h.example/4",
      "event": "Backup",
      "insecure_ssl": false,
      "template": "{\"text\": {{ message }} }"
    }
  ]
}
"#;

#[test]
fn add() {
    let mut session = Session::new();
    session.write("secret", SECRET);
    session.write("template", "{\"text\": {{ message }} }\n");
    session.run("add --url https://h.example/1 --event PostDeployment");
    session.run("add --url https://h.example/1 --event PostDeployment");
    session.run("add --url https://h.example/1 --event PostDeployment --json");
    session.run("add --url https://h.example/1 --event Backup");
    session.run("add --url https://h.example/1 --event PostDeployment --insecure-ssl");
    let add = format!("add --url {SECRET_URL} --event * --insecure-ssl --status failed,success");
    let add = format!("{add} --header 'X-Team: ops' --secret-file secret --format slack");
    session.run(&add);
    session.run(&format!("{add} --json"));
    let add = "add --url https://h.example/3 --event Backup";
    session.run(&format!("{add} --generate-secret --template template"));
    session.run("add --url https://h.example/4 --event Backup --status rolled-back");
    session.run("add --url ftp://h.example/ --event Backup");
    session.run("add --url https://h.example/5");
    session.run("add --url https://h.example/5 --event 'two words'");
    session.run("add --url https://h.example/5 --event Backup --template absent");
    session.compare("add");
}

#[test]
fn list() {
    let mut session = Session::new();
    session.run("list");
    session.run("list --json");
    session.write("hooks.json", REGISTRY);
    session.run("list");
    session.run("list --json");
    session.run("list --event postdeployment");
    session.run("list --reveal --color always");
    session.run("list --event 'two words'");
    session.write("hooks.json", "{\n  \"version\": 1,\n  \"hooks\": [,]\n}\n");
    session.run("list");
    session.write("hooks.json", "{\"version\": 99, \"hooks\": []}\n");
    session.run("list");
    session.compare("list");
}

#[test]
fn show() {
    let mut session = Session::new();
    session.write("hooks.json", REGISTRY);
    for id in 1..=5 {
        session.run(&format!("show {id}"));
        session.run(&format!("show {id} --json"));
    }
    session.run("show 1 --reveal");
    session.run("show one");
    session.compare("show");
}

#[test]
fn edit() {
    let mut session = Session::new();
    session.write("hooks.json", REGISTRY);
    session.write("secret", SECRET);
    session.run("edit 2 --url https://h.example/new --event Backup");
    session.run("edit 2 --status failed --header 'X-Team: ops' --json");
    session.run("edit 2 --secret-file secret --disable");
    session.run("edit 2 --status '' --header X-Team: --enable --no-secret");
    session.run("edit 2 --generate-secret");
    session.run("edit 2 --enable");
    session.run("edit 2 --url https://h.example/3");
    session.run("edit 2");
    session.run("edit 9 --disable");
    session.compare("edit");
}

#[test]
fn remove() {
    let mut session = Session::new();
    session.write("hooks.json", REGISTRY);
    session.run("remove 1 9");
    session.run("remove 1 3");
    session.run("remove --force 2 9");
    session.run("rm 4 --json");
    session.run("rm 4");
    session.compare("remove");
}

/// Each format, and a template.
#[test]
fn publish_formats() {
    let mut session = Session::with_replies([Reply::status(200)]);
    session.write("template", "{\"text\": {{ status ~ \": \" ~ message }} }\n");
    session.write("deploy.json", DEPLOYMENT);
    session.add("/raw", "PostDeployment", []);
    session.add("/template", "*", ["--template", "template"]);
    for format in ["slack", "discord", "teams", "cloudevents"] {
        session.add(&format!("/{format}"), "PostDeployment", ["--format", format]);
    }
    session.run("publish PostDeployment @deploy.json");
    session.compare("publish_formats");
}

/// Each kind of outcome.
#[test]
fn publish_outcomes() {
    let mut session = Session::with_replies([
        Reply::status(200),
        Reply::status(404).body("no such\nchannel"),
        Reply::status(302).header("location", "https://h.example/new?key=value"),
        Reply::status(410).body("gone"),
        Reply::status(500),
        Reply::status(503).header("retry-after", "0").body("busy"),
        Reply::status(200),
    ]);
    for path in ["/200", "/404", "/302", "/410", "/500"] {
        session.add(path, "PostDeployment", []);
    }
    session.sandbox.add(refused_url(), "PostDeployment");
    session.add("/503", "Backup", []);
    session.run("publish PostDeployment '{\"id\":\"42\"}' --retries 0 --json");
    session.run("publish Backup '{\"id\":\"42\"}' -v");
    session.compare("publish_outcomes");
}

/// What is sent of a deployment, and what is refused.
#[test]
fn publish() {
    let mut session = Session::with_replies([Reply::status(200)]);
    session.write("secret", SECRET);
    let raw = ["--header", "X-Team: ops", "--secret-file", "secret"];
    let url = session.url_as("http://user:p%40ss@127.0.0.1", "/raw?key=value");
    session.sandbox.add_with(&url, "PostDeployment", raw);
    session.add("/slack", "*", ["--format", "slack", "--status", "success"]);
    session.add("/disabled", "*", []);
    session.run("edit 3 --disable");
    let deployment = r#"{ "status": "failed", "n": 1e400, "n": 0.10, "message": "Fix \"it\"" }"#;
    session.run_with_input("publish PostDeployment - -v", deployment);
    session.run("publish PostDeployment --id 42 --status success --message 'My fix' --set n:=2");
    session.run("publish PostDeployment '{\"status\":\"success\"}' --json");
    session.run("publish PostDeployment '{\"status\":\"success\"}' --quiet");
    session.run("publish PostDeployment '{\"status\":\"success\"}' --dry-run");
    session.run("publish PostDeployment '{\"status\":\"failed\"}' --dry-run --reveal");
    session.run("publish Backup '{}'");
    session.run("publish Backup '{}' --json");
    session.run("publish Backup '[]'");
    session.run_with_input("publish Backup", "{\"a\":}");
    session.run("publish Backup '{}' --timeout soon");
    session.run("publish");
    session.compare("publish");
}

#[test]
fn run() {
    let mut session = Session::with_replies([Reply::status(200), Reply::status(404)]);
    session.add("/", "PostDeployment", []);
    session.run("run PostDeployment --id 42 -- sh -c 'echo deployed; echo careful >&2; exit 7'");
    session.run("run PostDeployment --set n:=1 -- true");
    session.run("run PostDeployment -- no-such-command");
    session.run("run Backup -- true");
    session.run("run PostDeployment true");
    session.compare("run");
}

#[test]
fn test() {
    let mut session = Session::with_replies([
        Reply::status(200),
        Reply::status(200),
        Reply::status(404).body("no such channel"),
    ]);
    session.add("/raw", "PostDeployment", []);
    session.add("/slack", "*", ["--format", "slack"]);
    session.run("test 1");
    session.run("test 2 --json");
    session.run("test 1");
    session.run("test 9");
    session.run("test one");
    session.compare("test");
}

#[test]
fn log() {
    let mut session = Session::with_replies([
        Reply::status(200),
        Reply::status(404).body("no such\nchannel"),
        Reply::status(200),
    ]);
    session.add("/1?key=value", "PostDeployment", []);
    session.add("/2", "*", []);
    session.run("log");
    session.run("log --json");
    session.run("publish PostDeployment '{\"id\":\"42\",\"status\":\"success\"}'");
    session.run("test 1");
    session.run("log");
    session.run("log -v");
    session.run("log --json");
    session.run("log 2 --failed");
    session.run("log -n 1 --reveal -v");
    session.run("log 9");
    session.compare("log");
}

#[test]
fn redeliver() {
    let mut session = Session::with_replies([
        Reply::status(500),
        Reply::status(404).body("no such channel"),
        Reply::status(500),
        Reply::status(200),
    ]);
    session.write("secret", SECRET);
    session.add("/1", "PostDeployment", ["--secret-file", "secret"]);
    session.add("/2", "*", []);
    session.run("redeliver --failed");
    session.run("publish PostDeployment '{\"id\":\"42\"}' --retries 0");
    session.run("redeliver --failed --retries 0");
    session.run("redeliver --failed");
    session.run("redeliver --failed --now --json");
    session.run("redeliver 2");
    let id = session.sandbox.log()[0]["id"].clone();
    let id = id.as_str().expect("an id is text");
    session.run(&format!("redeliver {id} --json"));
    session.run("redeliver --failed --json");
    session.run("redeliver 9");
    session.run("redeliver msg_none");
    session.run("redeliver");
    session.compare("redeliver");
}

#[test]
fn listen() {
    let mut session = Session::new();
    session.write("secret", SECRET);
    let listen = "listen --port 0 --count 2 --secret-file secret --respond 503";
    let listening = session.spawn(listen);
    let line = listening.stderr_line("listening on ");
    let url = line.trim_start_matches("listening on ").to_owned();
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
    session.mask_port(port.expect("the URL has a port"));
    let secret = ["--secret-file", "secret"];
    session.sandbox.add_with(&url, "PostDeployment", secret);
    session.sandbox.add(&format!("{url}/unsigned"), "Backup");
    session.run("publish PostDeployment '{\"id\":\"42\"}' --retries 0");
    session.run("publish Backup '{}' --retries 0");
    session.write_all(listen, &listening.wait());
    session.run("listen --port x");
    session.compare("listen");
}
