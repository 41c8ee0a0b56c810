//! `--defer`: the event is on the disk when the command returns, and nothing has been sent.

use serde_json::json;

use crate::support::{Receiver, Reply, Request, Sandbox, one_uncalled_hook};

#[test]
fn a_deferred_event_is_kept_and_sent_by_the_next_redeliver_byte_for_byte() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let content = "{ \"n\": 1e400 }";
    let deferred = sandbox.hooks(["publish", "PostDeployment", content, "--defer"]).run();
    deferred.assert(0, &format!("deferred   hook 1  {}\n", receiver.url("/")), "");
    assert_eq!(receiver.count(), 0);
    assert_eq!(sandbox.log()[0]["state"], "deferred");
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    assert_eq!(receiver.request().text(), content);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    assert_eq!(receiver.count(), 1);
}

#[test]
fn its_json_says_so_and_a_run_can_be_deferred_too() {
    let (sandbox, receiver) = one_uncalled_hook();
    let deferred = sandbox.hooks(["publish", "PostDeployment", "{}", "--defer", "--json"]).run();
    let delivery =
        json!({"hook": 1, "url": receiver.url("/"), "delivered": false, "state": "deferred"});
    assert_eq!(deferred.json()["deliveries"], json!([delivery]));
    let run = ["run", "PostDeployment", "--defer", "--", "sh", "-c", "exit 3"];
    let ran = sandbox.hooks(run).run();
    ran.assert_code(3);
    ran.assert_stderr_has(&["with the status failed", "deferred   hook 1"]);
    let states: Vec<_> = sandbox.log().iter().map(|l| l["state"].clone()).collect();
    assert_eq!(states, ["deferred", "deferred"]);
}

#[test]
fn what_cannot_be_kept_is_an_error() {
    let (sandbox, _receiver) = one_uncalled_hook();
    std::fs::create_dir(sandbox.path().join("hooks.json.journal")).unwrap();
    let deferred = sandbox.hooks(["publish", "PostDeployment", "{}", "--defer"]).run();
    deferred.assert_code(1);
    deferred.assert_stderr_has(&["error: could not write the journal"]);
}

#[cfg(target_os = "linux")]
#[test]
fn it_syncs_at_most_three_times_and_connects_to_nobody() {
    use crate::support::{Scope, Strace};
    let Some(strace) = Strace::find() else { return };
    let (sandbox, _receiver) = one_uncalled_hook();
    let defer = sandbox.hooks(["publish", "PostDeployment", "{}", "--defer"]);
    let (ended, calls) = strace.calls(defer, Scope::All);
    ended.assert_code(0);
    let made = |name: &str| calls.iter().filter(|call| call.to_string().contains(name)).count();
    let syncs = made("fsync") + made("fdatasync");
    assert!((1..=3).contains(&syncs), "{syncs} syncs");
    assert_eq!(made("connect"), 0);
}

#[test]
fn events_that_were_deferred_arrive_in_their_order() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200)]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    for number in 0..20 {
        let content = format!("{{\"n\":{number}}}");
        sandbox.hooks(["publish", "PostDeployment", &content, "--defer"]).run().assert_code(0);
    }
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    let texts: Vec<String> = receiver.requests().iter().map(Request::text).collect();
    let expected: Vec<String> = (0..20).map(|n| format!("{{\"n\":{n}}}")).collect();
    assert_eq!(texts, expected);
}
