//! Many processes at one registry at the same moment: every change counts, and no reader sees half of one.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::support::{DEPLOYMENT, Process, Receiver, Reply, Sandbox, hook_json};

/// Writes a registry of hooks 1 to `count`.
fn with_hooks(sandbox: &Sandbox, count: u64, url: impl Fn(u64) -> String) {
    let hooks: Vec<_> = (1..=count).map(|id| hook_json(id, url(id), "PostDeployment")).collect();
    sandbox.write_hooks(&hooks);
}

fn urls(registry: &Value) -> BTreeSet<String> {
    let hooks = registry["hooks"].as_array().expect("an array of hooks");
    let urls: BTreeSet<_> =
        hooks.iter().map(|hook| hook["url"].as_str().expect("a URL").to_owned()).collect();
    assert_eq!(urls.len(), hooks.len(), "a URL is there twice");
    urls
}

fn start_add(sandbox: &Sandbox, url: &str) -> Process {
    sandbox.hooks_add(url, "PostDeployment").spawn()
}

fn start_remove(sandbox: &Sandbox, id: usize) -> Process {
    sandbox.hooks(["remove", &id.to_string()]).spawn()
}

fn added(number: usize) -> String {
    format!("https://h.example/added/{number}")
}

#[test]
fn two_hundred_adds_at_once_are_two_hundred_hooks() {
    let sandbox = Sandbox::new();
    let running: Vec<_> = (0..200).map(|number| start_add(&sandbox, &added(number))).collect();
    for process in running {
        process.wait().assert_code(0);
    }
    let registry = sandbox.registry();
    assert_eq!(urls(&registry), (0..200).map(added).collect());
    let ids: BTreeSet<_> = sandbox.ids().into_iter().collect();
    assert_eq!(ids, (1..=200).map(|id: u32| id.to_string()).collect());
    assert_eq!(registry["next_id"], 201);
}

#[test]
fn a_hundred_adds_and_a_hundred_removes_at_once_leave_exactly_what_was_added() {
    let sandbox = Sandbox::new();
    with_hooks(&sandbox, 120, |id| format!("https://h.example/old/{id}"));
    let mut running = Vec::new();
    for number in 0..100 {
        running.push(start_add(&sandbox, &added(number)));
        running.push(start_remove(&sandbox, number + 1));
    }
    for process in running {
        process.wait().assert_code(0);
    }
    let stayed = (101..=120).map(|id| format!("https://h.example/old/{id}"));
    let expected: BTreeSet<_> = (0..100).map(added).chain(stayed).collect();
    assert_eq!(urls(&sandbox.registry()), expected);
    assert_eq!(sandbox.registry()["next_id"], 221);
}

#[test]
fn a_publish_amid_fifty_adds_and_removes_changes_nothing_but_the_last_delivery() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    // The first ten get the event; the others are there to be removed.
    with_hooks(&sandbox, 60, |id| {
        if id <= 10 {
            receiver.url(&format!("/{id}"))
        } else {
            format!("https://h.example/old/{id}")
        }
    });
    let mut registry = sandbox.registry();
    for hook in registry["hooks"].as_array_mut().expect("hooks").iter_mut().skip(10) {
        hook["event"] = "Other".into();
    }
    registry["kept"] = json!({"by": "hand"});
    sandbox.write("hooks.json", registry.to_string());
    let publish = sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT]).spawn();
    receiver.wait_for(10);
    let mut running = Vec::new();
    for number in 0..50 {
        running.push(start_add(&sandbox, &added(number)));
        running.push(start_remove(&sandbox, number + 11));
        if number == 25 {
            // The outcomes arrive between the changes.
            receiver.release();
        }
    }
    for process in running {
        process.wait().assert_code(0);
    }
    publish.wait().assert_code(0);
    let after = sandbox.registry();
    assert_eq!(after["kept"], registry["kept"]);
    let published = (1..=10).map(|id| receiver.url(&format!("/{id}")));
    assert_eq!(urls(&after), (0..50).map(added).chain(published).collect());
    for hook in after["hooks"].as_array().expect("hooks") {
        let mut hook = hook.clone();
        let keys = hook.as_object_mut().expect("an object");
        let was_called = keys["id"].as_u64().is_some_and(|id| id <= 10);
        assert_eq!(keys.contains_key("last_status"), was_called, "{keys:?}");
        keys.retain(|key, _| !key.starts_with("last_"));
        let plain = json!({
            "id": keys["id"], "url": keys["url"], "event": "PostDeployment", "insecure_ssl": false
        });
        assert_eq!(hook, plain);
    }
}

#[test]
fn readers_see_a_whole_registry_at_every_moment_of_five_hundred_writes() {
    let sandbox = Sandbox::new();
    with_hooks(&sandbox, 40, |id| format!("https://h.example/old/{id}"));
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        // One reader is the binary; the other, in this process, is much faster.
        let listing = scope.spawn(|| {
            let mut lists = 0;
            while !ended.load(Ordering::SeqCst) {
                let list = sandbox.hooks(["list", "--json"]).run();
                list.assert(0, &list.stdout, "");
                let hooks = list.json();
                let count = hooks.as_array().expect("an array").len();
                assert!((40..=42).contains(&count), "{count} hooks");
                lists += 1;
            }
            lists
        });
        let reading = scope.spawn(|| {
            let mut reads = 0;
            while !ended.load(Ordering::SeqCst) {
                let bytes = fs::read(sandbox.path().join("hooks.json"));
                let bytes = bytes.expect("the registry is there at every moment");
                let registry: Value = serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                    panic!("{error} in {}", String::from_utf8_lossy(&bytes))
                });
                assert!((40..=42).contains(&urls(&registry).len()));
                reads += 1;
                thread::yield_now();
            }
            reads
        });
        let writing: Vec<_> = (0..2)
            .map(|writer| {
                let sandbox = &sandbox;
                scope.spawn(move || {
                    for number in 0..125 {
                        let id = sandbox.add(&added(writer * 1000 + number), "PostDeployment");
                        sandbox.hooks(["remove", &id]).run().assert_code(0);
                    }
                })
            })
            .collect();
        let written: Vec<_> = writing.into_iter().map(thread::ScopedJoinHandle::join).collect();
        ended.store(true, Ordering::SeqCst);
        assert!(written.iter().all(Result::is_ok), "a writer failed");
        let (lists, reads): (u32, u32) = (
            listing.join().expect("list never fails"),
            reading.join().expect("a read never fails"),
        );
        assert!(lists > 20 && reads > 500, "{lists} lists and {reads} reads only");
    });
    assert_eq!(sandbox.ids().len(), 40);
}
