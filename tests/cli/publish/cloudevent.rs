//! `--cloudevent`: an envelope as a queue gives it, which may come twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    DEPLOYMENT, Output, Receiver, Reply, Request, Sandbox, Signal, base64, one_hook,
    one_uncalled_hook,
};

const ID: &str = "msg_01a2121c-0d8f-72e9-b13c-c421e67db941";

/// An envelope of one of our ids around this data.
fn envelope(data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{ID}","source":"/hooks/web","type":"PostDeployment","data":{data}}}"#
    )
}

fn publish(sandbox: &Sandbox, envelope: &str) -> Output {
    sandbox.hooks(["publish", "--cloudevent"]).stdin(envelope).run()
}

fn states(sandbox: &Sandbox) -> Vec<Value> {
    let log = sandbox.log();
    log.iter().map(|line| line["state"].clone()).collect()
}

#[test]
fn what_the_format_sends_is_published_again_byte_for_byte_under_its_id() {
    let (edge, queue) = (Sandbox::new(), Receiver::new());
    edge.add_with(&queue.url("/"), "*", ["--format", "cloudevents"]);
    let content = "{ \"a\" :1e400, \"a\":\"\\ud800\",\t\"n\":12345678901234567890 }";
    edge.hooks(["publish", "deploy.done", content]).run().assert_code(0);
    let sent = queue.request();
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.add(&receiver.url("/"), "deploy.*");
    publish(&sandbox, &sent.text()).assert(
        0,
        &format!("delivered  hook 1  {}  200 OK ([MS])\n", receiver.url("/")),
        "",
    );
    let request = receiver.request();
    assert_eq!(request.text(), content);
    let headers = ["webhook-id", "webhook-event"].map(|name| request.the_header(name).to_owned());
    assert_eq!(headers, [sent.the_header("webhook-id"), "deploy.done"]);
}

#[test]
fn the_event_and_the_input_are_given_in_any_way() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.add(&receiver.url("/"), "*");
    let numbered = |number: usize| envelope("{}").replace("67db941", &format!("67db94{number}"));
    let text = numbered(1);
    sandbox.write("e.json", numbered(2));
    let calls: [&[&str]; 6] = [
        &["--cloudevent", &text],
        &["--cloudevent", "@e.json"],
        &["--cloudevent", "-"],
        &["--cloudevent"],
        &["Rollback", "--cloudevent"],
        &["Rollback", "-", "--cloudevent"],
    ];
    for (number, arguments) in calls.iter().enumerate() {
        let call = sandbox.hooks(["publish"]).args(arguments.iter());
        call.stdin(numbered(number + 1)).run().assert_code(0);
    }
    let events: Vec<_> = receiver
        .requests()
        .iter()
        .map(|request| request.the_header("webhook-event").to_owned())
        .collect();
    let (own, given) = ("PostDeployment", "Rollback");
    assert_eq!(events, [own, own, own, own, given, given]);
}

