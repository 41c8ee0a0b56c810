//! `hooks listen`: a receiver to try hooks against.

#[cfg(target_os = "linux")]
mod limits;
#[cfg(unix)]
mod lines;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{DEPLOYMENT, Process, Sandbox};

/// Starts it on a free port and returns it with its URL, which its first line tells.
fn listen(sandbox: &Sandbox, options: &[&str]) -> (Process, String) {
    let listen = sandbox.hooks(["listen", "--port", "0"]).args(options).spawn();
    let line = listen.stderr_line("listening on ");
    let url = line.strip_prefix("listening on ").expect("the line begins so").to_owned();
    let port = url.strip_prefix("http://127.0.0.1:").expect("it is on loopback alone");
    assert!(port.parse::<u16>().is_ok_and(|port| port > 0), "{line}");
    (listen, url)
}

#[test]
fn it_prints_each_delivery_answers_200_and_ends_after_count() {
    let sandbox = Sandbox::new();
    let (listen, url) = listen(&sandbox, &["--count", "2"]);
    let hook = sandbox.add(&format!("{url}/cb"), "PostDeployment");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let published = sandbox.hooks(["publish", "PostDeployment", DEPLOYMENT, "--json"]).run();
        published.assert_code(0);
        ids.push(published.json()["id"].as_str().unwrap().to_owned());
    }
    let heard = listen.wait();
    heard.assert_code(0);
    assert_eq!(sandbox.hook(&hook)["last_code"], 200);
    for id in ids {
        assert!(heard.stdout.contains(&id), "{}", heard.stdout);
    }
    assert_eq!(heard.stdout.matches("PostDeployment").count(), 2);
    assert_eq!(
        heard.stdout.matches("\n    \"author_email\": \"someone@example.com\"").count(),
        2,
        "pretty: {}",
        heard.stdout
    );
}

#[test]
fn it_answers_with_the_given_status() {
    let sandbox = Sandbox::new();
    let (listen, url) = listen(&sandbox, &["--count", "1", "--respond", "503"]);
    let hook = sandbox.add(&url, "PostDeployment");
    sandbox.hooks(["publish", "PostDeployment", "{}", "--retries", "0"]).run().assert_code(3);
    assert_eq!(sandbox.hook(&hook)["last_code"], 503);
    listen.wait().assert_code(0);
}

#[test]
fn requests_that_are_not_deliveries_are_answered() {
    let sandbox = Sandbox::new();
    // A GET counts as a request; what is not HTTP does not.
    let (mut listen, url) = listen(&sandbox, &["--count", "2"]);
    let address = url.strip_prefix("http://").unwrap();
    for bytes in [
        &b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..],
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n",
        b"",
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(listen.is_running(), "{:?}", String::from_utf8_lossy(bytes));
    }
    sandbox.add(&url, "PostDeployment");
    sandbox.publish().assert_code(0);
    listen.wait().assert_code(0);
}

#[test]
fn control_characters_are_shown_escaped() {
    let sandbox = Sandbox::new();
    let (listen, url) = listen(&sandbox, &["--count", "1"]);
    sandbox.add(&url, "PostDeployment");
    sandbox
        .hooks(["publish", "PostDeployment", "{\"a\":\"\u{202e}\u{9b}2J\u{7f}evil\"}"])
        .run()
        .assert_code(0);
    let heard = listen.wait();
    heard.assert_code(0).assert_hides("\u{202e}").assert_hides("\u{9b}").assert_hides("\u{7f}");
    assert!(heard.stdout.contains("evil"));
}

#[test]
fn a_signature_is_checked_with_the_secret() {
    let sandbox = Sandbox::new();
    let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    sandbox.write("secret", format!("{secret}\n"));
    let (listen, url) = listen(&sandbox, &["--count", "2", "--secret-file", "secret"]);
    let signed = sandbox.add_with(&format!("{url}/signed"), "Signed", ["--secret-file", "secret"]);
    sandbox.add(&format!("{url}/unsigned"), "Unsigned");
    sandbox.hooks(["publish", "Signed", DEPLOYMENT]).run().assert_code(0);
    assert_eq!(sandbox.hook(&signed)["last_code"], 200);
    sandbox.hooks(["publish", "Unsigned", DEPLOYMENT, "--retries", "0"]).run().assert_code(3);
    let heard = listen.wait();
    heard.assert_code(0).assert_hides(secret);
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_it_cleanly() {
    use crate::support::Signal;
    for (signal, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
        let sandbox = Sandbox::new();
        let (listen, _) = listen(&sandbox, &[]);
        listen.signal(signal);
        let ended = listen.wait();
        assert!(
            matches!(ended.code(), Some(ended) if ended == 0 || ended == code),
            "{:?}",
            ended.status
        );
        ended.assert_took(Duration::ZERO, Duration::from_secs(5));
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    let (_listen, url) = listen(&sandbox, &[]);
    let port = url.rsplit(':').next().unwrap();
    let taken = sandbox.hooks(["listen", "--port", port]).run();
    taken.assert_code(1).assert_stderr_has(&["error: ", port, "hint: ", "--port"]);
    for option in [
        ["--port", "70000"],
        ["--port", "x"],
        ["--respond", "99"],
        ["--respond", "x"],
        ["--count", "x"],
    ] {
        sandbox.hooks(["listen"]).args(option).run().assert_code(2).assert_stderr_has(&[option[0]]);
    }
}
