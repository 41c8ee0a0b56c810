//! `examples/rabbitmq/` whole: from two edges through three real nodes to two delivery hosts, while a node and a
//! consumer are killed.

mod cluster;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use cluster::{Cluster, Group, SERVER};

use crate::support::{Output, Receiver, Sandbox, figures, needs};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// How many publications each of the two edges makes.
const EACH: usize = 500;

/// How many hooks a delivery host has.
const HOOKS: usize = 5;

/// The deadline of an edge's publish.
const DEADLINE: Duration = Duration::from_secs(5);

#[test]
fn a_node_and_a_consumer_are_killed_and_every_publication_arrives() {
    let programs = [SERVER, "epmd", "curl", "amqp-consume"];
    if !programs.into_iter().all(needs) {
        return;
    }
    let begun = Instant::now();
    let folder = Sandbox::new();
    let mut cluster = Cluster::start(folder.path());
    let definitions = format!("@{EXAMPLES}/rabbitmq/definitions.json");
    let json = "content-type: application/json";
    let refused = cluster.curl("a", &["-H", json, "-d", &definitions], "definitions");
    assert_eq!(refused, "");
    let junk = format!("echo no envelope | amqp-publish {} -e deploys -r E -p", cluster.amqp(1));
    sh(&junk);

    let receiver = Receiver::new();
    let hosts = [delivery_host(&receiver), delivery_host(&receiver)];
    let consumers = [
        consumer(&cluster, &hosts[0], 0),
        consumer(&cluster, &hosts[0], 1),
        consumer(&cluster, &hosts[1], 1),
        consumer(&cluster, &hosts[1], 2),
    ];
    let edges = [edge(&cluster, 0), edge(&cluster, 1)];
    let started = Instant::now();
    let (sender, published) = channel();
    let (mut content_of, mut kept) = (HashMap::new(), 0);
    thread::scope(|scope| {
        for (number, edge) in edges.iter().enumerate() {
            let sender = sender.clone();
            scope.spawn(move || publish(edge, number, &sender));
        }
        drop(sender);
        for (count, (id, content, code)) in published.iter().enumerate() {
            match count {
                // The first edge's node, and the leader of the queue.
                300 => cluster.kill_node(0),
                400 => kill_consumer(&hosts[1]),
                600 => cluster.start_node(0),
                _ => {}
            }
            kept += usize::from(code == 3);
            let known = content_of.insert(id, content);
            assert!(known.is_none(), "an id is used twice");
        }
    });
    assert_eq!(content_of.len(), 2 * EACH);
    assert!(kept > 0, "the edge did not notice that its node was down");
    cluster.wait_for_all();
    for edge in &edges {
        let redeliver = edge.hooks(["-q", "redeliver", "--failed", "--now", "--deadline", "60s"]);
        redeliver.run().assert_code(0);
    }
    wait_for_all(&receiver, &hosts);
    let took = started.elapsed();

    let mut times: HashMap<(String, String), usize> = HashMap::new();
    for request in receiver.requests() {
        let id = request.the_header("webhook-id");
        assert_eq!(request.text(), content_of[id], "{id}");
        *times.entry((id.to_owned(), request.target)).or_default() += 1;
    }
    assert_eq!(times.len(), 2 * EACH * HOOKS);
    let duplicates: usize = times.values().map(|times| times - 1).sum();
    // What was in flight at the two kills, and no more.
    assert!(duplicates <= 20 * HOOKS, "{duplicates} duplicates");
    let dead = sh(&format!("amqp-get {} -q deploys.dead", cluster.amqp(2)));
    assert_eq!(dead, "no envelope\n");
    drop(consumers);
    figures(&format!(
        "{} publications, {kept} of them kept at the edge, {} deliveries and {duplicates} duplicates in {took:?}; \
         with the start of the nodes {:?}",
        2 * EACH,
        times.len(),
        begun.elapsed()
    ));
}

