//! Which certificates a hook trusts, and the errors for those that it does not.

use std::process::Command;
use std::time::Duration;

#[cfg(target_os = "linux")]
use crate::support::Output;
use crate::support::{Identity, Receiver, Reply, Responder, Sandbox, needs};

fn targets(receiver: &Receiver) -> Vec<String> {
    let requests = receiver.requests();
    let mut targets: Vec<_> = requests.into_iter().map(|r| r.target).collect();
    targets.sort();
    targets
}

#[test]
fn each_way_to_trust_a_certificate_counts_for_its_hook_alone() {
    let sandbox = Sandbox::new();
    let (ours, theirs) = (Identity::from_private_ca(), Identity::from_private_ca());
    let (our_server, their_server) = (Receiver::tls(&ours), Receiver::tls(&theirs));
    sandbox.write("ours.pem", &ours.ca_pem);
    sandbox.write("theirs.pem", &theirs.ca_pem);
    let ca_file = ["--ca-file", "ours.pem"];
    sandbox.add(&our_server.url("/none"), "PostDeployment");
    sandbox.add_with(&our_server.url("/ca-file"), "PostDeployment", ca_file);
    let insecure = ["--insecure-ssl"];
    sandbox.add_with(&our_server.url("/insecure"), "PostDeployment", insecure);
    sandbox.add_with(&their_server.url("/other-ca"), "PostDeployment", ca_file);
    sandbox.add(&their_server.url("/none"), "PostDeployment");
    // The text of a CA file is in the registry, so the file may go.
    std::fs::remove_file(sandbox.path().join("ours.pem")).unwrap();
    let published = sandbox.publish();
    published.assert_code(3);
    assert_eq!(sandbox.hook("2")["last_status"], "OK");
    assert_eq!(sandbox.hook("4")["last_status"], "Failure");
    assert_eq!(targets(&our_server), ["/ca-file", "/insecure"]);
    assert_eq!(targets(&their_server), Vec::<String>::new());
    let unchecked: Vec<&str> =
        published.stdout.lines().filter(|line| line.contains("certificate not checked")).collect();
    assert!(unchecked.len() == 1 && unchecked[0].contains("hook 3"), "{}", published.stdout);
    // The other authority has the same name, as after a renewal.
    let refused = published.stdout.lines().filter(|line| {
        line.contains("failed") && line.contains("not trusted") && line.contains("--ca-file")
    });
    assert_eq!(refused.count(), 3, "{}", published.stdout);
    // The machine's store is trusted by every hook, in addition to the hook's own file.
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]);
    let store = sandbox.path().join("theirs.pem");
    publish.env("SSL_CERT_FILE", store).run().assert_code(3);
    let ours_now = ["/ca-file", "/ca-file", "/insecure", "/insecure"];
    assert_eq!(targets(&our_server), ours_now);
    assert_eq!(targets(&their_server), ["/none", "/other-ca"]);
}

#[test]
fn a_store_may_be_a_folder_as_openssl_keeps_it() {
    if !needs("openssl") {
        return;
    }
    let sandbox = Sandbox::new();
    let identity = Identity::from_private_ca();
    let receiver = Receiver::tls(&identity);
    let store = sandbox.path().join("certs");
    std::fs::create_dir(&store).unwrap();
    sandbox.write("certs/ours.pem", &identity.ca_pem);
    let rehash = Command::new("openssl").arg("rehash").arg(&store).status();
    assert!(rehash.unwrap().success());
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]);
    publish.env("SSL_CERT_DIR", store).run().assert_code(0);
    receiver.request();
}

/// What `publish --json` says of a hook that trusts the authority and is refused all the same.
#[track_caller]
fn reason(sandbox: &Sandbox) -> String {
    let publish = ["publish", "PostDeployment", "{}", "--json"];
    let published = sandbox.hooks(publish).args(["--retries", "5"]).run();
    published.assert_code(3).assert_took(Duration::ZERO, Duration::from_secs(2));
    let delivery = &published.json()["deliveries"][0];
    assert_eq!(delivery["attempts"], 1, "it would be no different again");
    delivery["reason"].as_str().expect("a reason is text").to_owned()
}

