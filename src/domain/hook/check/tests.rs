use proptest::prelude::*;

use super::*;

#[test]
fn urls_are_absolute_http_with_a_host_and_a_port() {
    for good in [
        "http://h",
        "HTTPS://Example.com:65535/a?b=c#d",
        "http://user:p%40ss@127.0.0.1:1/",
        "http://[::1]:9000/cb",
        "https://:token@h/",
        "https://bücher.example/",
    ] {
        assert!(check_url(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "h",
        "http:h/x",
        "http:/h",
        "http:///h",
        "http://",
        "http://:80/",
        "http://user@/",
        "http://user@:80/",
        "http://\\\\h/",
        "ftp://h/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:x/",
        "http://h /",
        "http://h/\n",
        "http://h/\u{85}",
        "http://[::1/",
        "http://a b@h/",
    ] {
        assert!(check_url(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_url_that_was_pasted_with_something_is_told_what_to_write() {
    const QUOTED: &str = "quotation marks are not part of a URL: write it without them";
    const BRACKETED: &str = "brackets are not part of a URL: write it without them";
    const NO_SCHEME: &str = "the scheme is missing: write https:// (or http://) before the host";
    const SLASHES: &str = "after the scheme stands ://, as in https://HOST/PATH";
    const SCHEME: &str = "only http:// and https:// are spoken";
    const NO_HOST: &str = "an absolute URL is wanted: http:// or https:// and a host";
    for (text, refusal) in [
        ("'https://h/x'", QUOTED),
        ("\"https://h/x\"", QUOTED),
        ("https://h/x\"", QUOTED),
        ("“https://h/x”", QUOTED),
        ("„https://h/x“", QUOTED),
        ("`https://h/x`", QUOTED),
        (" \"https://h/x\"\n", QUOTED),
        ("<https://h/x>", BRACKETED),
        ("<https://h/x|here>", BRACKETED),
        ("[here](https://h/x)", BRACKETED),
        ("(https://h/x)", BRACKETED),
        ("example.com/hook", NO_SCHEME),
        ("localhost:8080/x", NO_SCHEME),
        ("//example.com/x", NO_SCHEME),
        ("://example.com/x", NO_SCHEME),
        ("user:pw@example.com", NO_SCHEME),
        ("", NO_SCHEME),
        ("https:example.com", SLASHES),
        ("HTTPS:/example.com", SLASHES),
        ("https//example.com", SLASHES),
        ("https:\\\\example.com", SLASHES),
        ("ftp://example.com/", SCHEME),
        ("hxxps://example.com/", SCHEME),
        ("https:///example.com", NO_HOST),
    ] {
        assert_eq!(check_url(text), Err(refusal.to_owned()), "{text}");
    }
    for fine in ["https://h/it's", "https://h/a(b)", "https://h/x'", "https://h/[]"] {
        assert!(check_url(fine).is_ok(), "{fine}");
    }
}

#[test]
fn urls_compare_exactly_apart_from_scheme_and_host() {
    assert!(same_url("HTTP://Example.COM/a", "http://example.com/a"));
    assert!(!same_url("http://example.com/a", "http://example.com/A"));
    assert!(!same_url("http://User@example.com/", "http://user@example.com/"));
    assert!(!same_url("http://example.com", "http://example.com/"));
}

#[test]
fn only_certificates_are_taken_from_a_pem_file() {
    let block = |kind: &str| format!("-----BEGIN {kind}-----\nabc\n-----END {kind}-----\n");
    let (key, certificate) = (block("PRIVATE KEY"), block("CERTIFICATE"));
    let both = format!("{key}{certificate}text\n{certificate}");
    assert_eq!(certificates_in(&both), format!("{certificate}{certificate}"));
    assert_eq!(certificates_in(&key), "");
}

#[test]
fn names_are_words_that_no_id_could_be() {
    for good in ["a", "Chat", "ci-2.main_x", "msg", "messages", &"x".repeat(64)] {
        assert_eq!(check_name(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "1",
        "1a",
        "-a",
        ".a",
        "_a",
        "a b",
        "a/b",
        "ü",
        "aü",
        "a\n",
        "msg_",
        "msg_1",
        "MSG_x",
        "whsec_x",
        &"x".repeat(65),
    ] {
        assert!(check_name(bad).is_err(), "{bad}");
    }
}

#[test]
fn events_are_short_names() {
    for good in ["PostDeployment", "a", "a.b_c:d/e-f", &"x".repeat(100)] {
        assert_eq!(check_event(good), Ok(()), "{good}");
    }
    for bad in ["", "*", "a b", "ü", "a\n", &"x".repeat(101)] {
        assert!(check_event(bad).is_err(), "{bad}");
    }
}

#[test]
fn headers_cannot_break_out_or_forge() {
    assert_eq!(check_header("X-Token", "a b\tc"), Ok(()));
    assert_eq!(check_header("Authorization", "Bearer x"), Ok(()));
    for (name, value, refusal) in [
        ("", "x", "a header's name is letters, digits and -"),
        ("a b", "x", "a header's name is letters, digits and -"),
        ("A", "x\r\nHost: y", "a header's value is printable ASCII on one line"),
        ("A", "ü", "a header's value is printable ASCII on one line"),
    ] {
        assert_eq!(check_header(name, value), Err(refusal.to_owned()), "{name}");
    }
    for own in ["Host", "content-length", "Webhook-Id", "X-Hub-Signature-256"] {
        let refusal = format!("{} is set by hooks itself", own.to_lowercase());
        assert_eq!(check_header(own, "x"), Err(refusal));
    }
    for hop in ["Transfer-Encoding", "connection", "TE", "Expect", "Trailer", "Upgrade"] {
        let refusal = check_header(hop, "x").unwrap_err();
        assert!(refusal.ends_with("is about the connection, which hooks makes itself"), "{hop}");
    }
}

#[test]
fn headers_that_only_begin_as_ours_may_be_set() {
    for free in [
        "WebHook-Request-Origin",
        "WebHook-Request-Callback",
        "WebHook-Request-Rate",
        "webhook-identity",
        "webhook-",
        "X-Hub-Signature",
        "X-Hub-Signature-512",
        "Content-Type",
        "User-Agent",
        "Accept-Encoding",
        "Content-Length-Hint",
    ] {
        assert_eq!(check_header(free, "x"), Ok(()), "{free}");
    }
}

proptest! {
    #[test]
    fn what_passes_as_a_url_is_one(
        text in prop_oneof![any::<String>(), "(?i)https?://[a-z0-9:@/?#\\\\\\[\\].%-]{0,30}"],
    ) {
        let Ok(url) = check_url(&text) else { return Ok(()) };
        prop_assert!(matches!(url.scheme(), "http" | "https"));
        prop_assert!(url.host_str().is_some_and(|host| !host.is_empty()));
        prop_assert!(url.port_or_known_default().is_some_and(|port| port > 0));
        prop_assert!(!text.chars().any(|c| c.is_control() || c.is_whitespace()));
        prop_assert!(same_url(&text, &text));
    }

    #[test]
    fn what_passes_as_a_header_is_one_line(name in any::<String>(), value in any::<String>()) {
        if check_header(&name, &value).is_ok() {
            let line = [name, value].concat();
            prop_assert!(!line.contains(['\r', '\n', '\0']));
        }
    }
}
