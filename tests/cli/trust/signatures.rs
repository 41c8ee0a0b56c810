//! Signatures, as a receiver checks them.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::support::{DEPLOYMENT, Receiver, Reply, Request, Sandbox, base64};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// What Standard Webhooks 1.0 signs.
fn signed(request: &Request) -> Vec<u8> {
    let (id, timestamp) =
        (request.the_header("webhook-id"), request.the_header("webhook-timestamp"));
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", &request.body].concat()
}

fn standard(key: &[u8], request: &Request) -> String {
    format!("v1,{}", base64(hmac(key, &signed(request))))
}

/// As GitHub's receivers check it: the secret's text is the key.
fn github(secret: &str, request: &Request) -> String {
    let digest = hmac(secret.as_bytes(), &request.body);
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    format!("sha256={hex}")
}

#[test]
fn a_delivery_is_signed_both_ways_at_each_attempt() {
    let sandbox = Sandbox::new();
    // A second apart, as what is signed has whole seconds: attempts within one are signed alike.
    let busy = Reply::status(503).header("retry-after", "1");
    let receiver = Receiver::answering([busy, Reply::status(200)]);
    let secret = format!("whsec_{}", base64(KEY));
    sandbox.write("secret", &secret);
    sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--secret-file", "secret"]);
    sandbox.publish().assert_code(0).assert_hides(&secret);
    let requests = receiver.wait_for(2);
    for request in &requests {
        assert_eq!(request.body, DEPLOYMENT.as_bytes());
        assert_eq!(request.the_header("webhook-signature"), standard(KEY, request));
        assert_eq!(request.the_header("x-hub-signature-256"), github(&secret, request));
    }
    assert_ne!(requests[0].header("webhook-signature"), requests[1].header("webhook-signature"));
}

#[test]
fn after_a_rotation_both_secrets_sign_the_new_one_first() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    let new_key = b"another key of twenty-four bytes";
    let (old, new) = (format!("whsec_{}", base64(KEY)), format!("whsec_{}", base64(new_key)));
    sandbox.write("old", &old);
    sandbox.write("new", &new);
    let id = sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--secret-file", "old"]);
    sandbox.hooks(["edit", &id, "--secret-file", "new"]).run().assert_code(0).assert_hides(&new);
    sandbox.publish().assert_code(0);
    let request = receiver.request();
    let both = format!("{} {}", standard(new_key, &request), standard(KEY, &request));
    assert_eq!(request.the_header("webhook-signature"), both);
    assert_eq!(request.the_header("x-hub-signature-256"), github(&new, &request));
}

#[test]
fn a_redelivery_is_signed_afresh() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(500), Reply::status(200)]);
    sandbox.write("secret", format!("whsec_{}", base64(KEY)));
    sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--secret-file", "secret"]);
    sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT, "--retries", "0"]).run().assert_code(3);
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
    let again = &receiver.wait_for(2)[1];
    assert_eq!(again.the_header("webhook-signature"), standard(KEY, again));
}
