//! Three nodes of `RabbitMQ` on loopback, in a test's own folder, with ports and an Erlang cookie of their own.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::free_port;

/// Debian's own start script wants to be root or `rabbitmq`; this one is what it calls.
pub(super) const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// How long a node may take to be there, on a machine that is busy.
const START: Duration = Duration::from_secs(120);

/// A program with all that it has started. It is killed, SIGKILL, when this is dropped or the test's process dies.
pub(super) struct Group(Child);

impl Group {
    /// Runs a shell script in this folder.
    pub(super) fn start(
        script: &str,
        folder: &Path,
        log: &str,
        environment: &[(&str, String)],
    ) -> Self {
        let log = fs::File::create(folder.join(log)).expect("a log can be made");
        // The shell reads from a pipe that nobody writes to, and whose other end is the test's.
        let script = format!("{{ {script}\n}} </dev/null & read -r _; kill -KILL 0");
        let child = Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a file can be cloned"))
            .stderr(log)
            .process_group(0)
            .spawn();
        Self(child.expect("sh can be started"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A node: its name and its ports.
struct Node {
    name: &'static str,
    amqp: u16,
    management: u16,
    running: Option<Group>,
}

pub(super) struct Cluster {
    folder: PathBuf,
    epmd_port: u16,
    nodes: Vec<Node>,
    _epmd: Group,
}

impl Cluster {
    /// Starts the nodes, and waits until they have found each other.
    pub(super) fn start(folder: &Path) -> Self {
        let cookie = folder.join(".erlang.cookie");
        fs::write(&cookie, format!("hooks{}", free_port())).expect("the folder can be written");
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o600)).expect("it is ours");
        fs::write(folder.join("plugins"), "[rabbitmq_management].\n").expect("as above");
        fs::write(folder.join("auth"), "username:guest\npassword:guest\n").expect("as above");
        let epmd_port = free_port();
        let epmd = format!("exec epmd -port {epmd_port} -address 127.0.0.1");
        let node = |name| Node { name, amqp: free_port(), management: free_port(), running: None };
        let mut cluster = Self {
            folder: folder.to_owned(),
            epmd_port,
            nodes: ["a", "b", "c"].map(node).into(),
            _epmd: Group::start(&epmd, folder, "epmd.log", &[]),
        };
        for number in 0..3 {
            cluster.start_node(number);
        }
        cluster.wait_for_all();
        cluster
    }

    /// Starts a node, also again.
    pub(super) fn start_node(&mut self, number: usize) {
        let folder = &self.folder;
        let node = &mut self.nodes[number];
        let mut conf = format!(
            "listeners.tcp.local = 127.0.0.1:{}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {}\n\
             disk_free_limit.absolute = 1MB\ncluster_formation.peer_discovery_backend = classic_config\n",
            node.amqp, node.management
        );
        for (number, name) in ["a", "b", "c"].iter().enumerate() {
            let key = "cluster_formation.classic_config.nodes";
            let _ = writeln!(conf, "{key}.{} = {name}@localhost", number + 1);
        }
        let own = folder.join(node.name);
        fs::create_dir_all(&own).expect("the folder can be written");
        fs::write(own.join("rabbitmq.conf"), conf).expect("as above");
        let path = |name: &str| own.join(name).display().to_string();
        let environment = [
            ("HOME", folder.display().to_string()),
            ("ERL_EPMD_PORT", self.epmd_port.to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_NODENAME", format!("{}@localhost", node.name)),
            ("RABBITMQ_DIST_PORT", free_port().to_string()),
            ("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf")),
            ("RABBITMQ_CONF_ENV_FILE", path("none")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins").display().to_string()),
            ("RABBITMQ_MNESIA_BASE", path("mnesia")),
            ("RABBITMQ_LOG_BASE", path("log")),
            ("RABBITMQ_PID_FILE", path("pid")),
            // Loopback alone, and a processor that is left to others while there is nothing to do.
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none".to_owned(),
            ),
        ];
        let log = format!("{}.log", node.name);
        node.running = Some(Group::start(&format!("exec {SERVER}"), folder, &log, &environment));
    }

    /// Kills a node at once, as a power cut would.
    pub(super) fn kill_node(&mut self, number: usize) {
        self.nodes[number].running = None;
    }

    /// Waits until each node knows of three that run.
    pub(super) fn wait_for_all(&self) {
        let until = Instant::now() + START;
        let running = |node: &Node| {
            let nodes = self.curl(node.name, &[], "nodes");
            let nodes: Value = serde_json::from_str(&nodes).unwrap_or_default();
            let nodes = nodes.as_array().map(Vec::as_slice).unwrap_or_default();
            nodes.iter().filter(|node| node["running"] == true).count() == 3
        };
        while !self.nodes.iter().all(running) {
            assert!(Instant::now() < until, "the nodes did not come up:\n{}", self.logs());
            thread::sleep(Duration::from_millis(250));
        }
    }

    /// What the HTTP API of a node answers.
    pub(super) fn curl(&self, node: &str, options: &[&str], path: &str) -> String {
        let node = self.nodes.iter().find(|known| known.name == node);
        let port = node.expect("a, b or c").management;
        let url = format!("http://127.0.0.1:{port}/api/{path}");
        let curl = Command::new("curl")
            .args(["-sS", "--max-time", "10", "-u", "guest:guest"])
            .args(options)
            .arg(&url)
            .output();
        String::from_utf8_lossy(&curl.expect("curl can be started").stdout).into_owned()
    }

    /// Where an edge publishes to.
    pub(super) fn publish_url(&self, number: usize) -> String {
        let port = self.nodes[number].management;
        format!("http://guest:guest@127.0.0.1:{port}/api/exchanges/%2F/deploys/publish")
    }

    /// The options with which the tools for AMQP find a node.
    pub(super) fn amqp(&self, number: usize) -> String {
        let auth = self.folder.join("auth");
        let port = self.nodes[number].amqp;
        format!("--server=127.0.0.1 --port={port} --authfile={} --heartbeat=60", auth.display())
    }

    /// What the nodes have said, for a message.
    fn logs(&self) -> String {
        let log = |node: &Node| {
            let text = fs::read_to_string(self.folder.join(format!("{}.log", node.name)));
            format!("--- {} ---\n{}\n", node.name, text.unwrap_or_default())
        };
        self.nodes.iter().map(log).collect()
    }
}
