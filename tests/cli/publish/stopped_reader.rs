//! Who has stopped reading standard output holds no verb that publishes, sent or not; who reads slowly gets
//! all of it, and a paused pager is waited for by the verbs that only read.

use std::fmt::Write as _;
use std::io::{PipeReader, PipeWriter, Read as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Sandbox, full_pipe, one_hook, wait_until};

/// What a verb that publishes says when it gives up its reader.
const GIVEN_UP: &str =
    "warning: nobody reads standard output: the rest of the answer is left out\n";

fn start(sandbox: &Sandbox, arguments: &[&str], stdout: PipeWriter) -> Child {
    Command::new(Sandbox::BINARY)
        .args(arguments)
        .env("HOOKS_FILE", sandbox.path().join("hooks.json"))
        .env("LC_ALL", "C.UTF-8")
        .current_dir(sandbox.path())
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .expect("hooks starts")
}

/// Waits for the end, in less than 20 seconds, and gives the exit code and standard error.
#[track_caller]
fn ended(mut child: Child) -> (Option<i32>, String) {
    let mut status = None;
    wait_until(|| {
        status = child.try_wait().expect("hooks can be waited for");
        status.is_some()
    });
    let mut said = String::new();
    let stderr = child.stderr.as_mut().expect("it is piped");
    stderr.read_to_string(&mut said).expect("it says UTF-8");
    (status.and_then(|status| status.code()), said)
}

/// Reads to the end, a page at a time.
fn read_slowly(mut reader: PipeReader) -> String {
    let (mut text, mut page) = (Vec::new(), [0; 4096]);
    loop {
        match reader.read(&mut page).expect("a pipe can be read") {
            0 => return String::from_utf8(text).expect("hooks writes UTF-8"),
            count => text.extend(&page[..count]),
        }
        thread::sleep(Duration::from_millis(30));
    }
}

/// A registry whose hooks have long URLs at an address that refuses connections at once.
fn refusing_hooks(sandbox: &Sandbox, count: usize) {
    let path = "a-long-path/".repeat(100);
    let mut hooks = String::new();
    for id in 1..=count {
        let separator = if id == 1 { "" } else { "," };
        let _ = write!(
            hooks,
            r#"{separator}{{"id":{id},"url":"http://127.0.0.1:9/{path}{id}","event":"E"}}"#
        );
    }
    let registry = format!(r#"{{"version":1,"hooks":[{hooks}]}}"#);
    sandbox.write("hooks.json", registry);
}

#[test]
fn where_nothing_is_sent_a_stopped_reader_is_given_up() {
    let (sandbox, _receiver) = one_hook();
    let redeliver = ["redeliver", "--failed", "--json"];
    for (arguments, is_answered) in [
        (&["publish", "None", "{}", "--json"][..], true),
        (&["publish", "PostDeployment", "{}", "--dry-run"], true),
        (&redeliver, true),
        // With a journal.
        (&["publish", "PostDeployment", "{}"], false),
        (&redeliver, true),
        (&["publish", "PostDeployment", "{}", "--defer", "--json"], true),
        (&["redeliver", "--failed", "--dry-run"], true),
    ] {
        let (_reader, writer) = full_pipe();
        let (code, stderr) = ended(start(&sandbox, arguments, writer));
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        assert_eq!(stderr.contains(GIVEN_UP), is_answered, "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_dry_run_to_many_hooks_is_left_out_but_once_said() {
    let sandbox = Sandbox::new();
    refusing_hooks(&sandbox, 300);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let (code, stderr) = ended(start(&sandbox, &["publish", "E", "{}", "--dry-run"], writer));
    assert_eq!(code, Some(0));
    assert_eq!(stderr, format!("{GIVEN_UP}note: nothing was sent\n"));
    drop(reader);
}

#[test]
fn who_reads_slowly_gets_all_of_a_dry_run() {
    let sandbox = Sandbox::new();
    refusing_hooks(&sandbox, 300);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let started = Instant::now();
    let running = start(&sandbox, &["publish", "E", "{}", "--dry-run"], writer);
    let text = read_slowly(reader);
    assert!(started.elapsed() > Duration::from_secs(3), "it is no test");
    assert_eq!(text.matches("# hook ").count(), 300);
    assert_eq!(text.matches("content-length: 2\n\n{}\n").count(), 300);
    assert_eq!(ended(running), (Some(0), "note: nothing was sent\n".to_owned()));
}

#[test]
fn who_reads_slowly_gets_all_the_json_past_the_deadline() {
    let sandbox = Sandbox::new();
    refusing_hooks(&sandbox, 300);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let publish = ["publish", "E", "{}", "-q", "--json", "--retries", "0"];
    let publish = [&publish[..], &["--deadline", "2s"]].concat();
    let running = start(&sandbox, &publish, writer);
    let publication: Value = serde_json::from_str(&read_slowly(reader)).expect("it is whole");
    assert_eq!(publication["deliveries"].as_array().map(Vec::len), Some(300));
    assert_eq!(ended(running), (Some(3), String::new()));
}

#[test]
fn the_json_of_deliveries_is_given_up_soon_after_the_deadline() {
    let sandbox = Sandbox::new();
    refusing_hooks(&sandbox, 1);
    let (_reader, writer) = full_pipe();
    let publish = ["publish", "E", "{}", "-q", "--json", "--retries", "0"];
    let publish = [&publish[..], &["--deadline", "1s"]].concat();
    let (code, stderr) = ended(start(&sandbox, &publish, writer));
    assert_eq!((code, &*stderr), (Some(3), GIVEN_UP));
}

#[test]
fn a_paused_pager_is_waited_for_where_nothing_is_published() {
    let sandbox = Sandbox::new();
    refusing_hooks(&sandbox, 300);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let running = start(&sandbox, &["list", "--json"], writer);
    // Longer than a stopped reader is waited for.
    thread::sleep(Duration::from_secs(4));
    let hooks: Value = serde_json::from_str(&read_slowly(reader)).expect("it is whole");
    assert_eq!(hooks.as_array().map(Vec::len), Some(300));
    assert_eq!(ended(running), (Some(0), String::new()));
}
