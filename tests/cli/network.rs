//! The way to a receiver: addresses, proxies, TLS, and what is heard when a connection ends early.

use serde_json::Value;

use crate::support::Sandbox;

mod addresses;
mod certificates;
mod early_answers;
mod proxies;
mod writes;

/// Publishes to the one hook of a sandbox, which fails; what is said of it, and how often it was tried. What may pass
/// is tried twice.
#[track_caller]
fn failure(sandbox: &Sandbox, environment: &[(&str, &str)]) -> (String, u64) {
    let mut publish =
        sandbox.hooks(["publish", "PostDeployment", "{}", "--json", "--retries", "1"]);
    for (name, value) in environment {
        publish = publish.env(name, value);
    }
    let published = publish.run();
    published.assert_code(3);
    let delivery: &Value = &published.json()["deliveries"][0];
    let reason = delivery["reason"].as_str().expect("a reason is text");
    let attempts = delivery["attempts"].as_u64();
    (reason.to_owned(), attempts.expect("attempts are a number"))
}
