//! What `listen` prints: lines that tell requests apart, and that no request can forge.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::listen;
use crate::support::{Output, Sandbox};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Sends these requests one after the other, and gives what `listen` with these options printed.
fn heard(options: &[&str], requests: &[Vec<u8>]) -> Output {
    let sandbox = Sandbox::new();
    sandbox.write("secret", format!("{SECRET}\n"));
    let count = requests.len().to_string();
    let (listen, url) = listen(&sandbox, &[&["--count", &count], options].concat());
    let address = url.strip_prefix("http://").expect("it has a scheme");
    for request in requests {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit can be set");
        stream.write_all(request).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    }
    let heard = listen.wait();
    heard.assert_code(0);
    heard
}

/// A POST with these header lines and this body.
fn post(path: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    let _ = write!(request, "content-length: {}\r\n\r\n", body.len());
    [request.as_bytes(), body].concat()
}

#[test]
fn each_request_has_its_time_path_event_id_signature_and_answer() {
    let sandbox = Sandbox::new();
    sandbox.write("secret", format!("{SECRET}\n"));
    let options = ["--count", "3", "--secret-file", "secret"];
    let (listen, url) = listen(&sandbox, &options);
    let signing = ["--secret-file", "secret"];
    sandbox.add_with(&format!("{url}/a/b?x=y"), "Signed", signing);
    sandbox.add(&format!("{url}/c"), "Unsigned");
    let publish =
        |event: &str| sandbox.hooks(["publish", event, r#"{"id":"4711"}"#, "--retries", "0"]).run();
    publish("Signed").assert_code(0);
    publish("Unsigned").assert_code(3);
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(b"GET /ico HTTP/1.1\r\n\r\n").unwrap();
    listen.wait().assert(
        0,
        "[TIME]  POST /a/b?x=***  Signed  [ID]  signature valid  answered 200\n\
         \x20 {\n    \"id\": \"4711\"\n  }\n\
         [TIME]  POST /c  Unsigned  [ID]  not signed  answered 401\n\
         \x20 {\n    \"id\": \"4711\"\n  }\n\
         [TIME]  GET /ico  answered 405\n",
        "listening on http://127.0.0.1:[PORT]\n",
    );
}

#[test]
fn a_signature_that_nobody_checks_is_said_to_be_so() {
    let signed = post("/", &["webhook-event: E", "webhook-id: 1", "webhook-signature: v1,x"], "");
    heard(&[], &[signed, post("/", &["webhook-id: 1"], "")]).assert(
        0,
        "[TIME]  POST /  E  1  signature not checked  answered 200\n\
         [TIME]  POST /  -  1  answered 200\n",
        "listening on http://127.0.0.1:[PORT]\n",
    );
}

#[test]
fn times_are_those_of_the_local_zone() {
    for (zone, offset) in [("Asia/Kolkata", "+0530"), ("UTC", "+0000"), ("XYZ+3", "-0300")] {
        let sandbox = Sandbox::new();
        let listen =
            sandbox.hooks(["listen", "--port", "0", "--count", "1"]).env("TZ", zone).spawn();
        let line = listen.stderr_line("listening on ");
        let url = line.strip_prefix("listening on ").unwrap();
        sandbox.add(url, "E");
        sandbox.hooks(["publish", "E", "{}"]).run().assert_code(0);
        let heard = listen.wait();
        let words: Vec<_> = heard.stdout.split(' ').collect();
        assert_eq!(words[2], offset, "{zone}: {}", heard.stdout);
    }
}

#[test]
fn no_body_can_look_like_a_line_of_listens_own() {
    let forged = "2026-07-28 14:03:22 +0000  POST /  E  msg_1  signature valid  answered 200";
    let breaks = [
        "\n",
        "\r",
        "\r\n",
        "\n\r",
        "\u{b}",
        "\u{c}",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\0\n",
        "\u{1b}E",
        "\u{1b}[2K\u{1b}[1G",
        "\u{8}\u{8}\u{8}",
        "\u{1c}",
        "\u{1d}",
        "\u{1e}",
    ];
    let mut requests = Vec::new();
    for break_ in breaks {
        requests.push(post("/", &[], format!("{forged}{break_}{forged}{break_}")));
        requests.push(post("/", &[], format!("{break_}{forged}")));
        // In JSON it may stand raw in a string, escaped, or between the tokens.
        let raw = format!("{{\"a{break_}{forged}\":\"{break_}{forged}\"}}");
        requests.push(post("/", &[], raw));
        let escaped = serde_json::json!({ "a": format!("{break_}{forged}") });
        requests.push(post("/", &[], escaped.to_string()));
        requests.push(post("/", &[], format!("[1,{break_}\"{forged}\"]")));
        requests.push(post("/", &[], format!("\"{forged}\"")));
    }
    requests.push(post("/", &[], [b"\xff\n", forged.as_bytes()].concat()));
    for options in [&["--secret-file", "secret"][..], &["--secret-file", "secret", "-v"]] {
        let heard = heard(options, &requests);
        let mut own = 0;
        // Whatever some viewer may take for the end of a line.
        let ends = [
            '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}', '\u{1c}', '\u{1d}',
            '\u{1e}',
        ];
        for line in heard.stdout.trim_end_matches('\n').split(ends) {
            let is_foreign = line.is_empty() || line.starts_with("  ");
            own += usize::from(!is_foreign);
            assert!(is_foreign || line.ends_with("  POST /  not signed  answered 401"), "{line:?}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        assert_eq!(own, requests.len());
    }
}

#[test]
fn no_header_or_path_can_look_like_another_column() {
    let forged = "E  msg_1  signature valid  answered 200";
    let spaces =
        ["  ", "\t", "\u{a0}\u{a0}", "\u{2003}", "\u{3000}", "\u{2028}", "\u{85}", "\u{2800}"];
    let mut requests = Vec::new();
    for space in spaces {
        let forged = forged.replace("  ", space).replace(' ', space);
        let event = format!("webhook-event: {forged}");
        let id = format!("webhook-id: {forged}");
        requests.push(post("/", &[&event], ""));
        requests.push(post("/", &[&id], ""));
        requests.push(post("/", &["webhook-event: E", &id], ""));
        requests.push(post(
            &format!("/{}", forged.replace([' ', '\t'], "%20")),
            &[&event, &id],
            "",
        ));
        if !space.contains([' ', '\t']) {
            requests.push(post(&format!("/{forged}"), &[], ""));
        }
    }
    let heard = heard(&["--secret-file", "secret"], &requests);
    let lines: Vec<_> = heard.stdout.lines().collect();
    assert!(lines.len() <= requests.len());
    for line in lines {
        assert!(line.is_ascii(), "{line:?}");
        assert!(!line.contains("signature valid"), "{line:?}");
        assert!(!line.contains("answered 200"), "{line:?}");
        assert!(line.ends_with("  not signed  answered 401"), "{line:?}");
    }
}

#[test]
fn verbose_shows_the_headers_without_their_secrets() {
    let token = "k3f9XzQ81mvB72pL";
    let headers = [
        "Content-Type: application/json; charset=utf-8".to_owned(),
        "User-Agent: GitHub-Hookshot/044aadd".to_owned(),
        format!("Authorization: Bearer {token}"),
        format!("Proxy-Authorization: Basic {token}"),
        format!("Cookie: a=1; session={token}"),
        "Set-Cookie: short".to_owned(),
        format!("X-Hub-Signature-256: sha256={token}"),
        "webhook-signature: v1,short".to_owned(),
        "X-Gitlab-Token: short".to_owned(),
        "X-Api-Key: short".to_owned(),
        "X-Secret: short".to_owned(),
        "X-Password: short".to_owned(),
        format!("X-Custom: one {token}, two"),
        format!("Referer: https://u:short@example.com/hook/{token}?a=short"),
        "X-Escape: \u{202e}evil".to_owned(),
        "webhook-id: msg_1".to_owned(),
        "webhook-event: E".to_owned(),
    ];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let request = post("/", &headers, "{}");
    let said = heard(&["-v"], &[request.clone(), post("/", &[], "")]);
    said.assert(
        0,
        "[TIME]  POST /  E  msg_1  signature not checked  answered 200\n\
         \x20 host: x\n\
         \x20 Content-Type: application/json; charset=utf-8\n\
         \x20 User-Agent: GitHub-Hookshot/044aadd\n\
         \x20 Authorization: ***\n\
         \x20 Proxy-Authorization: ***\n\
         \x20 Cookie: ***\n\
         \x20 Set-Cookie: ***\n\
         \x20 X-Hub-Signature-256: ***\n\
         \x20 webhook-signature: ***\n\
         \x20 X-Gitlab-Token: ***\n\
         \x20 X-Api-Key: ***\n\
         \x20 X-Secret: ***\n\
         \x20 X-Password: ***\n\
         \x20 X-Custom: one ***, two\n\
         \x20 Referer: https://u:***@example.com/hook/***?a=***\n\
         \x20 X-Escape: \\u{202e}evil\n\
         \x20 webhook-id: msg_1\n\
         \x20 webhook-event: E\n\
         \x20 content-length: 2\n\
         \n\
         \x20 {}\n\
         [TIME]  POST /  answered 200\n\
         \x20 host: x\n\
         \x20 content-length: 0\n",
        "listening on http://127.0.0.1:[PORT]\n",
    );
    let brief = heard(&[], &[request]);
    brief.assert(
        0,
        "[TIME]  POST /  E  msg_1  signature not checked  answered 200\n  {}\n",
        "listening on http://127.0.0.1:[PORT]\n",
    );
}
