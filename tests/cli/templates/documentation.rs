//! `docs/templates.md`: each example and each row of its tables, as the program does it.

use serde_json::Value;

use super::sent;

const CHAPTER: &str = include_str!("../../../docs/templates.md");

/// The fenced blocks of the chapter: their language and their text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut parts = CHAPTER.split("```");
    parts.next();
    let mut blocks = Vec::new();
    while let Some(block) = parts.next() {
        let (language, text) = block.split_once('\n').expect("a block has lines");
        blocks.push((language, text.trim_end_matches('\n')));
        parts.next();
    }
    blocks
}

/// The deployment that the chapter's examples are about: the first block.
fn deployment() -> &'static str {
    let (language, text) = blocks()[0];
    assert_eq!(language, "json");
    text
}

fn options(language: &str) -> &'static [&'static str] {
    match language {
        "json" => &[],
        "form" => &["--header", "Content-Type: application/x-www-form-urlencoded"],
        "text" => &["--header", "Content-Type: text/plain"],
        _ => panic!("an example yields {language}"),
    }
}

#[test]
fn every_example_makes_the_body_that_stands_below_it() {
    let blocks = blocks();
    let mut examples = 0;
    for pair in blocks.windows(2) {
        let [("jinja", template), (language, body)] = pair else {
            continue;
        };
        if *language == "jinja" {
            continue;
        }
        let request = match options(language) {
            [] => sent(template, [], deployment()),
            [flag, value] => sent(template, [flag, value], deployment()),
            _ => unreachable!(),
        };
        assert_eq!(request.text(), *body, "{template}");
        examples += 1;
    }
    assert_eq!(examples, 4);
    // The one without a body below it.
    let (language, last) = blocks.last().unwrap();
    assert_eq!(*language, "jinja");
    let body = sent(last, [], deployment()).json();
    assert_eq!(body["id"], "cd5bee7");
    let whole: Value = serde_json::from_str(deployment()).unwrap();
    assert_eq!(body["deployment"], whole);
}

/// The rows of the chapter's table with this heading, without escapes.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let table = CHAPTER.split(heading).nth(1).expect("the table is there");
    let lines = table.lines().skip_while(|line| !line.starts_with("|-")).skip(1);
    let cells = |line: &str| {
        let line = line.replace("\\|", "\u{0}");
        let cells = line.trim_matches('|').split('|').map(str::trim);
        cells.map(|cell| cell.replace('\u{0}', "|")).collect()
    };
    lines.take_while(|line| line.starts_with('|')).map(cells).collect()
}

#[test]
fn every_filter_gives_what_the_table_says() {
    let rows = rows("| filter |");
    assert!(rows.len() >= 15, "{rows:?}");
    // All in one template: an array.
    let code = |cell: &String| cell.trim_matches('`').to_owned();
    let expressions: Vec<String> =
        rows.iter().map(|row| format!("{{{{ {} }}}}", code(&row[0]))).collect();
    let request = sent(&format!("[{}]", expressions.join(",\n")), [], deployment());
    let results = request.json();
    for (number, row) in rows.iter().enumerate() {
        let expected: Value = serde_json::from_str(&code(&row[2])).expect(&row[2]);
        assert_eq!(results[number], expected, "{}", row[0]);
    }
}

#[test]
fn every_variable_is_there() {
    let names: Vec<String> = rows("| name |").into_iter().map(|row| row[0].clone()).collect();
    let expected = [
        "each key of the deployment",
        "`deployment`",
        "`event`",
        "`webhook_id`",
        "`body`",
        "`cloudevent`",
    ];
    assert_eq!(names, expected);
    let template = r#"[{{ env.zone.name }}, {{ deployment["build"] }}, {{ event }}, {{ webhook_id }}, {{ body }},
        {{ cloudevent }}, {{ note ~ gone ~ env }}, {{ ["a", id]|string ~ "!" }}]"#;
    let request = sent(template, [], deployment());
    let values = request.json();
    assert_eq!(values[0], Value::Null);
    assert_eq!(values[1], 42);
    assert_eq!(values[2], "PostDeployment");
    assert_eq!(values[3], request.the_header("webhook-id"));
    assert_eq!(values[4], deployment());
    let event: Value = serde_json::from_str(values[5].as_str().unwrap()).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["data"]["author"], "Ada Author");
    assert_eq!(values[6], r#"{"name":"prod","regions":["eu","us"]}"#);
    assert_eq!(values[7], r#"["a","cd5bee7181e74ea38a3522e73253f6ebb8ed72fb"]!"#);
}
