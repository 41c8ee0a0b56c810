use serde_json::{Value, json};

use super::templated_as;
use crate::format::template::MAX_TEMPLATE;
use crate::format::*;

fn templated(template: &str, content: &str) -> Result<Value, RenderError> {
    let body = templated_as(Syntax::Json, template, content)?;
    Ok(serde_json::from_str(&body).unwrap())
}

#[test]
fn a_template_sees_keys_event_and_id() {
    let template = r#"[{{ status ~ ": " ~ message }}, {{ event }}, {{ webhook_id }}, {{ gone }}, {{ nil }},
        {{ deployment.a.b.c }}, {{ deployment["x-y"] }}, {{ big }}, {{ nil is none }}, {{ nil ~ "x" }}]"#;
    let content = r#"{"status":"ok","message":"\"}{{ event }}","event":1,"webhook_id":2,"nil":null,
        "x-y":[1.5,{}],"big":12345678901234567890123,"deployment":{"a":{"b":{"c":3}}}}"#;
    let body = templated(template, content).unwrap();
    let expected = json!([
        "ok: \"}{{ event }}",
        "PostDeployment",
        "msg_1",
        null,
        null,
        null,
        [1.5, {}],
        "12345678901234567890123",
        true,
        "x"
    ]);
    assert_eq!(body, expected);
}

#[test]
fn good_templates_are_accepted() {
    for template in [
        SLACK,
        DISCORD,
        TEAMS,
        r#"{"text": {{ status ~ ": " ~ message }} }"#,
        r#"{"env": {{ env.name|upper }}, "n": {{ count + 1 }} }"#,
        r#"{"n": {{ deployment["build-id"] + 1 }} }"#,
        "[{% for tag in tags %}{{ tag }}{% if not loop.last %},{% endif %}{% endfor %}]",
        r#"{"t": {{ (start_time|duration(end_time)) }}, "c": {{ id|short_commit }} }"#,
        "{{ deployment }}",
    ] {
        assert_eq!(check(template, Syntax::Json), Ok(()), "{template}");
    }
}

