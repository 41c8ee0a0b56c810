use proptest::prelude::*;

use super::super::scrub;
use super::*;

#[test]
fn a_templates_tokens_are_masked_and_its_code_is_not() {
    for (text, shown) in [
        (
            r#"{"routing_key": "R0abcdef0123456789abcdef01234567", "x": {{ deployment.step_12_seconds_total }} }"#,
            r#"{"routing_key": "***", "x": {{ deployment.step_12_seconds_total }} }"#,
        ),
        (
            r#"{"key": {{ "abcdefgh12345678" ~ id }}, "n": {{ 'abcdefgh12345678' }} }"#,
            r#"{"key": {{ "***" ~ id }}, "n": {{ '***' }} }"#,
        ),
        ("token=abcdefgh12345678&to={{ id }}", "token=***&to={{ id }}"),
        ("token=abcdefgh%2B123456%3D%3D", "token=***"),
        (r#""k": "QUJDREVGR0gxMjM0NTY3OA==","#, r#""k": "***","#),
        (r#""k": "QUJD/EVGR0gx+jM0NTY3OA==","#, r#""k": "***","#),
        ("{# abcdefgh12345678 {{ #}x{{ a }}", "{# *** {{ #}x{{ a }}"),
        (
            r#"{{ "a \" abcdefgh12345678" }}{{ key_abcdefgh12345678 }}"#,
            r#"{{ "a \" ***" }}{{ key_abcdefgh12345678 }}"#,
        ),
        ("{{ abcdefgh12345678", "{{ ***"),
        ("{{ 'abcdefgh12345678' x", "{{ '***' x"),
        ("{{ abcdefgh12345678 'abcdefgh12345678'", "{{ *** '***'"),
        ("{% raw %}{{ abcdefgh12345678 }}{% endraw %}", "{% raw %}{{ *** }}{% endraw %}"),
        (
            r#"{"u": "https://hooks.zapier.com/hooks/catch/1/abc/", "v": "https://h/{{ id }}"}"#,
            r#"{"u": "https://hooks.zapier.com/hooks/catch/1/***/", "v": "https://h/{{ id }}"}"#,
        ),
        (
            r#"{"u": "https://u:pw@h/?a=b", "type": "application/vnd.microsoft.card.adaptive"}"#,
            r#"{"u": "https://u:***@h/?a=***", "type": "application/vnd.microsoft.card.adaptive"}"#,
        ),
    ] {
        assert_eq!(template(text), shown);
        let scrubbed = scrub(text, &secrets_in_template(text));
        assert!(!scrubbed.contains(": \"abcdefgh12345678"), "{scrubbed}");
    }
    for plain in [
        include_str!("../../../formats/slack.json.j2"),
        include_str!("../../../formats/discord.json.j2"),
        include_str!("../../../formats/teams.json.j2"),
        r##"{"text": {{ status ~ ": " ~ message }}, "color": "#439fe0", "at": "10:30"}"##,
        "",
    ] {
        assert_eq!(template(plain), plain);
        assert!(secrets_in_template(plain).is_empty());
    }
}

proptest! {
    #[test]
    fn any_template_is_masked(text in prop_oneof![
        any::<String>(), "([{}%#\"'\\\\a ]|raw|endraw|https://h/|abcdefgh12345678|é){0,20}",
    ]) {
        let masked = template(&text);
        prop_assert_eq!(template(&masked), masked);
        secrets_in_template(&text);
    }
}