/// The one hook of an edge.
fn edge(cluster: &Cluster, node: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let template = format!("{EXAMPLES}/templates/rabbitmq.json.j2");
    let options = ["--template", &template, "--expect", r#""routed":true"#];
    sandbox.add_with(&cluster.publish_url(node), "*", options);
    sandbox
}

/// Publishes, and says of each its id, its content and the exit code.
fn publish(edge: &Sandbox, number: usize, published: &Sender<(String, String, i32)>) {
    for count in 0..EACH {
        let content = format!(
            "{{ \"edge\":{number}, \"n\":{count}.0, \"odd\":1e400,\t\"text\":\"\\ud800 ü\" }}"
        );
        let deadline = format!("{}s", DEADLINE.as_secs());
        let publish =
            ["publish", "PostDeployment", "--json", "--retries", "0", "--deadline", &deadline];
        let output: Output = edge.hooks(publish).arg(&content).run();
        let code = output.code().unwrap_or_default();
        assert!([0, 3].contains(&code), "{}", output.stderr);
        assert!(output.elapsed < 2 * DEADLINE, "{:?}", output.elapsed);
        let id = output.json()["id"].as_str().expect("it has an id").to_owned();
        let sent = published.send((id, content, code));
        sent.expect("they are counted");
    }
}

fn delivery_host(receiver: &Receiver) -> Sandbox {
    let sandbox = Sandbox::new();
    for number in 0..HOOKS {
        sandbox.add(&receiver.url(&format!("/{number}")), "*");
    }
    sandbox
}

/// The consumer of the example's unit, started again when it ends, as systemd does.
fn consumer(cluster: &Cluster, host: &Sandbox, node: usize) -> Group {
    let unit = fs::read_to_string(format!("{EXAMPLES}/rabbitmq/hooks-consumer@.service"));
    let unit = unit.expect("the unit is there");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart="));
    let deliver = format!("{EXAMPLES}/rabbitmq/deliver");
    let command = command.expect("a command").replace("/usr/local/lib/hooks/deliver", &deliver);
    let script =
        format!("while :; do {command} & echo $! >consumer-{node}; wait $!; sleep 0.2; done");
    let binary = Path::new(Sandbox::BINARY).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let environment = [
        ("PATH", format!("{}:{path}", binary.display())),
        ("HOOKS_FILE", host.path().join("hooks.json").display().to_string()),
        ("TMPDIR", host.path().display().to_string()),
        ("AMQP", cluster.amqp(node)),
    ];
    Group::start(&script, host.path(), &format!("consumer-{node}.log"), &environment)
}

/// Kills `amqp-consume` alone: what it has started goes on, while `RabbitMQ` gives the message to another.
fn kill_consumer(host: &Sandbox) {
    let pid = String::from_utf8(host.read("consumer-2")).expect("a number");
    sh(&format!("kill -KILL {pid}"));
}

/// Waits until each publication has come to each hook; meanwhile what failed is sent again, as the timer does.
fn wait_for_all(receiver: &Receiver, hosts: &[Sandbox]) {
    let until = Instant::now() + Duration::from_secs(120);
    let arrived = || {
        let requests = receiver.requests();
        let arrived = requests.iter().map(|r| (r.the_header("webhook-id"), &r.target));
        arrived.collect::<std::collections::HashSet<_>>().len()
    };
    while arrived() < 2 * EACH * HOOKS {
        assert!(Instant::now() < until, "{} have arrived", arrived());
        for host in hosts {
            host.hooks(["-q", "redeliver", "--failed"]).run();
        }
        thread::sleep(Duration::from_millis(500));
    }
}

/// What a shell script prints.
fn sh(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output();
    let output = output.expect("sh can be started");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn only_what_is_no_envelope_goes_to_the_dead_letters() {
    let good = r#"{"specversion":"1.0","id":"1","source":"s","type":"E","data":{}}"#;
    let binary = Path::new(Sandbox::BINARY).parent().expect("a folder");
    let with_hooks = binary.display().to_string();
    for (message, hooks, timeout, taken, dead) in [
        (good, &*with_hooks, "10s", "taken\n", ""),
        ("no envelope", &with_hooks, "10s", "taken\n", "no envelope"),
        // Neither is the message's fault: another consumer gets it.
        (good, &with_hooks, "wrong", "", ""),
        (good, "/nowhere", "10s", "", ""),
    ] {
        let folder = Sandbox::new();
        let letters = folder.write("dead", "");
        let publish =
            folder.write("amqp-publish", format!("#!/bin/sh\ncat >'{}'\n", letters.display()));
        fs::set_permissions(&publish, fs::Permissions::from_mode(0o700)).expect("it is ours");
        folder.write("message", message);
        // amqp-consume's place, which is ended where the message is given back.
        let script = format!("sh '{EXAMPLES}/rabbitmq/deliver' <message && echo taken");
        let output = Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .env("PATH", format!("{}:{hooks}:/usr/bin:/bin", folder.path().display()))
            .env("HOOKS_FILE", folder.path().join("hooks.json"))
            .env("HOOKS_TIMEOUT", timeout)
            .output()
            .expect("sh can be started");
        let case = format!("{message}, {hooks}, {timeout}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), taken, "{case}");
        assert_eq!(String::from_utf8_lossy(&folder.read("dead")), dead, "{case}");
    }
}

#[test]
fn systemd_and_shellcheck_find_nothing_wrong_with_the_example() {
    let folder = format!("{EXAMPLES}/rabbitmq");
    if needs("shellcheck") {
        sh(&format!("shellcheck '{folder}/deliver' >&2"));
    }
    if !needs("systemd-analyze") || !needs("amqp-consume") {
        return;
    }
    for unit in ["hooks-consumer@.service", "hooks-redeliver.service", "hooks-redeliver.timer"] {
        let said = sh(&format!("systemd-analyze verify --man=no '{folder}/{unit}' 2>&1"));
        let own: Vec<&str> = said.lines().filter(|line| line.contains("hooks")).collect();
        assert_eq!(own, [""; 0]);
    }
}