#[test]
fn another_senders_event_gets_the_same_id_each_time_and_base64_is_decoded() {
    let (sandbox, receiver) = one_hook();
    let with = |source: &str| {
        json!({"specversion": "1.0", "id": "42", "source": source, "type": "PostDeployment",
            "subject": null, "data_base64": base64(DEPLOYMENT)})
        .to_string()
    };
    for source in ["/a", "/a", "/b"] {
        publish(&sandbox, &with(source)).assert_code(0);
    }
    let requests = receiver.requests();
    let texts: Vec<_> = requests.iter().map(Request::text).collect();
    assert_eq!(texts, [DEPLOYMENT, DEPLOYMENT]);
    let ids = [0, 1].map(|number: usize| requests[number].the_header("webhook-id"));
    assert_eq!(ids[0], "msg_2f4e4ae1-6a85-89db-bb53-a100b20a3fc8");
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn what_is_delivered_is_not_sent_again_and_the_rest_is() {
    let sandbox = Sandbox::new();
    let good = Receiver::new();
    let bad = Receiver::answering([Reply::status(404), Reply::status(404), Reply::status(200)]);
    let late = Receiver::never();
    sandbox.add(&good.url("/"), "*");
    sandbox.add(&bad.url("/"), "*");
    let first = publish(&sandbox, &envelope(DEPLOYMENT));
    first.assert_code(3);
    // It was not for this one.
    sandbox.add(&late.url("/"), "*");
    // The schedule does not matter.
    publish(&sandbox, &envelope("{}")).assert_code(3);
    let again = sandbox
        .hooks(["publish", "--cloudevent", "--json", "--must-match", "-"])
        .stdin(envelope("{}"))
        .run();
    again.assert_code(0);
    again.assert_stderr_has(&[&format!(
        "note: {ID} was published before; still to be sent: 1 of 2\n"
    )]);
    let answer = again.json();
    assert_eq!(answer["id"], ID);
    let deliveries = answer["deliveries"].as_array().unwrap().iter();
    let states: Vec<_> =
        deliveries.map(|one| [&one["hook"], &one["state"], &one["code"]]).collect();
    assert_eq!(json!(states), json!([[2, "delivered", 200], [1, "delivered", 200]]));
    // The first content counts, as some have got it. White space around data is the envelope's.
    let content = DEPLOYMENT.trim_end();
    assert_eq!(good.request().text(), content);
    let texts: Vec<_> = bad.requests().iter().map(Request::text).collect();
    assert_eq!(texts, [content; 3]);
    publish(&sandbox, &envelope("{}")).assert(
        0,
        "",
        &format!("note: {ID} was published before; still to be sent: 0 of 2\n"),
    );
}

#[test]
fn a_run_that_was_killed_is_finished_and_a_live_one_is_left_alone() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    sandbox.add(&receiver.url("/"), "*");
    let call = |deadline: &'static str| {
        sandbox
            .hooks(["publish", "--cloudevent", "--deadline", deadline, "-"])
            .stdin(envelope("{}"))
    };
    let first = call("2s").spawn();
    receiver.wait_for(1);
    // A queue that has lost sight of the first consumer may not take it for delivered.
    call("30s").run().assert(
        3,
        "",
        &format!(
            "warning: hook 1 is left out of {ID}: another process may be at it\n\
             note: {ID} was published before; still to be sent: 0 of 1\n"
        ),
    );
    let pending = call("30s").arg("--json").run();
    assert_eq!(pending.json()["deliveries"][0]["state"], "pending");
    call("30s").arg("--defer").run().assert_code(0);
    assert_eq!(receiver.count(), 1);
    first.end_by(Signal::Kill, Duration::from_secs(10));
    receiver.release();
    crate::support::wait_until(|| states(&sandbox) == ["unfinished"]);
    call("30s").run().assert_code(0);
    assert_eq!(receiver.count(), 2);
    assert_eq!(states(&sandbox), ["delivered"]);
}

#[test]
fn of_several_at_the_same_time_one_sends_it() {
    let (sandbox, receiver) = one_hook();
    for round in 0..10 {
        let envelope = envelope("{}").replace("67db941", &format!("67db94{round}"));
        let call = || {
            let call = sandbox.hooks(["publish", "--cloudevent", "-"]);
            call.stdin(envelope.clone()).spawn()
        };
        let ended: Vec<_> = [call(), call(), call(), call()].map(|p| p.wait()).into();
        let sent: String = ended.iter().map(|output| output.stdout.as_str()).collect();
        assert_eq!(sent.matches("delivered").count(), 1, "{sent}");
        assert_eq!(receiver.count(), round + 1);
    }
}

#[test]
fn deferred_it_is_kept_once_and_an_envelope_sends_it() {
    let (sandbox, receiver) = one_hook();
    for _ in 0..2 {
        let deferred = sandbox.hooks(["publish", "--cloudevent", "--defer", "-"]);
        deferred.stdin(envelope("{}")).run().assert_code(0);
        assert_eq!(states(&sandbox), ["deferred"]);
        let journal = String::from_utf8(sandbox.read("hooks.json.journal")).unwrap();
        assert_eq!(journal.lines().count(), 1, "{journal}");
    }
    assert_eq!(receiver.count(), 0);
    publish(&sandbox, &envelope("{}")).assert_code(0);
    assert_eq!(receiver.request().the_header("webhook-id"), ID);
}

#[test]
fn what_cannot_be_sent_any_more_keeps_no_queue_waiting() {
    let sandbox = Sandbox::new();
    let bad = Receiver::answering([Reply::status(500)]);
    for _ in 0..2 {
        sandbox.add(&bad.url("/a"), "A");
        sandbox.add(&bad.url("/b"), "*");
        sandbox.add(&bad.url("/c"), "*");
        sandbox.add(&bad.url("/d"), "*");
    }
    sandbox.hooks(["edit", "4", "--disable"]).run().assert_code(0);
    let first = sandbox.hooks(["publish", "--cloudevent", "--retries", "0", "-"]);
    first.stdin(envelope("{}")).run().assert_code(3);
    sandbox.hooks(["edit", "2", "--disable"]).run().assert_code(0);
    sandbox.hooks(["remove", "3"]).run().assert_code(0);
    publish(&sandbox, &envelope("{}")).assert(
        0,
        "",
        &format!(
            "note: hook 2 is left out of {ID}: it is disabled\n\
             note: hook 3 is left out of {ID}: it does not exist any more\n\
             note: {ID} was published before; still to be sent: 0 of 3\n"
        ),
    );
    assert_eq!(bad.count(), 2);
}