#[test]
fn each_fault_of_a_certificate_has_its_own_message_and_is_not_tried_again() {
    for (identity, trusted, words, not) in [
        (Identity::from_private_ca(), false, ["not trusted", "--ca-file"], "expired"),
        (Identity::self_signed(), false, ["not trusted", "--ca-file"], "expired"),
        (Identity::expired(), true, ["expired", "renew"], "--ca-file"),
        (Identity::of_another_name(), true, ["another name", "127.0.0.1"], "--ca-file"),
    ] {
        let sandbox = Sandbox::new();
        let receiver = Receiver::untrusted(&identity);
        let id = sandbox.add(&receiver.url("/"), "PostDeployment");
        if trusted {
            sandbox.write("ca.pem", &identity.ca_pem);
            let edited = sandbox.hooks(["edit", &id, "--ca-file", "ca.pem"]).run();
            edited.assert_code(0);
        }
        let reason = reason(&sandbox);
        for word in words {
            assert!(reason.contains(word), "{reason}");
        }
        assert!(!reason.contains(not), "{reason}");
        assert!(
            !reason.contains(['{', '\n']) && !reason.contains("Error") && reason.len() < 200,
            "not a library's words: {reason}"
        );
        receiver.wait_for_connections(1);
    }
}

/// Makes `cert.pem` and `key.pem` in the sandbox.
fn openssl_certificate(sandbox: &Sandbox, more: &[&str]) -> Responder {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"])
        .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .args(more)
        .current_dir(sandbox.path())
        .output()
        .expect("openssl is there");
    assert!(made.status.success(), "{made:?}");
    Responder::tls(&sandbox.read("cert.pem"), &sandbox.read("key.pem"))
}

#[test]
fn a_ca_file_with_a_private_key_in_it_is_kept_and_shown_without_the_key() {
    if !needs("openssl") {
        return;
    }
    let sandbox = Sandbox::new();
    let no_ca = ["-addext", "basicConstraints=critical,CA:FALSE"];
    let receiver = openssl_certificate(&sandbox, &no_ca);
    let both = [sandbox.read("key.pem"), sandbox.read("cert.pem")].concat();
    sandbox.write("both.pem", both);
    let add = ["add", "--url", &receiver.url("/"), "--event", "PostDeployment"];
    let added = sandbox.hooks(add).args(["--ca-file", "both.pem", "--json"]);
    let added = added.run();
    if added.code() == Some(2) {
        // It may be refused, too.
        added.assert_hides("PRIVATE KEY");
        return;
    }
    added.assert_code(0).assert_hides("PRIVATE KEY");
    let registry = sandbox.registry_bytes();
    let registry = String::from_utf8_lossy(&registry);
    assert!(!registry.contains("PRIVATE KEY"), "{registry}");
    sandbox.publish().assert_code(0);
    assert_eq!(receiver.requests(), 1);
}

#[test]
fn an_empty_ca_file_takes_the_trust_away_again() {
    let sandbox = Sandbox::new();
    let identity = Identity::from_private_ca();
    let receiver = Receiver::tls(&identity);
    sandbox.write("ca.pem", &identity.ca_pem);
    let ca_file = ["--ca-file", "ca.pem"];
    sandbox.add_with(&receiver.url("/"), "PostDeployment", ca_file);
    sandbox.publish().assert_code(0);
    let edited = sandbox.hooks(["edit", "1", "--ca-file", "", "--json"]).run();
    edited.assert_code(0);
    assert_eq!(edited.json().get("ca_file"), None);
    sandbox.publish().assert_code(3);
    receiver.request();
}

#[test]
fn a_ca_file_broken_by_hand_fails_its_hook_alone() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let distrusted = Receiver::untrusted(&Identity::self_signed());
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.add(&distrusted.url("/"), "PostDeployment");
    let mut registry = sandbox.registry();
    registry["hooks"][1]["ca_file"] = "-----BEGIN CERTIFICATE-----\n!\n".into();
    sandbox.write("hooks.json", registry.to_string());
    let published = sandbox.publish();
    published.assert_code(3).assert_hides("!");
    assert!(published.stdout.contains("CA file"), "{}", published.stdout);
    receiver.request();
}

