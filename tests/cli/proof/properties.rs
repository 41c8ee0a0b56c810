//! Properties of the real binary for random input from files, pipes, flags and the network.
//!
//! `HOOKS_PROOF=long` tries more cases. The properties of the parsers are tested beside them, in `src/`.

use std::io::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::support::{Output, Receiver, Sandbox, Server, read_request, scaled};

fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: u32::try_from(scaled(40, 2000)).unwrap_or(u32::MAX),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    }
}

/// Neither a panic nor a signal, and nothing that moves a terminal's cursor.
fn check(finished: &Output) -> Result<(), TestCaseError> {
    let code = finished.code();
    prop_assert!(
        code.is_some_and(|code| code < 7),
        "{} ended with {:?}\n{}",
        finished.command,
        finished.status,
        finished.stderr
    );
    prop_assert!(!finished.stderr.contains("bug"), "{}", finished.stderr);
    for text in [&finished.stdout, &finished.stderr] {
        let harmful = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}".contains(c);
        prop_assert!(!text.contains(harmful), "{:?}", text);
    }
    Ok(())
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        select(vec!["E", "*", "http://127.0.0.1:9/", "whsec_", "2026-01-01T00:00:00Z", "slack"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// A registry with some of its values, at any depth, put in place of others.
fn registry() -> impl Strategy<Value = Vec<u8>> {
    let keys = vec![
        "id",
        "url",
        "event",
        "insecure_ssl",
        "enabled",
        "status",
        "format",
        "template",
        "headers",
        "secrets",
        "ca_file",
        "last_datetime",
        "last_status",
        "last_code",
        "last_reason",
        "mine",
    ];
    let hook = proptest::collection::btree_map(select(keys), json_value(), 0..5);
    let hooks = vec(hook, 0..3).prop_map(|hooks| {
        let hooks = hooks.into_iter().zip(1..).map(|(changes, id)| {
            let mut hook = json!({
                "id": id, "url": format!("http://127.0.0.1:9/{id}"), "event": "E", "insecure_ssl": false
            });
            for (key, value) in changes {
                hook[key] = value;
            }
            hook
        });
        json!({"version": 1, "next_id": 9, "hooks": hooks.collect::<Vec<_>>()})
    });
    let top =
        (hooks, select(vec!["version", "next_id", "hooks", "more"]), json_value(), any::<bool>());
    prop_oneof![
        6 => top.prop_map(|(mut registry, key, value, changes)| {
            if changes {
                registry[key] = value;
            }
            registry.to_string().into_bytes()
        }),
        1 => json_value().prop_map(|value| value.to_string().into_bytes()),
        1 => vec(any::<u8>(), 0..200),
    ]
}

fn journal_line() -> impl Strategy<Value = Vec<u8>> {
    let times = select(vec![
        "2026-01-01T00:00:00Z",
        "+262142-12-31T23:59:59Z",
        "-262143-01-01T00:00:00Z",
        "2999-01-01T00:00:00.123456789+14:00",
        "1969-12-31T23:59:60Z",
        "never",
        "",
    ]);
    let record = (
        select(vec!["publication", "redelivery", "outcome", "compacted", "unknown"]),
        times.clone(),
        times,
        select(vec!["msg_a", "msg_b", ""]),
        prop_oneof![3 => Just(1_u64), 1 => any::<u64>()],
        any::<bool>(),
        proptest::option::of((select(vec!["id", "hooks", "targets", "content", "code", "attempts"]), json_value())),
    )
        .prop_map(|(kind, time, deadline, id, hook, delivered, change)| {
            let mut record = json!({
                "id": id, "time": time, "deadline": deadline, "event": "E", "hook": hook, "hooks": [hook],
                "targets": [{"hook": hook, "url": "http://127.0.0.1:9/1"}], "content": "{}",
                "delivered": delivered, "status": "OK", "reason": "\u{1b}[2J", "attempts": 1,
                "duration_ms": hook, "length": hook
            });
            if let Some((key, value)) = change {
                record[key] = value;
            }
            json!({ kind: record }).to_string().into_bytes()
        });
    prop_oneof![8 => record, 1 => vec(any::<u8>(), 0..60), 1 => Just(Vec::new())]
}

/// The lines that were set aside.
fn aside(sandbox: &Sandbox) -> Vec<u8> {
    std::fs::read(sandbox.path().join("hooks.json.journal.damaged")).unwrap_or_default()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_registry_is_read_or_refused_and_never_lost(bytes in registry()) {
        let sandbox = Sandbox::new();
        sandbox.write("hooks.json", &bytes);
        let list = sandbox.hooks(["list"]).run();
        check(&list)?;
        let json = sandbox.hooks(["list", "--json"]).run();
        prop_assert_eq!(json.code(), list.code());
        if json.code() == Some(0) {
            prop_assert!(json.json().is_array());
        }
        prop_assert_eq!(&sandbox.registry_bytes(), &bytes, "reading changed it");
        let added = sandbox.hooks_add("http://127.0.0.1:9/new", "New").run();
        check(&added)?;
        prop_assert_eq!(added.code(), list.code(), "{}", added.stderr);
        if added.code() != Some(0) {
            prop_assert_eq!(&sandbox.registry_bytes(), &bytes, "refused, and changed");
            prop_assert!(added.stderr.contains("[DIR]/hooks.json"), "{}", added.stderr);
            return Ok(());
        }
        // The hooks are still there, in their order and with their unknown keys.
        let before: Value = serde_json::from_slice(&bytes).expect("it was read");
        let before = before.get("hooks").unwrap_or(&before).clone();
        let after = sandbox.registry();
        for (hook, kept) in before.as_array().into_iter().flatten().zip(after["hooks"].as_array().expect("hooks")) {
            prop_assert_eq!(hook.get("url"), kept.get("url"));
            prop_assert_eq!(hook.get("mine"), kept.get("mine"));
        }
        check(&sandbox.hooks(["publish", "E", "{}", "--retries", "0", "--timeout", "1s"]).run())?;
        sandbox.hooks(["remove", "--force", "1"]).run().assert_code(0);
    }

    #[test]
    fn any_journal_is_read_and_what_is_in_it_kept(lines in vec(journal_line(), 0..8)) {
        let sandbox = Sandbox::new();
        sandbox.add("http://127.0.0.1:9/1", "E");
        let journal = lines.join(&b'\n');
        sandbox.write("hooks.json.journal", &journal);
        for arguments in [
            &["log"][..], &["log", "--json"], &["log", "1", "--failed"],
            &["redeliver", "--failed", "--since", "300d", "--retries", "0"],
            &["redeliver", "--failed", "--now", "--retries", "0"],
            &["redeliver", "1", "--retries", "0"],
            &["publish", "E", "{}", "--retries", "0"],
        ] {
            let run = sandbox.hooks(arguments).run();
            check(&run)?;
            if arguments[0] == "log" {
                prop_assert_eq!(run.code(), Some(0), "{}", run.stderr);
            }
        }
        let kept = [sandbox.read("hooks.json.journal"), aside(&sandbox)].concat();
        let kept: Vec<_> = kept.split(|byte| *byte == b'\n').collect();
        for line in journal.split(|byte| *byte == b'\n') {
            let is_json = serde_json::from_slice::<Value>(line).is_ok();
            prop_assert!(is_json || kept.contains(&line), "a damaged line is lost");
        }
        let log = sandbox.log();
        prop_assert!(log.iter().any(|line| line["state"] == "failed"), "the new one is in it");
    }

    #[test]
    fn a_deployment_arrives_byte_for_byte_or_is_refused_before_anything_is_sent(
        bytes in prop_oneof![
            3 => json_value().prop_map(|value| json!({"id": value, "id2": [value]}).to_string().into_bytes()),
            1 => "[ \n]{0,3}\\{[ \n]{0,3}\"a\":[0-9eE+.-]{1,9}[ \n]{0,3}\\}[ \n]{0,3}".prop_map(String::into_bytes),
            1 => json_value().prop_map(|value| value.to_string().into_bytes()),
            1 => vec(any::<u8>(), 0..100),
        ]
    ) {
        let sandbox = Sandbox::new();
        let receiver = Receiver::new();
        sandbox.add(&receiver.url("/"), "E");
        // The receiver fails the test if it is never called.
        sandbox.hooks(["publish", "E", "{}"]).run().assert_code(0);
        let published = sandbox.hooks(["publish", "E", "-"]).stdin(bytes.clone()).run();
        check(&published)?;
        let requests = receiver.requests();
        if published.code() == Some(0) {
            prop_assert_eq!(requests.len(), 2);
            prop_assert_eq!(&requests[1].body, &bytes);
            prop_assert!(serde_json::from_slice::<serde_json::Map<_, _>>(&bytes).is_ok());
        } else {
            prop_assert_eq!(published.code(), Some(1));
            prop_assert_eq!(requests.len(), 1);
            prop_assert_eq!(sandbox.journal().len(), 2);
        }
    }

    #[test]
    fn any_url_is_refused_or_kept_and_its_password_is_never_shown(
        scheme in select(vec!["http://", "https://", "HTTP://", "ftp://", "http:", "//", ""]),
        user in "[a-z]{0,3}",
        password in "[a-zA-Z0-9%!$&*+,;=~_-]{0,3}S3cr3tS3cr3t[a-zA-Z0-9@:]{0,3}",
        host in select(vec!["127.0.0.1", "[::1]", "h.example", "h", "", "a b", "h\u{1b}", "hé.example", "1.2.3"]),
        port in prop_oneof![Just(String::new()), any::<u32>().prop_map(|port| format!(":{port}"))],
        path in ".{0,12}",
    ) {
        let sandbox = Sandbox::new();
        let url = format!("{scheme}{user}:{password}@{host}{port}/{path}");
        prop_assume!(!url.contains('\0'));
        let added = sandbox.hooks(["add", &format!("--url={url}"), "--event", "E"]).run();
        check(&added)?;
        prop_assert!(matches!(added.code(), Some(0 | 2)), "{}", added.stderr);
        let list = sandbox.hooks(["list"]).run();
        check(&list)?;
        for shown in [&added.stdout, &added.stderr, &list.stdout, &list.stderr] {
            prop_assert!(!shown.contains("S3cr3tS3cr3t"), "{}", shown);
        }
        if added.code() == Some(0) {
            prop_assert_eq!(&sandbox.hook("1")["url"], &Value::from(url));
        }
    }

    #[test]
    fn any_template_is_refused_or_gives_json_or_a_failure_that_is_on_record(
        template in prop_oneof![
            vec(select(vec![
                "{{ ", " }}", "{% ", " %}", "message", "deployment", " | ", "tojson", "upper", "join(',')",
                "for x in deployment", "endfor", "if status", "endif", "\"", "{", "}", "{\"a\": ", "[1,", "]",
                "range(100000000)", "* ", "'x'", "1/0", "x.y.z", "include 'x'", "macro f()", "self",
            ]), 0..10).prop_map(|parts| parts.concat()),
            ".{0,40}",
        ],
        message in ".{0,30}",
    ) {
        let sandbox = Sandbox::new();
        sandbox.write("template", &template);
        let receiver = Server::new(|mut stream| if let Some(request) = read_request(&stream) {
            let json = serde_json::from_slice::<Value>(&request.body).is_ok();
            let status = if json { "200 OK" } else { "400 No JSON" };
            let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        });
        let added = sandbox.hooks(["add", "--event", "E", "--url", &receiver.url("/"), "--template", "template"]).run();
        check(&added)?;
        if added.code() == Some(0) {
            let content = json!({"message": message, "status": null}).to_string();
            let published = sandbox.hooks(["publish", "E", &content, "--retries", "0"]).run();
            check(&published)?;
            let log = sandbox.log();
            prop_assert_eq!(log.len(), 1);
            prop_assert_ne!(log[0]["code"].as_u64(), Some(400), "it sent what is no JSON");
        }
    }

    #[test]
    fn any_answer_is_an_outcome_and_harmless_on_a_terminal(
        status in prop_oneof![Just(200_u16), Just(429), Just(503), 100..1000_u16],
        retry_after in prop_oneof![".{0,12}", "-?[0-9]{1,25}", Just("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            Just("Fri, 31 Dec 9999 23:59:60 GMT".to_owned())],
        location in ".{0,30}",
        body in vec(any::<u8>(), 0..300),
    ) {
        let sandbox = Sandbox::new();
        let line = |text: &str| text.replace(['\r', '\n'], " ");
        let head = format!(
            "HTTP/1.1 {status} X\r\nretry-after: {}\r\nlocation: {}\r\n\r\n", line(&retry_after), line(&location)
        );
        let reply = [head.into_bytes(), body].concat();
        let server = Server::new(move |mut stream| if read_request(&stream).is_some() {
            let _ = stream.write_all(&reply);
        });
        sandbox.add(&server.url("/"), "E");
        // Shorter than the usual wait before a retry, to save time.
        let publish = ["publish", "E", "{}", "--retries", "1", "--deadline", "700ms"];
        let published = sandbox.hooks(publish).run();
        check(&published)?;
        prop_assert!(matches!(published.code(), Some(0 | 3)));
        check(&sandbox.hooks(["list"]).run())?;
        check(&sandbox.hooks(["log"]).run())?;
        check(&sandbox.hooks(["show", "1"]).run())?;
        prop_assert_eq!(sandbox.log().len(), 1);
    }
}

#[test]
fn a_journal_with_dates_at_the_end_of_time_is_read() {
    for time in ["+262142-12-31T23:59:59Z", "-262143-01-01T00:00:00Z"] {
        let sandbox = Sandbox::new();
        sandbox.add("http://127.0.0.1:9/1", "E");
        let record = |kind: &str| {
            let content = json!({
                "id": "msg_a", "time": time, "deadline": "2026-01-01T00:00:00Z", "event": "E", "hooks": [1],
                "targets": [{"hook": 1, "url": "http://127.0.0.1:9/1"}], "content": "{}"
            });
            format!("{}\n", json!({ kind: content }))
        };
        let outcome = |delivered: bool| {
            let outcome = json!({
                "id": "msg_a", "hook": 1, "time": time, "delivered": delivered, "status": "OK",
                "reason": "", "attempts": 1, "duration_ms": u64::MAX,
            });
            format!("{}\n", json!({ "outcome": outcome }))
        };
        let outcomes = outcome(true) + &outcome(false);
        let journal = record("publication") + &outcomes + &record("redelivery").repeat(6);
        sandbox.write("hooks.json.journal", journal);
        for arguments in [
            &["log"][..],
            &["redeliver", "--failed", "--since", "300d"],
            &["redeliver", "1", "--retries", "0"],
        ] {
            let run = sandbox.hooks(arguments).run();
            check(&run).unwrap_or_else(|error| panic!("{time}: {error}"));
        }
    }
}