#[test]
fn nobody_for_it_is_said_and_nothing_is_kept() {
    let sandbox = Sandbox::new();
    let unheard = sandbox.hooks(["publish", "--cloudevent", "--must-match", "-"]);
    let unheard = unheard.stdin(envelope("{}")).run();
    unheard.assert_code(5);
    unheard.assert_stderr_has(&["no enabled hook gets PostDeployment"]);
    assert!(!sandbox.has("hooks.json.journal"));
}

#[test]
fn a_dry_run_shows_what_is_still_to_be_sent() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(404)]);
    sandbox.add(&receiver.url("/"), "*");
    let dry = || {
        let dry = sandbox.hooks(["publish", "--cloudevent", "--dry-run", "-"]);
        dry.stdin(envelope("{}")).run()
    };
    dry().assert_stdout_has(&[&format!("webhook-id: {ID}\n")]);
    assert!(!sandbox.has("hooks.json.journal"));
    publish(&sandbox, &envelope("{}")).assert_code(3);
    let journal = sandbox.read("hooks.json.journal");
    dry().assert_stdout_has(&[&format!("webhook-id: {ID}\n")]);
    assert_eq!(sandbox.read("hooks.json.journal"), journal);
    let gone = sandbox.hooks(["edit", "1", "--disable"]).run();
    gone.assert_code(0);
    assert_eq!(dry().stdout, "");
    assert_eq!(receiver.count(), 1);
}

#[test]
fn what_is_no_envelope_is_refused_with_the_reason_and_nothing_is_sent() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let whole = envelope("{}");
    for (broken, why) in [
        ("{}".to_owned(), "the envelope has no specversion"),
        (whole.replace("1.0", "0.3"), "the specversion is not 1.0"),
        (whole.replace("\"id\"", "\"no\""), "the envelope has no id"),
        (whole.replace("source", "no"), "the envelope has no source"),
        (whole.replace("\"type\"", "\"no\""), "the envelope has no type"),
        (
            whole.replace("{}", "[1]"),
            "data: line 1 column 1: an array, where one JSON object is wanted",
        ),
        (
            whole.replace("{}", "\"s3cret\""),
            "data: line 1 column 1: a string, where one JSON object is wanted",
        ),
        (whole.replace("Post", "Post "), "its type is no event: an event is"),
        (format!("[{whole}]"), "line 1 column 1: an array, where one JSON object is wanted"),
        ("no JSON".to_owned(), "line 1 column 2: expected ident"),
    ] {
        let refused = publish(&sandbox, &broken);
        refused.assert_code(1).assert_hides("s3cret");
        refused.assert_stderr_has(&["error: could not", why]);
    }
    assert!(!sandbox.has("hooks.json.journal"));
    let large = envelope(&format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024)));
    let refused = publish(&sandbox, &large);
    refused.assert_code(1);
    refused.assert_stderr_has(&["more than 1 MiB"]);
    let refused = publish(&sandbox, &"x".repeat(3 * 1024 * 1024));
    refused.assert_stderr_has(&["more than 2 MiB"]);
}

#[test]
fn the_largest_deployment_comes_through() {
    let (sandbox, receiver) = one_hook();
    let content = format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024 - 8));
    publish(&sandbox, &envelope(&content)).assert_code(0);
    assert_eq!(receiver.request().text(), content);
}

#[test]
fn an_event_is_wanted_without_an_envelope_and_fields_do_not_go_with_one() {
    let (sandbox, _receiver) = one_uncalled_hook();
    sandbox.hooks(["publish"]).run().assert(
        2,
        "",
        "error: missing argument: <EVENT>\nhint: see 'hooks publish --help'\n",
    );
    let wrong = sandbox.hooks(["publish", "{\"id\":\"42\"}"]).run();
    wrong.assert_code(2);
    wrong.assert_stderr_has(&["error: wrong value for <EVENT>: an event is 1 to 100 letters"]);
    for field in ["--git", "--id=1", "--message=x", "--status=failed", "--set=a=b"] {
        let refused = sandbox.hooks(["publish", "--cloudevent", field, "-"]);
        let refused = refused.stdin(envelope("{}")).run();
        refused.assert_code(2);
        refused.assert_stderr_has(&["cannot be used with"]);
    }
}

#[test]
fn nothing_is_sent_that_cannot_be_kept_as_the_queue_still_has_it() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let lock = sandbox.lock();
    let locked = sandbox.hooks(["publish", "--cloudevent", "--deadline", "1s", "-"]);
    locked.stdin(envelope("{}")).run().assert_code(6);
    drop(lock);
    std::fs::create_dir(sandbox.path().join("hooks.json.journal")).unwrap();
    let refused = publish(&sandbox, &envelope("{}"));
    refused.assert_code(1);
    refused.assert_stderr_has(&["error: could not", "the journal"]);
}
