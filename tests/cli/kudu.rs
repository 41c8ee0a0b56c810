//! What Kudu's web hooks promise, by the commands that replace its REST calls.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::{DEPLOYMENT, Receiver, Sandbox};

/// Kudu's own `hooks` file, as its deployment engine left it.
const KUDUS_FILE: &str = include_str!("fixtures/kudu-hooks.json");

fn urls_of(list: &Value) -> Vec<String> {
    let hooks = list.as_array().expect("a list of hooks is an array");
    hooks.iter().map(|hook| hook["url"].as_str().expect("a hook has a URL").to_owned()).collect()
}

#[test]
fn a_published_event_is_posted_and_its_outcome_recorded() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let id = sandbox.add(&receiver.url("/hookCalled/1"), "PostDeployment");
    sandbox.publish().assert_code(0);
    let request = receiver.request();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/hookCalled/1"));
    assert_eq!(request.the_header("content-type"), "application/json");
    assert_eq!(request.text(), DEPLOYMENT);
    let hook = sandbox.hook(&id);
    assert_eq!(hook["last_status"], "OK");
    assert_eq!(hook["last_code"], 200);
    assert_eq!(hook["last_reason"], "delivered");
    assert_eq!(hook["last_context"], DEPLOYMENT);
    assert!(hook["last_datetime"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn the_same_hook_twice_is_one_and_is_called_once() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let url = receiver.url("/hookCalled/1");
    assert_eq!(sandbox.add(&url, "PostDeployment"), sandbox.add(&url, "PostDeployment"));
    assert_eq!(urls_of(&sandbox.hooks(["list", "--json"]).run().json()), [url]);
    sandbox.publish().assert_code(0);
    receiver.request();
}

#[test]
fn a_removed_hook_is_no_longer_called_and_its_neighbours_are() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    for number in 1..=3 {
        sandbox.add(&receiver.url(&format!("/hookCalled/{number}")), "PostDeployment");
    }
    sandbox.publish().assert_code(0);
    sandbox.hooks(["remove", "2"]).run().assert_code(0);
    sandbox.hooks(["show", "2"]).run().assert_code(5);
    sandbox.publish().assert_code(0);
    let mut calls: HashMap<String, u32> = HashMap::new();
    for request in receiver.wait_for(5) {
        *calls.entry(request.target).or_default() += 1;
    }
    let expected = [("/hookCalled/1", 2), ("/hookCalled/2", 1), ("/hookCalled/3", 2)];
    assert_eq!(calls, expected.map(|(path, count)| (path.to_owned(), count)).into());
}

#[test]
fn three_hooks_with_mixed_insecure_ssl_keep_it() {
    let sandbox = Sandbox::new();
    sandbox.add("https://h.example/1", "PostDeployment");
    sandbox.add_with("https://h.example/2", "PostDeployment", ["--insecure-ssl"]);
    sandbox.add_with("https://h.example/3", "PostDeployment", ["--insecure-ssl=false"]);
    let insecure: Vec<_> =
        ["1", "2", "3"].map(|id| sandbox.hook(id)["insecure_ssl"].clone()).into();
    assert_eq!(insecure, [json!(false), json!(true), json!(false)]);
}

#[test]
fn a_custom_event_with_custom_properties_reaches_its_two_hooks_alone() {
    let sandbox = Sandbox::new();
    let (receiver, other) = (Receiver::new(), Receiver::never());
    sandbox.add(&receiver.url("/1"), "TriggeredJobFinished");
    sandbox.add(&receiver.url("/2"), "triggeredjobfinished");
    sandbox.add(&other.url("/"), "PostDeployment");
    let content = r#"{"jobName":"nightly","exit_code":0,"custom":{"any":["thing"]}}"#;
    sandbox.hooks(["publish", "TriggeredJobFinished", content]).run().assert_code(0);
    let requests = receiver.wait_for(2);
    let mut targets: Vec<_> = requests.iter().map(|request| request.target.as_str()).collect();
    targets.sort_unstable();
    assert_eq!(targets, ["/1", "/2"]);
    assert!(requests.iter().all(|request| request.text() == content));
    assert!(
        requests
            .iter()
            .all(|request| request.the_header("webhook-event") == "TriggeredJobFinished")
    );
}

#[test]
fn an_event_without_a_hook_is_a_note() {
    let sandbox = Sandbox::new();
    let other = Receiver::never();
    sandbox.add(&other.url("/"), "Other");
    let published = sandbox.publish();
    published.assert(
        0,
        "",
        "note: no hook is to be called for PostDeployment in [DIR]/hooks.json\n",
    );
}

#[test]
fn kudus_own_file_is_read_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", KUDUS_FILE);
    let listed = sandbox.hooks(["list", "--json"]).run();
    listed.assert_code(0);
    assert_eq!(listed.json()[0]["id"], "635119123456789012");
    assert_eq!(listed.json()[0]["last_datetime"], "2013-08-08T13:24:00.1234567Z");
    assert_eq!(
        urls_of(&listed.json()),
        ["http://127.0.0.1:9/hookCalled/1", "https://user:pass@127.0.0.1:9/hookCalled/2"]
    );
    assert_eq!(listed.json()[1]["insecure_ssl"], true);
    assert_eq!(sandbox.registry_bytes(), KUDUS_FILE.as_bytes(), "reading leaves it as it is");
    sandbox.hooks(["show", "635119123456799999"]).run().assert_code(0).assert_hides("pass@");
}

#[test]
fn the_first_write_turns_kudus_file_into_version_1() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", KUDUS_FILE);
    let id = sandbox.add("https://h.example/", "PostDeployment");
    assert_eq!(id, "1", "numbers of Kudu's size are not counted on");
    let registry = sandbox.registry();
    assert_eq!(registry["version"], 1);
    assert_eq!(registry["next_id"], 2);
    assert_eq!(sandbox.ids().len(), 3);
    let old: Vec<Value> = serde_json::from_str(KUDUS_FILE).unwrap();
    for field in ["url", "event", "last_status", "last_reason", "last_datetime", "last_context"] {
        assert_eq!(sandbox.hook("635119123456789012")[field], old[0][field], "{field}");
    }
}

#[test]
fn a_bare_array_may_be_empty_and_hold_numbers_and_nulls() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", "[]");
    sandbox.hooks(["list", "--json"]).run().assert(0, "[]\n", "");
    assert_eq!(sandbox.add("https://h.example/", "PostDeployment"), "1");
    sandbox.write(
        "hooks.json",
        r#"[{"id": 4, "url": "http://127.0.0.1:9/", "event": "E", "insecure_ssl": null, "last_status": null}]"#,
    );
    let listed = sandbox.hooks(["list", "--json"]).run();
    listed.assert_code(0);
    let plain =
        json!([{"id": 4, "url": "http://127.0.0.1:9/", "event": "E", "insecure_ssl": false}]);
    assert_eq!(listed.json(), plain);
}

#[test]
fn a_last_datetime_in_another_notation_is_kept_and_counts_as_oldest() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let url = receiver.url("/");
    sandbox.write(
        "hooks.json",
        format!(
            r#"[{{"id": "1", "url": "{url}", "event": "E", "last_datetime": "8/8/2013 1:24 PM"}}]"#
        ),
    );
    sandbox.add("https://h.example/", "Other");
    assert_eq!(sandbox.hook("1")["last_datetime"], "8/8/2013 1:24 PM");
    sandbox.hooks(["list"]).run().assert_code(0);
    sandbox.hooks(["publish", "E", "{}"]).run().assert_code(0);
    assert!(sandbox.hook("1")["last_datetime"].as_str().unwrap().starts_with("20"));
}
