use super::*;
use proptest::prelude::*;

#[test]
fn a_headers_words_are_secrets_and_its_scheme_is_not() {
    let secrets = secrets_in_header("Token token=\"abcd1234\"");
    let echo = r#"{"authorization":"Token token=\"abcd1234\""} Invalid Token abcd1234"#;
    let scrubbed = scrub(echo, &secrets);
    assert!(!scrubbed.contains("abcd1234"), "{scrubbed}");
    assert!(scrubbed.contains("Invalid Token"), "{scrubbed}");
}

#[test]
fn a_token_that_has_no_digit_by_chance_is_known_by_its_capitals() {
    let shown =
        url("https://hooks.slack.com/services/T02AB3CD4/B02EF5GH6/aBcDeFgHiJkLmNoPqRsTuVwX");
    assert_eq!(shown, "https://hooks.slack.com/services/T02AB3CD4/B02EF5GH6/***");
    let words = "https://example.com/PostDeploymentNotifications/internal-tools/deployments";
    assert_eq!(url(words), words);
}

#[test]
fn urls_without_secrets_stay_as_written() {
    for text in [
        "https://example.com",
        "HTTPS://Example.COM:443/Hooks/../a%20b/",
        "http://[::1]:9000/cb",
        "https://bücher.example/naïve",
        "https://example.com/12345678901234567890/post-deployment-notifications",
        "https://example.com/?#",
    ] {
        assert_eq!(url(text), text);
    }
}

#[test]
fn secrets_of_each_part_are_masked() {
    for (text, shown) in [
        ("https://bob:pw@h/", "https://bob:***@h/"),
        ("https://bob:p@w:x@h/", "https://bob:***@h/"),
        ("https://:pw@h/", "https://:***@h/"),
        ("https://ghp0token@h/", "https://***@h/"),
        ("https://ghp0token:@h/", "https://***:***@h/"),
        ("https://abcdefgh12345678:x@h", "https://***:***@h"),
        ("https://h/?k=s3&v=&flag", "https://h/?k=***&v=***&***"),
        ("https://h/cb?s3cret", "https://h/cb?***"),
        ("https://h?a=b=c&&", "https://h?a=***&&"),
        ("https://h?abcdefgh12345678=1", "https://h?***=***"),
        ("https://h/#s3", "https://h/#***"),
        ("https://h/@bob/x", "https://h/***/x"),
        (
            "https://hooks.slack.com/services/T0001/B0002/Xa1Xa2Xa3Xa4Xa5Xa6Xa7Xa8",
            "https://hooks.slack.com/services/T0001/B0002/***",
        ),
        ("https://h/%61bcdefgh1234567%38/x", "https://h/***/x"),
    ] {
        assert_eq!(url(text), shown, "{text}");
    }
}

#[test]
fn doubtful_texts_are_masked_whole() {
    for (text, shown) in [
        ("", "***"),
        ("bob:pw@h", "***"),
        ("http:bob:pw@h", "***"),
        (" http://bob:pw@h", "***"),
        ("http://bob:p/w@h", "http://***"),
        ("http://bob:12/34@h", "http://***"),
        ("http:///bob:pw@h", "http://***"),
        ("http://h\\bob:pw@h", "http://***"),
        ("http://h/a\tb", "http://***"),
        ("http://h/\u{202e}", "http://***"),
        ("http://h:99999/", "http://***"),
    ] {
        assert_eq!(url(text), shown, "{text}");
    }
}

#[test]
fn each_secret_is_listed_in_each_spelling() {
    let secrets = secrets_in("https://bob:p%40ss@h/a/abcdefgh%3112345678?k=a+%C3%BC&ü9#a/b");
    let listed = "p%40ss|p@ss|Ym9iOnBAc3M=|abcdefgh%3112345678|abcdefgh112345678\
                  |a+%C3%BC|a+ü|a ü|ü9|%C3%BC9|a/b|a\\/b";
    for secret in listed.split('|') {
        assert!(secrets.iter().any(|s| s == secret), "{secret} {secrets:?}");
    }
    assert!(secrets_in("https://example.com/cb").is_empty());
    assert!(secrets_in("http://bob:12/34@h").contains(&"bob:12/34@h".to_owned()));
    assert!(secrets_in("http://h:9000/?k=s3cret&by=a@b").contains(&"s3cret".to_owned()));
}

