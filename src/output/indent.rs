//! JSON laid out for people, character by character.
//!
//! Parsing into a `serde_json::Value` and printing that would round big numbers, sort keys and drop
//! duplicates; what `listen` and `--dry-run` show must be what is sent.

/// Levels that get an indentation of their own; deeper ones line up with the last. Without a limit, a
/// megabyte of `[` would take a terabyte of spaces.
const MAX_LEVELS: usize = 16;

/// `json` with each member and element on a line of its own, indented by two spaces a level. Only white
/// space between tokens changes: numbers, strings, the order of keys and duplicate keys stay as written.
///
/// The caller has checked that `json` is valid JSON; other text gives odd lines, and never a panic.
pub(crate) fn indent(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    // An opening bracket waits for what follows it, so that an empty pair stays together.
    let mut just_opened = false;
    let mut chars = json.chars();
    while let Some(c) = chars.next() {
        if matches!(c, ' ' | '\n' | '\r' | '\t') {
            continue;
        }
        let closes = matches!(c, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        if just_opened != closes {
            break_line(&mut out, depth);
        }
        just_opened = false;
        out.push(c);
        match c {
            '{' | '[' => {
                depth += 1;
                just_opened = true;
            }
            ',' => break_line(&mut out, depth),
            ':' => out.push(' '),
            '"' => copy_string(&mut chars, &mut out),
            _ => {}
        }
    }
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth.min(MAX_LEVELS) {
        out.push_str("  ");
    }
}

/// Copies the rest of a string, its closing quote included.
fn copy_string(chars: &mut std::str::Chars<'_>, out: &mut String) {
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '"' => return,
            '\\' => out.extend(chars.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// `json` without the white space between its tokens.
    fn compact(json: &str) -> String {
        let mut out = String::new();
        let (mut in_string, mut escaped) = (false, false);
        for c in json.chars() {
            if in_string || !c.is_ascii_whitespace() {
                out.push(c);
            }
            in_string ^= c == '"' && !escaped;
            escaped = in_string && c == '\\' && !escaped;
        }
        out
    }

    #[test]
    fn members_and_elements_get_their_lines() {
        let json = r#"{"id":"a1","tags":["x",{"n":1}],"none":{ },"empty":[
            ],"status":null}"#;
        let wanted = r#"{
  "id": "a1",
  "tags": [
    "x",
    {
      "n": 1
    }
  ],
  "none": {},
  "empty": [],
  "status": null
}"#;
        assert_eq!(indent(json), wanted);
        assert_eq!(indent(wanted), wanted);
    }

    #[test]
    fn scalars_stay() {
        for json in ["1", "\"a b\"", "null", "{}", "[]"] {
            assert_eq!(indent(&format!(" \n{json}\t")), json);
        }
    }

    #[test]
    fn spelling_order_and_duplicates_stay() {
        let json = r#"{"z":12345678901234567890123,"a":1e400,"a":1.10,"s":"\u00e9\/ \"{[:,]}\\"}"#;
        let wanted = "{\n  \"z\": 12345678901234567890123,\n  \"a\": 1e400,\n  \"a\": 1.10,\n  \
                      \"s\": \"\\u00e9\\/ \\\"{[:,]}\\\\\"\n}";
        assert_eq!(indent(json), wanted);
    }

    #[test]
    fn deep_nesting_stays_small() {
        let levels = 100_000;
        let json = "[".repeat(levels) + &"]".repeat(levels);
        let out = indent(&json);
        assert_eq!(compact(&out), json);
        assert!(out.len() <= json.len() * (2 + 2 * MAX_LEVELS));
    }

    #[test]
    fn invalid_text_does_not_panic() {
        for text in ["", "]]]", "\"open", "\"\\", "{]", ":,", "é"] {
            indent(text);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn only_white_space_changes(value in any_json()) {
            let json = value.to_string();
            let out = indent(&json);
            prop_assert_eq!(compact(&out), json);
            prop_assert_eq!(indent(&out), out.as_str());
            prop_assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), value);
        }

        #[test]
        fn it_agrees_with_serde_json(value in any_json()) {
            prop_assert_eq!(indent(&value.to_string()), serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
