use super::*;

// The vector of the Standard Webhooks libraries' own tests.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIMESTAMP: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn secret() -> Secret {
    Secret::parse(SECRET).unwrap()
}

/// What comes of the id, the timestamp and the signatures.
fn verify_headers(secret: &Secret, headers: [Option<&str>; 3], now: i64) -> Verdict {
    let header = |name: &str| match name {
        "webhook-id" => headers[0],
        "webhook-timestamp" => headers[1],
        "webhook-signature" => headers[2],
        other => panic!("{other} is looked at"),
    };
    verify(secret, header, BODY, now)
}

fn verify_at(timestamp: &str, signatures: &str, now: i64) -> Verdict {
    let headers = [Some(ID), Some(timestamp), Some(signatures)];
    verify_headers(&secret(), headers, now)
}

#[test]
fn the_published_vector_comes_out() {
    assert_eq!(standard(&[&secret()], ID, TIMESTAMP, BODY), SIGNATURE);
    assert_eq!(standard(&[], ID, TIMESTAMP, BODY), "");
}

#[test]
fn each_secret_signs_in_order() {
    let new = Secret::generate().unwrap();
    let both = standard(&[&new, &secret()], ID, TIMESTAMP, BODY);
    let (first, second) = both.split_once(' ').unwrap();
    assert_eq!(first, standard(&[&new], ID, TIMESTAMP, BODY));
    assert_eq!(second, SIGNATURE);
    let timestamp = TIMESTAMP.to_string();
    for known in [&new, &secret()] {
        let headers = [Some(ID), Some(timestamp.as_str()), Some(&*both)];
        let verdict = verify_headers(known, headers, TIMESTAMP);
        assert_eq!(verdict, Verdict::Valid);
    }
}

#[test]
fn githubs_documented_vector_comes_out() {
    assert_eq!(
        hmac_hex(b"It's a Secret to Everybody", b"Hello, World!"),
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    );
}

#[test]
fn github_signs_with_the_secret_as_written() {
    let expected = format!("sha256={}", hmac_hex(SECRET.as_bytes(), BODY));
    assert_eq!(github(&secret(), BODY), expected);
}

#[test]
fn verdicts() {
    let now = TIMESTAMP;
    assert_eq!(verify_at("1614265330", SIGNATURE, now), Verdict::Valid);
    let several = format!("v1a,xx v1,!! v1,AAAA {SIGNATURE}");
    assert_eq!(verify_at("1614265330", &several, now), Verdict::Valid);
    for wrong in [" ", "v1,", "v1,AAAA", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="] {
        assert_eq!(verify_at("1614265330", wrong, now), Verdict::Invalid);
    }
    for wrong in ["1614265331", "yesterday", "-9223372036854775808"] {
        assert_eq!(verify_at(wrong, SIGNATURE, now), Verdict::Invalid);
    }
    for (id, timestamp, signatures) in [
        (None, Some("1614265330"), Some(SIGNATURE)),
        (Some(""), Some("1614265330"), Some(SIGNATURE)),
        (Some(ID), None, Some(SIGNATURE)),
        (Some(ID), Some("1614265330"), None),
    ] {
        let verdict = verify_headers(&secret(), [id, timestamp, signatures], now);
        assert_eq!(verdict, Verdict::Missing);
    }
}

#[test]
fn five_minutes_are_tolerated_either_way() {
    for (now, verdict) in [
        (TIMESTAMP + 300, Verdict::Valid),
        (TIMESTAMP - 300, Verdict::Valid),
        (TIMESTAMP + 301, Verdict::Stale),
        (TIMESTAMP - 301, Verdict::Stale),
        (i64::MIN, Verdict::Stale),
    ] {
        assert_eq!(verify_at("1614265330", SIGNATURE, now), verdict, "{now}");
    }
}

#[test]
fn secrets_are_read_from_a_file_with_its_line_feed() {
    assert_eq!(Secret::parse(&format!("  {SECRET}\r\n")), Ok(secret()));
    assert_eq!(secret().reveal(), SECRET);
}

#[test]
fn errors_say_what_is_wrong() {
    let of = |bytes: usize| format!("{PREFIX}{}", STANDARD.encode(vec![7; bytes]));
    for (text, error) in [
        (String::new(), "the secret is empty"),
        ("\n".into(), "the secret is empty"),
        (format!("{SECRET}\n{SECRET}"), "the secret has more than one line"),
        ("hunter2".into(), "the secret does not start with `whsec_`"),
        ("WHSEC_AAAA".into(), "the secret does not start with `whsec_`"),
        (format!("{PREFIX}hunter2"), "the secret is not padded Base64 after `whsec_`"),
        (of(25).replace('=', ""), "the secret is not padded Base64 after `whsec_`"),
        (PREFIX.into(), "the secret has 0 bytes, 24 to 64 are wanted"),
        (of(23), "the secret has 23 bytes, 24 to 64 are wanted"),
        (of(65), "the secret has 65 bytes, 24 to 64 are wanted"),
    ] {
        assert_eq!(Secret::parse(&text), Err(error.to_owned()));
    }
    assert!(Secret::parse(&of(24)).is_ok());
    assert!(Secret::parse(&of(64)).is_ok());
}

#[test]
fn generated_secrets_parse_and_differ() {
    let (one, two) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    assert_eq!(Secret::parse(one.reveal()).as_ref(), Ok(&one));
    assert_eq!(one.key.len(), GENERATED_BYTES);
    assert_ne!(one, two);
}

#[test]
fn printing_never_shows_a_secret() {
    assert_eq!(format!("{0:?} {0:#?}", secret()), "*** ***");
}

#[test]
fn json_holds_the_text_and_errors_do_not() {
    let json = serde_json::to_string(&secret()).unwrap();
    assert_eq!(json, format!("\"{SECRET}\""));
    assert_eq!(serde_json::from_str::<Secret>(&json).unwrap(), secret());
    for json in ["{\"s\":\n \"whsec_hunter2\"}", "{\"s\":\n 42137}"] {
        let error =
            serde_json::from_str::<std::collections::BTreeMap<String, Secret>>(json).unwrap_err();
        assert_eq!(error.line(), 2, "{error}");
        assert!(!error.to_string().contains("hunter2"));
        assert!(!error.to_string().contains("42137"));
    }
}