/// A publish, and the files that it opened.
#[cfg(target_os = "linux")]
fn opened(sandbox: &Sandbox, store: &std::path::Path) -> (Output, String) {
    let script = "exec strace -f -qqq -e trace=open,openat -o trace \"$@\"";
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]);
    let publish = publish.shell(script).env("SSL_CERT_FILE", store);
    let finished = publish.run();
    let trace = sandbox.read("trace");
    (finished, String::from_utf8_lossy(&trace).into_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn the_machines_store_is_read_only_when_a_hook_needs_it() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let identity = Identity::from_private_ca();
    let (plain, secure) = (Receiver::new(), Receiver::tls(&identity));
    let store = sandbox.write("the-store.pem", &identity.ca_pem);
    let insecure = ["--insecure-ssl"];
    sandbox.add(&plain.url("/"), "PostDeployment");
    sandbox.add_with(&secure.url("/insecure"), "PostDeployment", insecure);
    let (finished, trace) = opened(&sandbox, &store);
    finished.assert_code(0);
    assert!(trace.contains("hooks.json"), "{trace}");
    for place in ["the-store.pem", "ca-certificates", "/etc/ssl/certs"] {
        assert!(!trace.contains(place), "{trace}");
    }
    sandbox.add(&secure.url("/checked"), "PostDeployment");
    let (finished, trace) = opened(&sandbox, &store);
    finished.assert_code(0);
    assert_eq!(trace.matches("the-store.pem").count(), 1, "{trace}");
}

#[test]
fn a_self_signed_receiver_is_delivered_for_the_insecure_hook_and_refused_for_its_neighbour() {
    let sandbox = Sandbox::new();
    let identity = Identity::self_signed();
    let receiver = Receiver::tls(&identity);
    let insecure =
        sandbox.add_with(&receiver.url("/insecure"), "PostDeployment", ["--insecure-ssl"]);
    let secure = sandbox.add(&receiver.url("/secure"), "PostDeployment");
    let lines = format!(
        "delivered  hook 1  {}  200 OK ([MS], certificate not checked)\n\
         failed     hook 2  {}  certificate not trusted: unknown issuer \
         (for a private one: hooks edit ID --ca-file PEM) ([MS])\n",
        receiver.url("/insecure"),
        receiver.url("/secure"),
    );
    // That the certificate was not checked is said each time.
    let next = "note: 1 not delivered; to send again: hooks redeliver --failed\n";
    for _ in 0..2 {
        sandbox.publish().sorted().assert(3, &lines, next);
    }
    assert_eq!(targets(&receiver), ["/insecure", "/insecure"]);
    assert_eq!(sandbox.hook(&insecure)["last_status"], "OK");
    assert_eq!(sandbox.hook(&secure)["last_status"], "Failure");
    let reason = sandbox.hook(&secure)["last_reason"].as_str().unwrap().to_lowercase();
    assert!(reason.contains("certificate"), "{reason}");
    assert!(
        !reason.contains("unknownissuer") && !reason.contains('{'),
        "not a library's debug text: {reason}"
    );
}

#[test]
fn a_self_signed_certificate_can_be_trusted_by_itself() {
    let sandbox = Sandbox::new();
    let identity = Identity::self_signed();
    let receiver = Receiver::tls(&identity);
    sandbox.write("receiver.pem", &identity.ca_pem);
    sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--ca-file", "receiver.pem"]);
    sandbox.publish().assert_code(0);
    receiver.request();
}

#[test]
fn plain_http_behind_an_https_url_is_a_failure_that_names_tls() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::without_request(Reply::greeting("HTTP/1.1 400 Bad Request\r\n\r\n"));
    let id = sandbox.add_with(
        &receiver.url_as("https://127.0.0.1", "/"),
        "PostDeployment",
        ["--insecure-ssl"],
    );
    let published = sandbox
        .hooks(["publish", "PostDeployment", "{}", "--retries", "0", "--timeout", "3s"])
        .run();
    published.assert_code(3);
    let reason = sandbox.hook(&id)["last_reason"].as_str().unwrap().to_owned();
    assert!(reason.to_lowercase().contains("tls"), "{reason}");
    receiver.wait_for_connections(1);
}
