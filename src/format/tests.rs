use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod templates;

const CHAT: [&str; 3] = ["slack", "discord", "teams"];

/// Quotes, Jinja, every service's mark-up and mentions, and what terminals obey.
const HOSTILE: &str = concat!(
    "\"}], {{ 7*7 }} {% raw %} \\\" ${x} <!channel> <@U1> <#C1> @everyone x.@here *b* _i_ ~s~ `c` ||s|| ",
    "[a](https://e.example/a_b) ![i](x) &lt; <at>all</at> {{DATE(2017-02-14T06:00:00Z)}} :x: ",
    "\u{1b}[2J\u{202e}\u{9b}\0\u{7f}\r\n# second line\n```\n",
);

fn publication(event: &str, content: &str) -> Publication {
    let deployment = Deployment::recorded(content.to_owned());
    let publication = Publication::new(event, deployment, DateTime::UNIX_EPOCH);
    Publication { id: "msg_1".to_owned(), ..publication }
}

fn rendered(format: &str, event: &str, content: &str) -> Value {
    let publication = publication(event, content);
    let (_, body) = render(Some(format), &publication).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn templated_as(syntax: Syntax, template: &str, content: &str) -> Result<String, RenderError> {
    from_template(template, syntax, &publication("PostDeployment", content))
}

/// Every string of a JSON value, keys left out.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(keys) => keys.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// Deployments that a format must get through.
fn odd_deployments() -> Vec<String> {
    let everywhere = |text: &str| {
        let own = (0..30).map(|n| (format!("{n}{text}"), json!(text)));
        let mut keys: serde_json::Map<_, _> = own.collect();
        for key in kudu::KEYS {
            keys.insert(key.to_owned(), json!(text));
        }
        Value::Object(keys).to_string()
    };
    let depth = 20_000;
    vec![
        "{}".to_owned(),
        sample(DateTime::UNIX_EPOCH),
        everywhere(HOSTILE),
        everywhere(&"<".repeat(2_000)),
        everywhere(&"*@😀".repeat(1_000)),
        everywhere("\u{fffd}\u{202e}\n"),
        everywhere(" "),
        json!({"message": "x".repeat(1_000_000), "status": "failed"}).to_string(),
        json!({"deployer": "@".repeat(200_000)}).to_string(),
        json!({"author": "<".repeat(200_000), "deployer": "<".repeat(200_000)}).to_string(),
        json!({"message": vec!["<"; 50_000]}).to_string(),
        json!({"x".repeat(200_000): "x".repeat(200_000)}).to_string(),
        r#"{"message":"\ud800 \u0000 \udc00","status":"\ud800","\ud800":1}"#.to_owned(),
        r#"{"message":["a"],"status":4,"id":{"a":null},"deployer":true,"author":1e400}"#.to_owned(),
        r#"{"range":1,"dict":2,"deployment":3,"event":4,"loop":5,"title":6,"facts":7,"self":8}"#
            .to_owned(),
        format!(r#"{{"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth)),
    ]
}

#[test]
fn every_format_renders_every_deployment() {
    for content in odd_deployments() {
        for format in CHAT {
            rendered(format, "PostDeployment", &content);
            rendered(format, "a:_.-/", &content);
        }
        // These two carry what not every JSON reader takes, such as half a surrogate pair.
        for format in ["raw", "cloudevents"] {
            let publication = publication("E", &content);
            let (_, body) = render(Some(format), &publication).unwrap();
            serde_json::from_slice::<&serde_json::value::RawValue>(&body).unwrap();
        }
    }
}

#[test]
fn raw_is_the_bytes_themselves() {
    let content = " {\"b\":1e400, \"a\":1,\t\"a\":2}\r\n";
    for format in [None, Some("raw")] {
        let publication = publication("E", content);
        let (content_type, body) = render(format, &publication).unwrap();
        assert_eq!(&*body, content.as_bytes());
        assert_eq!(content_type, "application/json");
    }
}

#[test]
fn a_cloud_event_carries_the_bytes_themselves() {
    let content = " {\"b\":1e400, \"specversion\":\"9\",\t\"a\":1,\"a\":2}\r\n";
    let publication = publication("a.b", content);
    let (content_type, body) = render(Some("cloudevents"), &publication).unwrap();
    assert_eq!(content_type, "application/cloudevents+json");
    let text = String::from_utf8(body.into_owned()).unwrap();
    assert!(text.contains(content), "{text}");
    let event: std::collections::BTreeMap<&str, &serde_json::value::RawValue> =
        serde_json::from_str(&text).unwrap();
    assert_eq!(event["specversion"].get(), "\"1.0\"");
    assert_eq!(event["id"].get(), "\"msg_1\"");
    assert_eq!(event["type"].get(), "\"a.b\"");
    assert_eq!(event["time"].get(), "\"1970-01-01T00:00:00.000Z\"");
    assert!(event["source"].get().starts_with("\"/hooks/"));
}

#[test]
fn a_deployment_cannot_close_its_envelope() {
    for content in ["{},\"id\":\"x\"", "{}}", "", "{"] {
        for format in ["slack", "cloudevents"] {
            let refused = render(Some(format), &publication("E", content)).unwrap_err();
            let refused = refused.to_string();
            assert!(refused.starts_with("the deployment is not one JSON object"), "{refused}");
        }
    }
}

#[test]
fn nothing_a_commit_says_acts_in_a_chat() {
    let hostile = json!({"id": HOSTILE, "status": HOSTILE, "author": HOSTILE, "message": HOSTILE,
        "deployer": "d", HOSTILE: HOSTILE})
    .to_string();
    for format in CHAT {
        let body = rendered(format, "PostDeployment", &hostile);
        for text in strings(&body) {
            for active in ["@everyone", "@here", "<@U", "<!channel>", "{{DATE", "${"] {
                assert!(
                    !text.contains(active) || (active.starts_with(['{', '$']) && format != "teams"),
                    "{format}: {active} in {text}"
                );
            }
            let acts =
                |c: char| c != '\n' && c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!text.contains(acts), "{format}: {text:?}");
        }
        assert!(body.to_string().contains("7*7") || body.to_string().contains(r"7\\*7"));
    }
}

#[test]
fn slack_gets_text_colour_and_title() {
    let body = rendered("slack", "PostDeployment", &sample(DateTime::UNIX_EPOCH));
    assert_eq!(body["text"], "✅ Deployment succeeded: cd5bee7 by hooks test in 1 m 12 s");
    assert_eq!(body["mrkdwn"], false);
    assert_eq!(body["attachments"][0]["color"], "good");
    let failed =
        rendered("slack", "PostDeployment", r#"{"status":"FAILED","message":"<!channel>"}"#);
    assert_eq!(failed["text"], "❌ Deployment FAILED");
    assert_eq!(failed["attachments"][0]["color"], "danger");
    assert_eq!(failed["attachments"][0]["title"], "&lt;!channel&gt;");
}

#[test]
fn a_deployment_without_keys_is_its_event() {
    assert_eq!(rendered("slack", "PostDeployment", "{}")["text"], "🔔 PostDeployment");
    let body = rendered("discord", "PostDeployment", "{}");
    assert_eq!(body["embeds"][0]["title"], "🔔 PostDeployment");
}

fn units(text: &Value) -> usize {
    text.as_str().unwrap_or_default().encode_utf16().count()
}

#[test]
fn slack_and_mattermost_limits_hold() {
    for content in odd_deployments() {
        let body = rendered("slack", &"e".repeat(100), &content);
        assert!((1..4_000).contains(&units(&body["text"])));
        assert!(body["attachments"].to_string().chars().count() < 7_900);
    }
}

#[test]
fn discord_limits_hold() {
    for content in odd_deployments() {
        let body = rendered("discord", &"e".repeat(100), &content);
        assert_eq!(body["allowed_mentions"], json!({"parse": []}));
        let embed = &body["embeds"][0];
        assert!((1..=256).contains(&units(&embed["title"])));
        assert!(units(&embed["description"]) <= 4_096);
        let fields = embed["fields"].as_array().unwrap();
        assert!(fields.len() <= 25);
        for field in fields {
            assert!((1..=256).contains(&units(&field["name"])), "{field}");
            assert!((1..=1_024).contains(&units(&field["value"])), "{field}");
        }
        let total: usize = strings(embed).iter().map(|text| text.encode_utf16().count()).sum();
        assert!(total <= 6_000, "{total}");
        assert!(embed["color"].is_u64());
    }
}

#[test]
fn teams_limits_hold() {
    for content in odd_deployments() {
        let publication = publication("PostDeployment", &content);
        let (_, body) = render(Some("teams"), &publication).unwrap();
        assert!(body.len() <= 28 * 1024, "{}", body.len());
    }
}

#[test]
fn an_unknown_format_is_an_error() {
    let refused = render(Some("pager\u{1b}\n2"), &publication("E", "{}")).unwrap_err();
    assert_eq!(refused.to_string(), "this version of hooks has no format `pager␛ 2`");
}

#[test]
fn a_sample_is_marked_as_a_test() {
    let sample: Value = serde_json::from_str(&sample(DateTime::UNIX_EPOCH)).unwrap();
    assert_eq!(sample["test"], true);
    assert!(sample["message"].as_str().unwrap().contains("test"));
    assert_eq!(sample["end_time"], "1970-01-01T00:00:00.000Z");
    for key in kudu::KEYS {
        assert!(sample[key].is_string(), "{key}");
    }
}

proptest! {
    // A rendering takes a thread of its own, so fewer cases than elsewhere.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    #[test]
    fn any_template_on_any_deployment_gives_json_or_an_error(
        template in prop_oneof![
            any::<String>(),
            r#"[{}%"|~:, a-z.\[\]()0-9-]{0,60}"#,
            r#"\{"text": \{\{ [a-z]{1,9}( ?[|~+*/.-] ?[a-z"0-9]{1,9}){0,3} \}\}\}"#,
        ],
        message in any::<String>(),
    ) {
        let content = serde_json::json!({"message": message, "status": "failed", "n": 1.5}).to_string();
        let publication = publication("E", &content);
        let _ = check(&template, Syntax::Json);
        if let Ok(body) = from_template(&template, Syntax::Json, &publication) {
            prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok());
        }
        for syntax in [Syntax::Form, Syntax::Text] {
            if let Ok(body) = from_template("{{ message }}", syntax, &publication) {
                let hostile = |c: char| c.is_control() && !"\t\r\n".contains(c);
                prop_assert!(!body.contains(hostile), "{body:?}");
            }
        }
        for format in NAMES {
            let (_, body) = render(Some(format), &publication).unwrap();
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok());
        }
    }
}
