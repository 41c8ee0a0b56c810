//! `hooks test`.

use crate::support::{Receiver, Reply, Sandbox};

#[test]
fn a_test_sends_a_sample_that_is_marked_as_one_with_the_hooks_own_event() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/a"), "PostDeployment");
    sandbox.add(&receiver.url("/b"), "*");
    for (id, event) in [("1", "PostDeployment"), ("2", "Test")] {
        let tested = sandbox.hooks(["test", id, "--json"]).run();
        tested.assert_code(0);
        assert_eq!(tested.json()["event"], event);
        assert_eq!(tested.json()["deliveries"].as_array().unwrap().len(), 1);
        let request = receiver.requests().pop().unwrap();
        assert_eq!(request.the_header("webhook-event"), event);
        let sample = request.json();
        for key in [
            "id",
            "status",
            "author",
            "author_email",
            "message",
            "deployer",
            "start_time",
            "end_time",
        ] {
            assert!(sample[key].is_string(), "{key} in {sample:#}");
        }
        assert!(request.text().to_lowercase().contains("test"), "{sample:#}");
    }
}

#[test]
fn a_test_ignores_the_filter_and_a_disabled_hook() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let id = sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--status", "failed"]);
    sandbox.hooks(["edit", &id, "--disable"]).run().assert_code(0);
    sandbox.hooks(["test", &id]).run().assert_code(0);
    receiver.request();
    assert_eq!(sandbox.hook(&id)["enabled"], false, "it stays disabled");
}

#[test]
fn a_test_that_fails_is_logged_and_never_sent_again_by_itself() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(404)]);
    let id = sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.hooks(["test", &id]).run().assert_code(3);
    assert_eq!(sandbox.log()[0]["state"], "failed");
    let again = sandbox.hooks(["redeliver", "--failed", "--now", "--json"]).run();
    again.assert(0, "[]\n", &again.stderr);
    receiver.request();
}

#[test]
fn a_test_of_a_hook_that_is_not_there_is_exit_code_5() {
    let sandbox = Sandbox::new();
    sandbox.hooks(["test", "7"]).run().assert_code(5).assert_stderr_has(&["error: ", "7"]);
}

#[test]
fn several_hooks_are_tested_at_once_each_by_a_publication_of_its_own() {
    let sandbox = Sandbox::new();
    let receiver =
        Receiver::answering([Reply::status(200), Reply::status(404), Reply::status(200)]);
    sandbox.add_with(&receiver.url("/1"), "A", ["--name", "chat"]);
    sandbox.add(&receiver.url("/2"), "*");
    sandbox.add(&receiver.url("/3"), "C");
    let tested = sandbox.hooks(["test", "3", "chat", "2", "1", "--json", "--jobs", "1"]).run();
    tested.assert_code(3);
    let publications = tested.json();
    let events: Vec<_> = publications
        .as_array()
        .unwrap()
        .iter()
        .map(|publication| {
            let deliveries = publication["deliveries"].as_array().unwrap();
            assert_eq!(deliveries.len(), 1, "{publication:#}");
            (publication["event"].clone(), deliveries[0]["delivered"].clone())
        })
        .collect();
    let expected = [("C", true), ("A", false), ("Test", true)];
    assert_eq!(events, expected.map(|(event, is)| (event.into(), is.into())));
    let ids: std::collections::HashSet<_> = receiver
        .requests()
        .iter()
        .map(|request| request.the_header("webhook-id").to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(sandbox.log().len(), 3);
    let lines = sandbox.hooks(["test", "1", "2"]).run();
    lines.assert_code(0);
    assert_eq!(lines.stdout.lines().count(), 2);
}

#[test]
fn with_an_unknown_hook_among_them_none_is_tested() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::never();
    sandbox.add(&receiver.url("/"), "E");
    let said = "error: no hook has the id or name 7 or chat\nhint: see 'hooks list'\n";
    sandbox.hooks(["test", "1", "7", "chat"]).run().assert(5, "", said);
}
