//! The chain of `examples/rabbitmq/`: three nodes, an edge, and a delivery host with one consumer.

#[path = "../../tests/cli/proof/rabbitmq/cluster.rs"]
#[allow(dead_code, reason = "the proof kills and restarts nodes, too")]
mod cluster;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use cluster::{Cluster, Group, SERVER};

use crate::folder::{Folder, PUBLISH, binary};
use crate::measure::{Row, print_rows, seconds};
use crate::receiver::Receiver;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

const PUBLICATIONS: usize = 300;

pub(crate) fn print() {
    if !Path::new(SERVER).exists() {
        println!("The chain is left out: rabbitmq-server is not installed.\n");
        return;
    }
    let nodes = tempfile::tempdir().expect("a temporary folder");
    let cluster = Cluster::start(nodes.path());
    let definitions = format!("@{EXAMPLES}/rabbitmq/definitions.json");
    let json = "content-type: application/json";
    let refused = cluster.curl("a", &["-H", json, "-d", &definitions], "definitions");
    assert_eq!(refused, "");
    print_rows([
        row("edge's `hooks publish`, one after the other", by_edge(&cluster)),
        row("`curl` to the same HTTP API, one after the other", by_curl(&cluster)),
        row("whole chain, from the edge's publish to the receiver", whole(&cluster)),
    ]);
}

fn row(what: &str, publications_a_second: f64) -> (Row, String) {
    let row = Row {
        what: what.to_owned(),
        measured: format!("{publications_a_second:.0} publications a second"),
        bound: String::new(),
        holds: None,
    };
    (row, String::new())
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn each_second(seconds: f64) -> f64 {
    PUBLICATIONS as f64 / seconds
}

fn edge(cluster: &Cluster) -> Folder {
    let edge = Folder::new(0, |_| String::new());
    let template = format!("{EXAMPLES}/templates/rabbitmq.json.j2");
    let mut add = edge.hooks(["add", "--event", "*", "--expect", "\"routed\":true"]);
    add.args(["--template", &template, "--url", &cluster.publish_url(0)]);
    seconds(add);
    edge
}

fn by_edge(cluster: &Cluster) -> f64 {
    let edge = edge(cluster);
    let start = Instant::now();
    for _ in 0..PUBLICATIONS {
        seconds(edge.hooks(PUBLISH));
    }
    let took = start.elapsed();
    purge(cluster);
    each_second(took.as_secs_f64())
}

fn by_curl(cluster: &Cluster) -> f64 {
    let folder = Folder::new(0, |_| String::new());
    folder.write(
        "message.json",
        r#"{"properties":{"delivery_mode":2},"routing_key":"E","payload":"{}","payload_encoding":"string"}"#,
    );
    let url = cluster.publish_url(0);
    let start = Instant::now();
    for _ in 0..PUBLICATIONS {
        seconds(folder.curl(["--data-binary", "@message.json", &url]));
    }
    let took = start.elapsed();
    purge(cluster);
    each_second(took.as_secs_f64())
}

/// From the first publish until the receiver has the last one.
fn whole(cluster: &Cluster) -> f64 {
    let receiver = Receiver::http(Duration::ZERO);
    let host = Folder::new(0, |_| String::new());
    seconds(host.hooks(["add", "--event", "*", "--url", &receiver.url(0)]));
    let _consumer = consumer(cluster, &host);
    let edge = edge(cluster);
    let start = Instant::now();
    for _ in 0..PUBLICATIONS {
        seconds(edge.hooks(PUBLISH));
    }
    while receiver.answered() < PUBLICATIONS {
        assert!(start.elapsed() < Duration::from_secs(300), "the chain stands still");
        thread::sleep(Duration::from_millis(5));
    }
    each_second(start.elapsed().as_secs_f64())
}

fn consumer(cluster: &Cluster, host: &Folder) -> Group {
    let path = std::env::var("PATH").unwrap_or_default();
    let binary = binary();
    let folder = binary.parent().expect("a folder").display();
    let registry = host.path().join("hooks.json").display().to_string();
    let environment =
        [("PATH", format!("{folder}:{path}")), ("HOOKS_FILE", registry), ("AMQP", cluster.amqp(1))];
    let command = format!("amqp-consume $AMQP -q deploys -p 1 -- {EXAMPLES}/rabbitmq/deliver");
    Group::start(&command, host.path(), "consumer.log", &environment)
}

fn purge(cluster: &Cluster) {
    let purged = cluster.curl("a", &["-X", "DELETE"], "queues/%2F/deploys/contents");
    assert_eq!(purged, "");
}
