//! The body of a delivery is the deployment, byte for byte.

use std::thread;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::support::{Receiver, Sandbox};

#[test]
fn five_hundred_generated_objects_arrive_byte_for_byte() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let mut runner = TestRunner::deterministic();
    let objects: Vec<String> = (0..500)
        .map(|_| object().new_tree(&mut runner).expect("an object can be generated").current())
        .collect();
    // Four threads, each of which publishes one object after the other.
    thread::scope(|scope| {
        for share in objects.chunks(125) {
            let sandbox = &sandbox;
            scope.spawn(move || {
                for (number, object) in share.iter().enumerate() {
                    let publish = sandbox.hooks(["publish", "PostDeployment"]);
                    // Half of them as an argument, half on standard input.
                    let published = if number % 2 == 0 {
                        publish.arg(object)
                    } else {
                        publish.stdin(object.as_str())
                    };
                    published.run().assert_code(0);
                }
            });
        }
    });
    let mut sent: Vec<_> = objects.into_iter().map(String::into_bytes).collect();
    let mut arrived: Vec<_> =
        receiver.wait_for(500).into_iter().map(|request| request.body).collect();
    sent.sort_unstable();
    arrived.sort_unstable();
    assert_eq!(arrived.len(), 500);
    for (arrived, sent) in arrived.iter().zip(&sent) {
        assert_eq!(String::from_utf8_lossy(arrived), String::from_utf8_lossy(sent));
    }
}

/// The JSON text of an object, in any spelling that JSON allows.
fn object() -> impl Strategy<Value = String> {
    let space = prop::sample::select(vec!["", "", "", " ", "\n", "\t", "\r\n", "  "]);
    let number = prop::sample::select(vec![
        "0",
        "-0",
        "0.10",
        "1.0",
        "1e400",
        "-1E+400",
        "1e-400",
        "12345678901234567890123",
        "-9223372036854775809",
        "18446744073709551616",
        "0.1000000000000000055511151231257827",
        "3.141592653589793238462643383279",
        "1E5",
    ]);
    let text = prop_oneof![
        "[ -~&&[^\"\\\\]]{0,12}",
        "[\u{a0}-\u{d7ff}\u{e000}-\u{10ffff}]{0,6}",
        prop::sample::select(vec![
            "\\u0000",
            "\\ud83d\\ude00",
            // Half of a surrogate pair: JSON allows it, many parsers do not.
            "\\ud800",
            "😀",
            "\\/",
            "\\n\\r\\t\\b\\f",
            "\\\"\\\\",
            "\u{2028}\u{202e}",
            "</script>",
            "\u{7f}",
            "\\u00E9",
        ])
        .prop_map(str::to_owned),
    ]
    .prop_map(|text| format!("\"{text}\""));
    // Few names, so that duplicate keys are common.
    let key = prop_oneof![
        prop::sample::select(vec![
            "a", "b", "id", "status", "Status", "\\u0061", "", "é", "e\u{301}"
        ])
        .prop_map(|key| format!("\"{key}\"")),
        text.clone(),
    ];
    let scalar = prop_oneof![
        number.prop_map(str::to_owned),
        text,
        prop::sample::select(vec!["true", "false", "null", "{}", "[]", "[ ]"])
            .prop_map(str::to_owned),
    ];
    let value = scalar.prop_recursive(4, 24, 5, {
        let (space, key) = (space.clone(), key.clone());
        move |inner| {
            let (s1, s2) = (space.clone(), space.clone());
            prop_oneof![
                (prop::collection::vec(inner.clone(), 0..5), s1)
                    .prop_map(|(items, s)| format!("[{s}{}{s}]", items.join(&format!("{s},{s}")))),
                (prop::collection::vec((key.clone(), inner), 0..5), s2)
                    .prop_map(|(members, s)| members_to_text(&members, s)),
            ]
        }
    });
    (prop::collection::vec((key, value), 0..8), space.clone(), space).prop_map(
        |(members, inside, around)| {
            format!("{around}{}{around}", members_to_text(&members, inside))
        },
    )
}

fn members_to_text(members: &[(String, String)], space: &str) -> String {
    let members: Vec<_> =
        members.iter().map(|(key, value)| format!("{key}{space}:{space}{value}")).collect();
    format!("{{{space}{}{space}}}", members.join(&format!("{space},{space}")))
}
