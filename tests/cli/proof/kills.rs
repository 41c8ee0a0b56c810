//! SIGKILL at random moments, many processes at once: nothing acknowledged is lost or undone.

use std::collections::{BTreeMap, HashSet};
use std::thread;

use super::workers::Worker;
use crate::support::{Receiver, Rng, Sandbox, Signal, complete, figures, scaled};

#[test]
fn a_thousand_kills_lose_nothing_that_was_acknowledged() {
    let kills = scaled(1000, 10_000);
    let (_, seed) = Rng::new();
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", r#"{"version":1,"next_id":1,"hooks":[]}"#);
    let receiver = Receiver::new();
    let ended: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|number| {
                let mut worker = Worker::new(number, &sandbox, &receiver, seed);
                scope.spawn(move || {
                    while worker.kills() < kills / 4 {
                        worker.step(false, |_, call| call.signal(Signal::Kill));
                    }
                    worker
                })
            })
            .collect();
        let ended = workers.into_iter().map(|worker| {
            let repeat = "HOOKS_PROOF_SEED makes the same choices again";
            worker.join().unwrap_or_else(|_| panic!("{repeat}: {seed}"))
        });
        ended.collect()
    });
    let mut killed: BTreeMap<&str, usize> = BTreeMap::new();
    for (verb, count) in ended.iter().flat_map(|worker| &worker.killed) {
        *killed.entry(verb).or_default() += count;
    }
    let finished: usize = ended.iter().map(|worker| worker.finished).sum();
    figures(&format!("killed: {killed:?}; finished before: {finished}; seed {seed}"));
    for verb in ["add", "edit", "remove", "publish", "redeliver"] {
        assert!(killed.contains_key(verb), "no {verb} was killed: {killed:?}");
    }
    complete(&sandbox);
    let log = sandbox.log();
    let known: HashSet<_> = log.iter().filter_map(|line| line["id"].as_str()).collect();
    for request in receiver.requests() {
        let id = request.the_header("webhook-id").to_owned();
        assert!(known.contains(&*id), "{id} was sent and is not on record");
    }
    for publication in ended.iter().flat_map(|worker| &worker.published) {
        for delivery in publication["deliveries"].as_array().expect("deliveries") {
            let on_record = log.iter().any(|line| {
                line["id"] == publication["id"]
                    && line["hook"] == delivery["hook"]
                    && line["state"] == "delivered"
            });
            assert!(on_record, "{publication:#} was acknowledged, and is not on record");
        }
    }
    let urls: HashSet<_> = ended.iter().flat_map(|worker| worker.hooks.keys()).collect();
    for line in log {
        let there = line["url"].as_str().is_some_and(|url| urls.contains(&url.to_owned()));
        assert!(!there || line["state"] == "delivered", "never completed: {line:#}");
    }
}
