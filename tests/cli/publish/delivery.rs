//! The request of a delivery, and to which hooks it is sent.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::support::{DEPLOYMENT, Receiver, Reply, Sandbox};

#[test]
fn the_request_is_a_post_with_these_headers_and_no_others() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/a/b?c=d&e"), "PostDeployment");
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    sandbox.hooks(["publish", "postDEPLOYMENT", DEPLOYMENT]).run().assert_code(0);
    let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let request = receiver.request();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/a/b?c=d&e"));
    assert_eq!(request.the_header("host"), format!("127.0.0.1:{}", receiver.port()));
    assert_eq!(request.the_header("content-length"), DEPLOYMENT.len().to_string());
    assert_eq!(request.the_header("content-type"), "application/json");
    assert_eq!(request.the_header("user-agent"), format!("hooks/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(request.the_header("webhook-event"), "postDEPLOYMENT");
    let timestamp: u64 = request.the_header("webhook-timestamp").parse().unwrap();
    assert!((before..=after).contains(&timestamp), "{timestamp}");
    let id = request.the_header("webhook-id");
    assert!(crate::support::is_webhook_id(id), "{id}");
    let mut names: Vec<_> =
        request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    // No transfer-encoding, no expect, no cookie, no signature without a secret.
    names.retain(|name| !["accept", "accept-encoding", "connection"].contains(&name.as_str()));
    assert_eq!(
        names,
        [
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "webhook-event",
            "webhook-id",
            "webhook-timestamp"
        ]
    );
}

#[test]
fn the_hooks_of_a_publication_get_one_id_and_the_next_publication_another() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/1"), "PostDeployment");
    sandbox.add(&receiver.url("/2"), "PostDeployment");
    let first = sandbox.hooks(["publish", "PostDeployment", "{}", "--json"]).run();
    let second = sandbox.hooks(["publish", "PostDeployment", "{}", "--json"]).run();
    let ids: Vec<_> = receiver
        .wait_for(4)
        .iter()
        .map(|request| request.the_header("webhook-id").to_owned())
        .collect();
    assert_eq!((&ids[0], &ids[2]), (&ids[1], &ids[3]));
    assert_ne!(ids[0], ids[2]);
    assert_eq!(
        (first.json()["id"].clone(), second.json()["id"].clone()),
        (json!(ids[0]), json!(ids[2]))
    );
}

#[test]
fn user_and_password_become_basic_authorization_percent_decoded() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    for userinfo in ["user:p%40ss%3A", "token", ":only", "%C3%BC:%E2%82%AC"] {
        sandbox
            .add(&receiver.url_as(&format!("http://{userinfo}@127.0.0.1"), "/"), "PostDeployment");
    }
    let published = sandbox.publish();
    published.assert_code(0).assert_hides("p%40ss").assert_hides("p@ss");
    let mut sent: Vec<_> = receiver
        .wait_for(4)
        .iter()
        .map(|request| request.the_header("authorization").to_owned())
        .collect();
    sent.sort_unstable();
    let mut expected = ["user:p@ss:", "token:", ":only", "ü:€"]
        .map(|plain| format!("Basic {}", crate::support::base64(plain)));
    expected.sort_unstable();
    assert_eq!(sent, expected);
    let host = receiver.requests()[0].the_header("host").to_owned();
    assert_eq!(host, format!("127.0.0.1:{}", receiver.port()));
}

#[test]
fn a_header_of_the_hook_is_sent_and_wins_over_basic_authorization() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add_with(
        &receiver.url_as("http://user:pw@127.0.0.1", "/"),
        "PostDeployment",
        [
            "--header",
            "authorization: Bearer abc",
            "--header",
            "X-Team: ops, dev",
            "--header",
            "User-Agent: mine",
        ],
    );
    sandbox.publish().assert_code(0);
    let request = receiver.request();
    assert_eq!(request.the_header("authorization"), "Bearer abc");
    assert_eq!(request.the_header("x-team"), "ops, dev");
    assert_eq!(request.the_header("user-agent"), "mine");
    for name in ["authorization", "x-team", "user-agent", "content-type", "host"] {
        assert_eq!(request.count(name), 1, "{name}");
    }
}

#[test]
fn a_disabled_hook_gets_nothing() {
    let sandbox = Sandbox::new();
    let (receiver, disabled) = (Receiver::new(), Receiver::never());
    sandbox.add(&receiver.url("/"), "*");
    let id = sandbox.add(&disabled.url("/"), "PostDeployment");
    sandbox.hooks(["edit", &id, "--disable"]).run().assert_code(0);
    let published = sandbox.hooks(["publish", "PostDeployment", "{}", "--json"]).run();
    published.assert_code(0);
    let deliveries = &published.json()["deliveries"];
    let states = [&deliveries[0]["state"], &deliveries[1]["state"]];
    assert_eq!(states, ["delivered", "held"], "{deliveries:#}");
    assert_eq!(receiver.request().the_header("webhook-event"), "PostDeployment", "not the star");
}

#[test]
fn a_fragment_is_not_sent() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let url = receiver.url("/a%20b/%7Ec?d=%26&e#fragment");
    let id = sandbox.add(&url, "PostDeployment");
    sandbox.publish().assert_code(0);
    assert_eq!(receiver.request().target, "/a%20b/%7Ec?d=%26&e");
    assert_eq!(sandbox.hook(&id)["url"], url);
}

#[test]
fn a_name_with_several_addresses_is_tried_at_each() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    // On most machines the first address is ::1, where nothing listens.
    let id = sandbox.add(&receiver.url_as("http://localhost", "/"), "PostDeployment");
    let publish = ["publish", "PostDeployment", "{}", "--retries", "0"];
    sandbox.hooks(publish).run().assert_code(0);
    let host = format!("localhost:{}", receiver.port());
    assert_eq!(receiver.request().the_header("host"), host);
    assert_eq!(sandbox.hook(&id)["last_code"], 200);
}

#[test]
fn a_hand_edited_header_that_cannot_be_sent_fails_its_hook_alone() {
    let sandbox = Sandbox::new();
    let (receiver, broken) = (Receiver::new(), Receiver::never());
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.add(&broken.url("/"), "PostDeployment");
    let mut registry = sandbox.registry();
    registry["hooks"][1]["headers"] = json!({"X-Bad": "hush\r\nX-Injected: 1"});
    sandbox.write("hooks.json", registry.to_string());
    let published = sandbox.publish();
    published.assert_code(3).assert_hides("hush");
    assert!(published.stdout.contains("X-Bad"), "{}", published.stdout);
    assert_eq!(receiver.request().header("x-injected"), None);
    assert_eq!(sandbox.hook("1")["last_code"], 200);
    assert_eq!(sandbox.hook("2")["last_status"], "Failure");
}

#[test]
fn a_registry_that_is_damaged_meanwhile_is_left_alone_and_the_outcome_is_in_the_journal() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]).spawn();
    receiver.wait_for(1);
    sandbox.write("hooks.json", "half an edi");
    receiver.release();
    let published = publish.wait();
    published.assert_code(0).assert_stderr_has(&["warning: ", "[DIR]/hooks.json", "journal"]);
    assert_eq!(sandbox.registry_bytes(), b"half an edi");
    // The log shows the journal, and then the error about the registry.
    let log = sandbox.hooks(["log", "--json"]).run();
    log.assert_code(1).assert_stderr_has(&["[DIR]/hooks.json"]);
    assert!(log.stdout.contains("\"state\":\"delivered\""), "{}", log.stdout);
}
