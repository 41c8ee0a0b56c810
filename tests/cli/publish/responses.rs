//! What counts as delivered, and what is kept and said of it.

use serde_json::json;

use crate::support::{Receiver, Reply, Sandbox, refused_url};

#[test]
fn the_json_of_a_publication_tells_of_every_delivery() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    let bad = Receiver::answering([Reply::status(404).body("no such channel")]);
    sandbox.add(&good.url("/u:p?k=v"), "PostDeployment");
    sandbox.add(&bad.url("/"), "PostDeployment");
    sandbox.add(refused_url(), "PostDeployment");
    let published = sandbox
        .hooks([
            "publish",
            "PostDeployment",
            "{}",
            "--json",
            "--retries",
            "0",
        ])
        .run();
    published.assert_code(3);
    let publication = published.json();
    assert_eq!(publication["event"], "PostDeployment");
    let deliveries = publication["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 3);
    let of = |hook: u64| {
        deliveries
            .iter()
            .find(|delivery| delivery["hook"] == hook)
            .unwrap()
            .clone()
    };
    let mut delivered = of(1);
    assert!(delivered["duration_ms"].is_u64(), "{delivered}");
    delivered.as_object_mut().unwrap().remove("duration_ms");
    assert_eq!(
        delivered,
        json!({
            "hook": 1,
            "url": good.url("/u:p?k=v"),
            "delivered": true,
            "status": "OK",
            "code": 200,
            "reason": "delivered",
            "attempts": 1,
        })
    );
    assert_eq!(
        (
            &of(2)["delivered"],
            &of(2)["status"],
            &of(2)["code"],
            &of(2)["reason"]
        ),
        (
            &json!(false),
            &json!("Not Found"),
            &json!(404),
            &json!("no such channel")
        )
    );
    assert_eq!(
        (&of(3)["delivered"], &of(3)["status"]),
        (&json!(false), &json!("Failure"))
    );
    assert_eq!(of(3).get("code"), None);
    assert!(
        of(3)["reason"]
            .as_str()
            .unwrap()
            .to_lowercase()
            .contains("refused"),
        "{}",
        of(3)
    );
}

#[test]
fn every_2xx_is_delivered() {
    let sandbox = Sandbox::new();
    let statuses = [200, 201, 202, 204, 226, 299];
    let receivers = statuses.map(|status| Receiver::answering([Reply::status(status)]));
    for (status, receiver) in statuses.iter().zip(&receivers) {
        sandbox.add(&receiver.url(&format!("/{status}")), "PostDeployment");
    }
    sandbox.publish().assert_code(0);
    let last: Vec<_> = sandbox
        .ids()
        .iter()
        .map(|id| sandbox.hook(id)["last_status"].clone())
        .collect();
    assert_eq!(
        last[..4],
        [
            json!("OK"),
            json!("Created"),
            json!("Accepted"),
            json!("No Content")
        ]
    );
    assert_eq!(sandbox.hook("6")["last_code"], 299);
}

#[test]
fn a_redirect_is_a_failure_that_names_its_location_and_is_never_followed() {
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let sandbox = Sandbox::new();
        let elsewhere = Receiver::never();
        let location = elsewhere.url("/elsewhere");
        let receiver = Receiver::answering([Reply::status(status).header("location", &location)]);
        let id = sandbox.add(&receiver.url("/"), "PostDeployment");
        let published = sandbox.publish();
        published.assert_code(3);
        assert_eq!(receiver.requests().len(), 1, "{status} is not tried again");
        let hook = sandbox.hook(&id);
        assert_eq!(hook["last_code"], status);
        assert!(
            hook["last_reason"].as_str().unwrap().contains(&location),
            "{hook}"
        );
    }
}

#[test]
fn a_failures_reason_is_what_the_receiver_said() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(400).body("{\"text\":\"no_text\"}")]);
    let silent = Receiver::answering([Reply::status(400)]);
    let long = Receiver::answering([Reply::status(422).body("y".repeat(100_000))]);
    let bytes =
        Receiver::answering([Reply::status(400).body(vec![0xff, 0x1b, b'[', b'2', b'J', b'!'])]);
    for receiver in [&receiver, &silent, &long, &bytes] {
        sandbox.add(&receiver.url("/"), "PostDeployment");
    }
    let published = sandbox.publish();
    published.assert_code(3).assert_hides("\u{1b}");
    assert_eq!(sandbox.hook("1")["last_reason"], "{\"text\":\"no_text\"}");
    assert!(
        !sandbox.hook("2")["last_reason"]
            .as_str()
            .unwrap()
            .is_empty()
    );
    let kept = sandbox.hook("3")["last_reason"].as_str().unwrap().len();
    assert!((1..=1100).contains(&kept), "1 KiB is kept, not {kept}");
    assert!(
        sandbox.hook("4")["last_reason"]
            .as_str()
            .unwrap()
            .ends_with('!')
    );
}

#[test]
fn the_context_is_kept_up_to_64_kibibytes_and_on_a_characters_boundary() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let id = sandbox.add(&receiver.url("/"), "PostDeployment");
    // Three bytes a character, so that 64 KiB would end within one.
    let sent = format!("{{\"a\":\"{}\"}}", "€".repeat(100_000));
    sandbox
        .hooks(["publish", "PostDeployment"])
        .stdin(sent.as_str())
        .run()
        .assert_code(0);
    assert_eq!(receiver.request().body.len(), sent.len());
    let hook = sandbox.hook(&id);
    let context = hook["last_context"].as_str().unwrap();
    assert!(sent.starts_with(context.trim_end_matches('…')));
    assert!(
        (65_000..=65_536 + 3).contains(&context.len()),
        "{}",
        context.len()
    );
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let sandbox = Sandbox::new();
    let (first, last) = (Receiver::new(), Receiver::new());
    sandbox.add(&first.url("/"), "PostDeployment");
    sandbox.add(refused_url(), "PostDeployment");
    sandbox.add(&last.url("/"), "PostDeployment");
    let published = sandbox
        .hooks(["publish", "PostDeployment", "{}", "--retries", "0"])
        .run();
    published.assert_code(3);
    first.request();
    last.request();
}

#[test]
fn people_get_a_line_for_each_delivery() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    let bad = Receiver::answering([Reply::status(404).body("no such\nchannel")]);
    let moved = Receiver::answering([
        Reply::status(302).header("location", "https://new.example/cb?key=hush")
    ]);
    sandbox.add(
        &good.url_as("http://user:hush@127.0.0.1", "/T0AB12CD34EF56GH78?k=hush"),
        "PostDeployment",
    );
    sandbox.add(&bad.url("/"), "PostDeployment");
    sandbox.add(&moved.url("/"), "PostDeployment");
    sandbox.add(refused_url(), "PostDeployment");
    let publish = ["publish", "PostDeployment", "{}", "--retries", "1"];
    sandbox.hooks(publish).run().sorted().assert(
        3,
        "\
delivered  hook 1  http://user:***@127.0.0.1:[PORT]/***?k=***  200 OK ([MS])
failed     hook 2  http://127.0.0.1:[PORT]/  404 Not Found: no such\\nchannel ([MS])
failed     hook 3  http://127.0.0.1:[PORT]/  302 Found: redirects to https://new.example/cb?key=***, which is not followed ([MS])
failed     hook 4  http://127.0.0.1:9/refused  connection refused (2 attempts, [MS])
",
        "",
    );
}
