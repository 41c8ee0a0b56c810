//! A receiver that hangs while thousands of events wait for it.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::{Receiver, Reply, Sandbox};

#[test]
fn the_journal_hardly_grows_by_events_whose_turn_does_not_come() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent()]);
    let url = receiver.url("/");
    sandbox.add(&url, "E");
    let now = chrono::Utc::now().to_rfc3339();
    let mut journal = String::new();
    for number in 0..4_000 {
        let id = format!("msg_{number}");
        let publication = json!({
            "id": id, "time": now, "event": "E", "deadline": now,
            "targets": [{"hook": 1, "url": url}], "content": "{}"
        });
        let outcome = json!({
            "id": id, "hook": 1, "time": now, "delivered": false, "status": "Failure",
            "reason": "r", "attempts": 1, "duration_ms": 1
        });
        let _ = writeln!(journal, "{}", json!({ "publication": publication }));
        let _ = writeln!(journal, "{}", json!({ "outcome": outcome }));
    }
    sandbox.write("hooks.json.journal", &journal);
    for _ in 0..12 {
        let redeliver = ["redeliver", "--failed", "--now", "--deadline", "2s", "--timeout", "1s"];
        let redelivered = sandbox.hooks(redeliver).run();
        redelivered.assert_code(3).assert_stderr_has(&["are left for the next run"]);
    }
    let grown = sandbox.read("hooks.json.journal").len() - journal.len();
    assert!(grown < 100_000, "{grown} bytes");
}
