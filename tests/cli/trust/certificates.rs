//! Certificates: who is trusted, and for which hook.

use std::time::Duration;

use crate::support::{Identity, Receiver, Reply, Sandbox};

#[test]
fn a_self_signed_receiver_is_delivered_for_the_insecure_hook_and_refused_for_its_neighbour() {
    let sandbox = Sandbox::new();
    let identity = Identity::self_signed();
    let receiver = Receiver::tls(&identity);
    let insecure = sandbox.add_with(
        &receiver.url("/insecure"),
        "PostDeployment",
        ["--insecure-ssl"],
    );
    let secure = sandbox.add(&receiver.url("/secure"), "PostDeployment");
    let published = sandbox.publish();
    published.sorted().assert(
        3,
        &format!(
            "delivered  hook 1  {}  200 OK ([MS], certificate not checked)\n\
             failed     hook 2  {}  certificate not trusted: unknown issuer \
             (for a private one: hooks edit ID --ca-file PEM) ([MS])\n",
            receiver.url("/insecure"),
            receiver.url("/secure"),
        ),
        "",
    );
    assert_eq!(receiver.request().target, "/insecure");
    assert_eq!(sandbox.hook(&insecure)["last_status"], "OK");
    assert_eq!(sandbox.hook(&secure)["last_status"], "Failure");
    let reason = sandbox.hook(&secure)["last_reason"]
        .as_str()
        .unwrap()
        .to_lowercase();
    assert!(reason.contains("certificate"), "{reason}");
    assert!(
        !reason.contains("unknownissuer") && !reason.contains('{'),
        "not a library's debug text: {reason}"
    );
}

#[test]
fn a_delivery_without_the_check_says_so_each_time() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::tls(&Identity::self_signed());
    sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--insecure-ssl"]);
    for _ in 0..2 {
        let published = sandbox.publish();
        published.assert_code(0);
        let said = format!("{}{}", published.stdout, published.stderr);
        assert!(
            said.contains("certificate") && said.contains("not checked"),
            "{said}"
        );
    }
}

#[test]
fn a_certificate_error_is_not_tried_again() {
    let sandbox = Sandbox::new();
    for identity in [Identity::self_signed(), Identity::from_private_ca()] {
        let receiver = Receiver::distrusted(&identity);
        sandbox.add(&receiver.url("/"), "PostDeployment");
        let published = sandbox
            .hooks([
                "publish",
                "PostDeployment",
                "{}",
                "--json",
                "--retries",
                "5",
            ])
            .run();
        published
            .assert_code(3)
            .assert_took(Duration::ZERO, Duration::from_secs(2));
        assert_eq!(published.json()["deliveries"][0]["attempts"], 1);
        receiver.wait_for_connections(1);
        sandbox
            .hooks(["remove", &sandbox.ids()[0]])
            .run()
            .assert_code(0);
    }
}

#[test]
fn a_private_authority_is_trusted_by_its_hook_alone() {
    let sandbox = Sandbox::new();
    let identity = Identity::from_private_ca();
    let receiver = Receiver::tls(&identity);
    sandbox.write("ca.pem", &identity.ca_pem);
    let trusting = sandbox.add_with(
        &receiver.url("/trusting"),
        "PostDeployment",
        ["--ca-file", "ca.pem"],
    );
    let other = sandbox.add(&receiver.url("/other"), "PostDeployment");
    // Its text is in the registry, so the file may go.
    std::fs::remove_file(sandbox.path().join("ca.pem")).unwrap();
    sandbox.publish().assert_code(3);
    assert_eq!(receiver.request().target, "/trusting");
    assert_eq!(sandbox.hook(&trusting)["last_status"], "OK");
    assert_eq!(sandbox.hook(&other)["last_status"], "Failure");
}

#[test]
fn a_self_signed_certificate_can_be_trusted_by_itself() {
    let sandbox = Sandbox::new();
    let identity = Identity::self_signed();
    let receiver = Receiver::tls(&identity);
    sandbox.write("receiver.pem", &identity.ca_pem);
    sandbox.add_with(
        &receiver.url("/"),
        "PostDeployment",
        ["--ca-file", "receiver.pem"],
    );
    sandbox.publish().assert_code(0);
    receiver.request();
}

#[test]
fn a_trusted_authority_does_not_excuse_an_expired_certificate_or_another_name() {
    for (identity, word) in [
        (Identity::expired(), "expired"),
        (Identity::of_another_name(), "name"),
    ] {
        let sandbox = Sandbox::new();
        let receiver = Receiver::distrusted(&identity);
        sandbox.write("ca.pem", &identity.ca_pem);
        let id = sandbox.add_with(
            &receiver.url("/"),
            "PostDeployment",
            ["--ca-file", "ca.pem"],
        );
        sandbox.publish().assert_code(3);
        let reason = sandbox.hook(&id)["last_reason"]
            .as_str()
            .unwrap()
            .to_lowercase();
        assert!(reason.contains(word), "{reason}");
        receiver.wait_for_connections(1);
    }
}

#[test]
fn the_machines_own_store_can_be_named_by_the_environment() {
    let sandbox = Sandbox::new();
    let identity = Identity::from_private_ca();
    let receiver = Receiver::tls(&identity);
    sandbox.write("store.pem", &identity.ca_pem);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]);
    publish
        .env("SSL_CERT_FILE", sandbox.path().join("store.pem"))
        .run()
        .assert_code(0);
    receiver.request();
}

#[test]
fn plain_http_behind_an_https_url_is_a_failure_that_can_be_understood() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::deaf(Reply::greeting("HTTP/1.1 400 Bad Request\r\n\r\n"));
    let id = sandbox.add_with(
        &receiver.url_as("https://127.0.0.1", "/"),
        "PostDeployment",
        ["--insecure-ssl"],
    );
    let published = sandbox
        .hooks([
            "publish",
            "PostDeployment",
            "{}",
            "--retries",
            "0",
            "--timeout",
            "3s",
        ])
        .run();
    published.assert_code(3);
    let reason = sandbox.hook(&id)["last_reason"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(reason.to_lowercase().contains("tls"), "{reason}");
    receiver.wait_for_connections(1);
}
