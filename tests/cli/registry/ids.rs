//! Ids that a double cannot hold, such as Kudu's of 18 digits: jq and Node round a number of that size.

use serde_json::{Value, json};

use crate::support::{Receiver, Reply, Sandbox};

const KUDUS: &str = "635119123456789012";

/// Kudu's own file with one hook at this URL.
fn kudus_file(url: &str) -> String {
    json!([{"id": KUDUS, "url": url, "event": "E"}]).to_string()
}

/// What a program leaves of JSON that reads each number as a double.
fn through_doubles(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(through_doubles),
        Value::Object(members) => members.values_mut().for_each(through_doubles),
        Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rounded = number.as_f64().expect("a number") as u64;
            *value = rounded.into();
        }
        _ => {}
    }
}

#[test]
fn an_id_above_the_limit_is_a_string_in_every_json() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(404), Reply::status(200)]);
    sandbox.write("hooks.json", kudus_file(&receiver.url("/")));
    let published = sandbox.hooks(["publish", "E", "{}", "--json"]).run();
    assert_eq!(published.json()["deliveries"][0]["hook"], KUDUS);
    let again = sandbox.hooks(["redeliver", KUDUS, "--json"]).run();
    again.assert_code(0);
    assert_eq!(again.json()[0]["deliveries"][0]["hook"], KUDUS);
    for arguments in [
        &["list", "--json"][..],
        &["show", KUDUS, "--json"],
        &["edit", KUDUS, "--event", "F", "--json"],
        &["log", KUDUS, "--json"],
        &["test", KUDUS, "--json"],
    ] {
        let answer = sandbox.hooks(arguments).run();
        answer.assert_code(0);
        let quoted = format!("\"{KUDUS}\"");
        assert!(answer.stdout.contains(&quoted), "{}", answer.stdout);
        let bare = answer.stdout.replace(&quoted, "");
        assert!(!bare.contains(KUDUS), "{}", answer.stdout);
    }
    assert_eq!(sandbox.ids(), [KUDUS]);
    assert_eq!(sandbox.registry()["hooks"][0]["id"], KUDUS);
    let records = sandbox.journal();
    assert_eq!(records[0]["publication"]["targets"][0]["hook"], KUDUS);
    assert_eq!(records[1]["outcome"]["hook"], KUDUS);
    assert_eq!(records[2]["redelivery"]["hooks"], json!([KUDUS]));
}

#[test]
fn the_limit_is_what_a_double_holds() {
    let sandbox = Sandbox::new();
    let hook = |id: &str| format!(r#"{{"id":{id},"url":"http://h/{id}","event":"E"}}"#);
    let ids = ["9007199254740991", "9007199254740992", "18446744073709551615"];
    let hooks = ids.map(hook).join(",");
    sandbox.write("hooks.json", format!(r#"{{"version":1,"hooks":[{hooks}]}}"#));
    let listed = sandbox.hooks(["list", "--json"]).run();
    let ids: Vec<Value> =
        listed.json().as_array().unwrap().iter().map(|hook| hook["id"].clone()).collect();
    assert_eq!(
        ids,
        [
            json!(9_007_199_254_740_991_u64),
            json!("9007199254740992"),
            json!("18446744073709551615")
        ]
    );
    // The numbers below the limit are used up.
    let refused = sandbox.hooks(["add", "--url", "http://h/", "--event", "E"]).run();
    refused.assert(1, "", "error: could not add the hook: no id is left\n");
}

#[test]
fn new_ids_go_on_below_the_limit() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", kudus_file("http://h/"));
    assert_eq!(sandbox.add("http://h/1", "E"), "1");
    assert_eq!(sandbox.add("http://h/2", "E"), "2");
    sandbox.hooks(["remove", "2", KUDUS]).run().assert_code(0);
    assert_eq!(sandbox.add("http://h/3", "E"), "3");
    // As hooks 0.1.0 wrote it: the number after Kudu's.
    for next_id in ["635119123456789013", "\"635119123456789013\"", "0"] {
        let hooks = format!(
            r#"[{{"id":{KUDUS},"url":"http://h/","event":"E"}},{{"id":4,"url":"http://h/4","event":"E"}}]"#
        );
        sandbox
            .write("hooks.json", format!(r#"{{"version":1,"next_id":{next_id},"hooks":{hooks}}}"#));
        assert_eq!(sandbox.add("http://h/5", "E"), "5", "{next_id}");
        assert_eq!(sandbox.registry()["next_id"], 6);
        assert_eq!(sandbox.ids(), [KUDUS, "4", "5"]);
    }
}

#[test]
fn a_program_that_rounds_numbers_may_edit_the_registry() {
    let sandbox = Sandbox::new();
    let neighbours = json!([
        {"id": KUDUS, "url": "http://h/1", "event": "E"},
        {"id": "635119123456789013", "url": "http://h/2", "event": "E"},
    ]);
    sandbox.write("hooks.json", neighbours.to_string());
    sandbox.add("http://h/3", "E");
    let mut registry = sandbox.registry();
    through_doubles(&mut registry);
    sandbox.write("hooks.json", registry.to_string());
    sandbox.hooks(["show", KUDUS]).run().assert_code(0);
    assert_eq!(sandbox.ids(), [KUDUS, "635119123456789013", "1"]);
    assert_eq!(sandbox.add("http://h/4", "E"), "2");
}

#[test]
fn a_journal_of_numbers_is_read() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(404), Reply::status(200)]);
    sandbox.write("hooks.json", kudus_file(&receiver.url("/")));
    sandbox.hooks(["publish", "E", "{}"]).run().assert_code(3);
    let journal = String::from_utf8(sandbox.read("hooks.json.journal")).unwrap();
    sandbox.write("hooks.json.journal", journal.replace(&format!("\"{KUDUS}\""), KUDUS));
    assert_eq!(sandbox.log()[0]["state"], "failed");
    sandbox.hooks(["redeliver", "--failed"]).run().assert_code(0);
}