#[test]
fn a_basic_value_is_known_decoded() {
    for (value, hidden) in [
        ("Basic dXNlcjpodW50ZXIy", "hunter2"),
        ("basic dXNlcjpodW50ZXIy ", "user:hunter2"),
        ("BASIC  dXNlcjpwYTpzcw==", "pa:ss"),
        ("Basic dXNlcjpwYTpzcw", "pa:ss"),
        ("Basic Z2hwdG9rZW46", "ghptoken"),
        ("Basic Z2hwdG9rZW4=", "ghptoken"),
        ("Basic dTrDvG1sYXV0", "ümlaut"),
        ("Basic dTphJTQwYmM=", "a@bc"),
    ] {
        let secrets = secrets_in_header(value);
        assert!(secrets.iter().any(|s| s == hidden), "{value}: {secrets:?}");
        assert_eq!(scrub(&format!("for {hidden}."), &secrets), "for ***.");
    }
    // A user with a password is no secret, and neither is Base64 that is none.
    assert!(!secrets_in_header("Basic dXNlcjpodW50ZXIy").contains(&"user".to_owned()));
    assert_eq!(secrets_in_header("Basic !").len(), 3);
}

#[test]
fn scrubbing_replaces_long_secrets_and_their_overlaps() {
    let scrubbed = |text: &str, secrets: &[&str]| {
        let secrets: Vec<String> = secrets.iter().map(|&s| s.to_owned()).collect();
        scrub(text, &secrets)
    };
    assert_eq!(scrubbed("no", &["secret"]), "no");
    assert_eq!(scrubbed("secret", &["secret"]), "***");
    assert_eq!(scrubbed("v2 is abc", &["2", "abc", ""]), "v2 is abc");
    assert_eq!(scrubbed("a secret2 b", &["secret", "secret2"]), "a *** b");
    assert_eq!(scrubbed("abcdefghi", &["abcdef", "defghi"]), "***");
    assert_eq!(scrubbed("aaaaa.aaaa", &["aaaa"]), "***.***");
    assert_eq!(scrubbed("ünïcöde ünïcöde", &["ünïcöde"]), "*** ***");
}

/// Texts full of what separates the parts of a URL.
const ODD: &str = "([/?#@:\\\\%&=a1.\\[\\] \t]|\\PC){0,8}";

proptest! {
    #[test]
    fn no_generated_secret_is_shown(
        password in "[A-Z]{4,12}", value in "[A-Z]{4,12}", token in "[A-Z]{8,12}[0-9]{8,12}",
        segment in "[a-z]{0,9}", fragment in "[A-Z]{4,9}",
    ) {
        let text = format!(
            "https://user:{password}@host/{segment}/{token}/{segment}?name={value}&{token}#{fragment}"
        );
        prop_assert_eq!(
            url(&text),
            format!("https://user:***@host/{segment}/***/{segment}?name=***&***#***")
        );
        let secrets = secrets_in(&text);
        let echo = scrub(&text, &secrets);
        for secret in [&password, &value, &token, &fragment] {
            prop_assert!(secrets.contains(secret));
            prop_assert!(!echo.contains(secret.as_str()));
        }
    }

    #[test]
    fn no_password_is_shown_however_odd_the_url(
        before in ODD, after in ODD, tail in ODD,
    ) {
        let text = format!("http://user:{before}NEEDLE{after}@host{tail}");
        prop_assert!(!url(&text).contains("NEEDLE"), "{}", url(&text));
        prop_assert!(!scrub(&text, &secrets_in(&text)).contains("NEEDLE"));
    }

    #[test]
    fn masking_again_changes_nothing(
        text in prop_oneof![any::<String>(), ODD, "https?://", "https://(u(:p?)?@)?(ntfy.sh|h:80)(/(a|token|x@y)?){0,3}([?][a=&]{0,5})?(#f?)?"],
    ) {
        let shown = url(&text);
        prop_assert_eq!(url(&shown), shown);
    }

    #[test]
    fn any_text_is_taken(text in any::<String>(), secrets in prop::collection::vec(any::<String>(), 3)) {
        url(&text);
        secrets_in(&text);
        scrub(&text, &secrets);
    }

    #[test]
    fn scrubbed_text_holds_no_secret(
        text in "[a-c]{0,40}", secrets in prop::collection::vec("[a-c]{4,6}", 0..4),
    ) {
        let scrubbed = scrub(&text, &secrets);
        prop_assert!(secrets.iter().all(|secret| !scrubbed.contains(secret.as_str())));
    }
}

#[test]
fn a_plain_host_is_the_parsers_own() {
    let hosts = "a.b a-b 127.0.0.1 127.0.0.01 1.2.3.4.5 a.1 0x7f.1 a. .a a..b -a xn--a a.xn--b A.b a%2e a_b";
    for host in hosts.split(' ') {
        for port in ["", ":80", ":443", ":9999", ":65536", ":", ":8a", ":80:80"] {
            let authority = format!("{host}{port}");
            let parsed = Url::parse(&format!("http://{authority}/"));
            let parsed = parsed.ok().and_then(|url| url.host_str().map(str::to_owned));
            if let Some(plain) = plain_host(&authority) {
                assert_eq!(Some(plain), parsed.as_deref(), "{authority}");
            }
        }
    }
    for plain in ["example.com", "127.0.0.1:9000", "hooks.slack.com:443"] {
        assert!(plain_host(plain).is_some(), "{plain}");
    }
}
