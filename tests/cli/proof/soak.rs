//! Eight processes at once on one registry, killed and stopped at random for as long as one likes, beside a
//! receiver that fails at first: nothing acknowledged is lost, no id is used twice, and every event arrives.

use std::collections::{BTreeMap, HashSet};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::workers::Worker;
use crate::support::{Process, Receiver, Reply, Rng, Sandbox, Signal, figures, scaled, wait_until};

/// Kills a process, or stops it for up to 3 s, which may be past its deadline, or lets it be.
fn disturb(chance: &mut Rng, process: &Process) {
    match chance.below(10) {
        0..3 => process.signal(Signal::Kill),
        3..8 => {
            process.signal(Signal::Stop);
            thread::sleep(chance.moment(Duration::from_secs(3)));
            let end = [Signal::Continue, Signal::Continue, Signal::Kill][chance.below(3)];
            process.signal(end);
        }
        _ => {}
    }
}

/// Every third request fails at first.
fn unreliable() -> Receiver {
    let first = (0..90).map(|number| Reply::status(if number % 3 == 0 { 500 } else { 200 }));
    Receiver::answering(first.chain([Reply::status(200)]))
}

/// Sends again until nothing is owed to the hooks that are left.
fn complete(sandbox: &Sandbox) {
    wait_until(|| {
        let redelivered = sandbox.hooks(["redeliver", "--failed", "--now"]).run();
        let is_pending = |line: &Value| line["state"] == "pending";
        redelivered.code() == Some(0) && !sandbox.log().iter().any(is_pending)
    });
}

#[test]
fn eight_processes_killed_and_stopped_lose_nothing_and_deliver_every_event() {
    let until = Instant::now() + Duration::from_secs(scaled(20, 600) as u64);
    let (_, seed) = Rng::new();
    let sandbox = Sandbox::new();
    sandbox.write_hooks(&[]);
    let receiver = unreliable();
    let ended: Vec<Worker> = thread::scope(|scope| {
        let start = |number| {
            let mut worker = Worker::new(number, &sandbox, &receiver, seed);
            scope.spawn(move || {
                while Instant::now() < until {
                    worker.step(true, disturb);
                }
                worker
            })
        };
        let workers: Vec<_> = (0..8).map(start).collect();
        let ended = workers.into_iter().map(|worker| {
            let repeat = "HOOKS_PROOF_SEED makes the same choices again";
            worker.join().unwrap_or_else(|_| panic!("{repeat}: {seed}"))
        });
        ended.collect()
    });
    complete(&sandbox);
    let mut ids: BTreeMap<u64, &str> = BTreeMap::new();
    for (id, url) in ended.iter().flat_map(|worker| &worker.ids) {
        let first = ids.entry(*id).or_insert(url);
        assert_eq!(first, url, "the id {id} was used again; seed {seed}");
    }
    let requests = receiver.requests();
    let arrived: HashSet<_> = requests
        .iter()
        .map(|request| (request.the_header("webhook-id"), &*request.target))
        .collect();
    let hooks: HashSet<_> = ended.iter().flat_map(|worker| worker.hooks.keys()).collect();
    let log = sandbox.log();
    let delivered: HashSet<_> = log
        .iter()
        .filter(|line| line["state"] == "delivered")
        .map(|line| (line["id"].as_str(), line["url"].as_str()))
        .collect();
    let mut events = 0;
    for publication in ended.iter().flat_map(|worker| &worker.published) {
        for delivery in publication["deliveries"].as_array().expect("deliveries") {
            let (id, url) = (publication["id"].as_str(), delivery["url"].as_str());
            let (Some(of), Some(at)) = (id, url) else { panic!("{publication:#}") };
            if !hooks.contains(&at.to_owned()) {
                continue;
            }
            events += 1;
            let path = &at[receiver.url("").len()..];
            assert!(arrived.contains(&(of, path)), "{of} never came to {at}; seed {seed}");
            assert!(delivered.contains(&(id, url)), "{of} to {at} is owed still; seed {seed}");
        }
    }
    let killed: usize = ended.iter().map(Worker::kills).sum();
    let finished: usize = ended.iter().map(|worker| worker.finished).sum();
    figures(&format!(
        "soak: {killed} killed, {finished} finished, {events} deliveries acknowledged, {} requests; seed {seed}",
        requests.len(),
    ));
    assert!(events > 0, "nothing was published");
}