#[test]
fn bad_templates_are_refused_with_the_reason() {
    for (template, reason) in [
        ("{\n{% if %}", "fails in line 2: syntax error: "),
        ("{{ status|nope }}", "fails in line 1: unknown filter: "),
        ("{{ nope() }}", "fails in line 1: unknown function: "),
        ("{{ message + 1 }}", "fails in line 1: invalid operation: "),
        ("{% include '/etc/passwd' %}", "syntax error: unknown statement include"),
        ("", "yields no JSON: EOF while parsing a value at line 1 column 0"),
        (r#"{"text": "{{ status }}"}"#, "yields no JSON"),
        (r#"{"text": "{{ message|safe }}"}"#, "yields no JSON"),
        (r#"{% if status == "failed" %}oops{% else %}1{% endif %}"#, "yields no JSON"),
        (
            "{% for x in range(90000) %}{% for y in range(90000) %}{% endfor %}{% endfor %}",
            "too much work",
        ),
        (r#"{{ "x" * 100000000 }}"#, "too much work"),
        ("{% set ns = namespace(x=1) %}1", "namespace is unknown"),
    ] {
        let refused = check(template, Syntax::Json).expect_err(template).to_string();
        assert!(refused.contains(reason), "{template}: {refused}");
        assert!(!refused.contains('\n'), "{refused}");
    }
}

#[test]
fn a_template_over_64_kib_is_refused() {
    let padded = |size: usize| format!("{{{{ event }}}}{}", " ".repeat(size - 11));
    assert_eq!(check(&padded(MAX_TEMPLATE), Syntax::Json), Ok(()));
    assert_eq!(
        check(&padded(MAX_TEMPLATE + 1), Syntax::Json),
        Err(RenderError::because("the template has 65537 bytes, more than the 65536 allowed"))
    );
}

#[test]
fn no_template_overflows_the_stack() {
    for (start, middle, end) in [
        ("{{ 1", "+1", " }}"),
        ("{{ ", "not ", "1 }}"),
        ("{{ ", "-", "1 }}"),
        ("{{ a", ".a", " }}"),
        ("{{ a", "|e", " }}"),
        ("{{ a", "[0]", " }}"),
        ("{{ 1", " if 1 else 1", " }}"),
        ("{{ ", "(", " }}"),
        ("{% if a %}1{% else %}2", "{% elif a %}", "{% endif %}"),
    ] {
        let count = (MAX_TEMPLATE - start.len() - end.len()) / middle.len();
        let template = format!("{start}{}{end}", middle.repeat(count));
        // Whether it is accepted does not matter; that there is an answer does.
        let _ = check(&template, Syntax::Json);
    }
}

#[test]
fn a_body_over_4_mib_is_refused() {
    let content = json!({"message": "x".repeat(1_000_000)}).to_string();
    let template =
        r#"["{{ message }}", {{ message }}, {{ message }}, {{ message }}, {{ message }}]"#;
    let refused = templated(template, &content).unwrap_err();
    assert_eq!(refused.to_string(), "the template yields more than 4 MiB");
}

#[test]
fn a_template_has_the_whole_as_text() {
    let content = " {\"b\":1e400, \"a\":\"\\u00e9\",\t\"a\":2,\"body\":3,\"cloudevent\":4}\r\n";
    let body =
        templated("[{{ body }}, {{ body|base64 }}, {{ deployment.body }}]", content).unwrap();
    assert_eq!(body[0], content);
    assert_eq!(
        body[1],
        "IHsiYiI6MWU0MDAsICJhIjoiXHUwMGU5IiwJImEiOjIsImJvZHkiOjMsImNsb3VkZXZlbnQiOjR9DQo="
    );
    assert_eq!(body[2], 3);
    let publication = super::publication("PostDeployment", content);
    let (_, sent) = render(Some("cloudevents"), &publication).unwrap();
    let text = templated("{{ cloudevent }}", content).unwrap();
    assert_eq!(text.as_str().unwrap().as_bytes(), &*sent);
    let nested = templated(r#"{"e": {{ cloudevent|safe }} }"#, r#"{"id":"7"}"#).unwrap();
    assert_eq!(nested["e"]["data"], json!({"id": "7"}));
}

#[test]
fn filters_encode_and_reckon() {
    let content = r#"{"message":"a b&c=ü/~\n","start_time":"2013-06-06T03:24:16.5873293+02:00","tags":["x",1],
        "n":1.5,"t":true,"nil":null}"#;
    for (expression, expected) in [
        ("message|base64", json!("YSBiJmM9w7wvfgo=")),
        ("tags|base64", json!("WyJ4IiwxXQ==")),
        ("nil|base64", json!("")),
        ("message|urlencode", json!("a%20b%26c%3D%C3%BC/%7E%0A")),
        (r#"{"q": message, "n": n}|urlencode"#, json!("n=1.5&q=a%20b%26c%3D%C3%BC/%7E%0A")),
        ("start_time|timestamp", json!(1_370_481_856)),
        ("'1969-12-31T23:59:59.5Z'|timestamp", json!(-1)),
        ("message|timestamp", json!(null)),
        ("n|timestamp", json!(null)),
        ("nil|timestamp", json!(null)),
        ("gone|timestamp", json!(null)),
        ("(start_time|timestamp) + 60", json!(1_370_481_916)),
    ] {
        let body = templated(&format!("{{{{ {expression} }}}}"), content);
        assert_eq!(body.as_ref(), Ok(&expected), "{expression}");
    }
}

#[test]
fn lists_and_objects_are_json_as_text() {
    let content = r#"{"l":[{"k":"v"},[]],"n":1.5,"o":{"a":[1,"x\"y",null,true],"b":{}},"t":true}"#;
    let o = r#"{"a":[1,"x\"y",null,true],"b":{}}"#;
    for (expression, text) in [
        ("o|string", o),
        ("o ~ ''", o),
        ("'' ~ o", o),
        ("o|pprint", o),
        ("'%s'|format(o)", o),
        ("o.a ~ ''", r#"[1,"x\"y",null,true]"#),
        ("l|join(' ')", r#"{"k":"v"} []"#),
        ("l|first ~ ''", r#"{"k":"v"}"#),
        ("(l|list)|string", r#"[{"k":"v"},[]]"#),
        ("l[:1]|string", r#"[{"k":"v"}]"#),
        ("[o, 'x', none]|string", &format!("[{o},\"x\",null]")),
        ("(o|items|list)[1]|string", r#"["b",{}]"#),
        ("deployment|string", content),
        ("t|string", "true"),
        ("n|string", "1.5"),
        ("gone|string", ""),
        ("o|string|length|string", "33"),
        ("o|upper", &o.to_uppercase()),
        ("o|replace('a', 'z')|length|string", "33"),
    ] {
        let body = templated(&format!("{{{{ {expression} }}}}"), content);
        assert_eq!(body, Ok(json!(text)), "{expression}");
        let plain = templated_as(Syntax::Text, &format!("{{{{ {expression} }}}}"), content);
        assert_eq!(plain.as_deref(), Ok(text), "{expression}");
    }
    for printed in ["o", "l", "deployment", "l[:1]", "[o, 1]"] {
        let plain = templated_as(Syntax::Text, &format!("{{{{ {printed} }}}}"), content).unwrap();
        let json = templated(&format!("{{{{ {printed} }}}}"), content).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&plain).unwrap(), json);
    }
}

#[test]
fn a_content_type_decides_how_values_go_in() {
    for (content_type, syntax) in [
        (None, Syntax::Json),
        (Some("application/json; charset=utf-8"), Syntax::Json),
        (Some("Application/VND.api+JSON"), Syntax::Json),
        (Some("text/json"), Syntax::Json),
        (Some(" application/x-www-form-urlencoded ;charset=utf-8"), Syntax::Form),
        (Some("APPLICATION/X-WWW-FORM-URLENCODED"), Syntax::Form),
        (Some("text/plain"), Syntax::Text),
        (Some("text/plain; format=application/json"), Syntax::Text),
        (Some("application/x-ndjson"), Syntax::Text),
        (Some("application/xml"), Syntax::Text),
        (Some("nonsense"), Syntax::Text),
    ] {
        assert_eq!(Syntax::of(content_type), syntax, "{content_type:?}");
    }
}

#[test]
fn in_a_form_every_value_is_percent_encoded() {
    let content = r#"{"message":"a b&c=d+ü\r\n%#\"'~-._","n":1.5,"t":true,"nil":null,"l":[1,"&"]}"#;
    for (template, body) in [
        ("To={{ message }}", "To=a%20b%26c%3Dd%2B%C3%BC%0D%0A%25%23%22%27~-._"),
        ("n={{ n }}&t={{ t }}&x={{ nil }}&y={{ gone }}&", "n=1.5&t=true&x=&y=&"),
        ("l={{ l }}", "l=%5B1%2C%22%26%22%5D"),
        ("a={{ 'x&y' ~ nil }}&b=x&y", "a=x%26y&b=x&y"),
        ("a={{ 'x&y'|safe }}", "a=x&y"),
        ("{% set m %}{{ '&' }}{% endset %}a={{ m }}", "a=%26"),
        ("{% autoescape false %}a={{ '&' }}{% endautoescape %}", "a=&"),
        ("{% for x in l %}l={{ x }}{% if not loop.last %}&{% endif %}{% endfor %}", "l=1&l=%26"),
        ("a=1\n", "a=1"),
        ("", ""),
    ] {
        let rendered = templated_as(Syntax::Form, template, content);
        assert_eq!(rendered.as_deref(), Ok(body), "{template}");
    }
}

#[test]
fn in_plain_text_control_characters_are_visible() {
    let content = r#"{"message":" \"a\"\u001b[2J\tb\r\nc\rd\u0000\u202e\u009b é","nil":null}"#;
    let shown = " \"a\"␛[2J\tb\r\nc␍d␀\u{FFFD}\u{FFFD} é";
    for (template, body) in [
        ("{{ message }}", shown.to_owned()),
        ("{{ message|clean }}", "\"a\"␛[2J b\nc␍d␀\u{FFFD}\u{FFFD} é".to_owned()),
        ("{{ event }}: {{ nil }}{{ gone }}.", "PostDeployment: .".to_owned()),
        ("{{ '\u{1b}'|safe }}{{ '\u{1b}' }}", "\u{1b}␛".to_owned()),
        ("{{ body }}", content.to_owned()),
        ("\u{1b}", "\u{1b}".to_owned()),
        (
            "{{ message|tojson }}",
            serde_json::to_string(" \"a\"\u{1b}[2J\tb\r\nc\rd\0\u{202e}\u{9b} é").unwrap(),
        ),
    ] {
        let rendered = templated_as(Syntax::Text, template, content);
        assert_eq!(rendered.as_ref(), Ok(&body), "{template}");
    }
}

#[test]
fn only_where_json_is_wanted_must_it_come_out() {
    for template in ["Deployed {{ id }}", "a={{ message }}", "", "{% if gone %}{% endif %}"] {
        let refused = check(template, Syntax::Json).expect_err(template);
        assert!(refused.to_string().starts_with("the template yields no JSON: "), "{refused}");
        assert!(refused.hint.is_some_and(|hint| hint.contains("Content-Type")));
        assert_eq!(check(template, Syntax::Form), Ok(()));
        assert_eq!(check(template, Syntax::Text), Ok(()));
    }
    for syntax in [Syntax::Form, Syntax::Text] {
        assert!(check("{{ nope() }}", syntax).is_err());
        assert!(check("{% if %}", syntax).is_err());
    }
}
