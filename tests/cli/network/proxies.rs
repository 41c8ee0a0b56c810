//! What a proxy refuses, in its own words and code, and where the names are looked up.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use super::addresses::needs_own_hosts;
use super::failure;
use crate::support::{
    Program, Receiver, Reply, Sandbox, Server, free_port, hold_open, needs, wait_until,
};

/// A sandbox with one hook at this URL.
fn hook(url: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add(url, "PostDeployment");
    sandbox
}

#[track_caller]
fn assert_refused(sandbox: &Sandbox, proxy: &str, words: &[&str], attempts: u64) {
    let (reason, made) = failure(sandbox, &[("all_proxy", proxy)]);
    let lacking: Vec<_> = words.iter().filter(|word| !reason.contains(**word)).collect();
    assert!(lacking.is_empty() && !reason.contains("Pw-"), "{reason}: {lacking:?}");
    assert_eq!(made, attempts, "{reason}");
}

#[test]
fn a_refusal_is_named_with_its_code_and_tried_again_only_where_that_may_help() {
    for (code, words, attempts) in [
        (407, "wants a user and a password (407)", 1),
        (403, "does not allow CONNECT to 127.0.0.1:9 (403)", 1),
        (405, "does not allow CONNECT to 127.0.0.1:9 (405)", 1),
        (400, "(400 Bad Request)", 1),
        (302, "(302 Found)", 1),
        (429, "(429 Too Many Requests)", 2),
        (500, "(500 Internal Server Error)", 2),
        (502, "could not connect to 127.0.0.1:9 (502 Bad Gateway)", 2),
        (503, "(503 Service Unavailable)", 2),
        (504, "(504 Gateway Timeout)", 2),
    ] {
        for scheme in ["http", "https"] {
            let proxy = Receiver::answering([Reply::status(code), Reply::status(code)]);
            let sandbox = hook(&format!("{scheme}://127.0.0.1:9/"));
            assert_refused(&sandbox, &proxy.url(""), &["the proxy", words], attempts);
            assert_eq!(proxy.count() as u64, attempts, "{code}");
        }
    }
}

/// Answers a proxy's request byte by byte, without an end.
fn dripping(answer: &'static [u8]) -> Server {
    Server::new(move |mut stream| {
        for byte in answer.iter().chain(b"x: y".iter().cycle()) {
            std::thread::sleep(Duration::from_millis(50));
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
        }
    })
}

#[test]
fn a_proxy_that_drips_or_says_nothing_is_under_the_timeout() {
    let sandbox = hook("http://127.0.0.1:9/");
    for (scheme, server) in [
        ("http", dripping(b"HTTP/1.1 200 OK\r\nx: ")),
        ("http", Server::new(hold_open)),
        ("socks5h", dripping(b"\x05\x00\x05\x00\x00\x03\xff")),
        ("socks4a", Server::new(hold_open)),
    ] {
        let proxy = format!("{scheme}://127.0.0.1:{}", server.port());
        let publish = ["publish", "PostDeployment", "{}", "--timeout", "1s", "--retries", "0"];
        let published = sandbox.hooks(publish).env("all_proxy", proxy).run();
        published
            .assert_code(3)
            .assert_stdout_has(&["timed out after 1s"])
            .assert_took(Duration::from_millis(900), Duration::from_secs(5));
    }
}

/// Starts a proxy, and waits until it listens at this port: it says nothing of that.
fn start(command: &mut Command, port: u16) -> Program {
    let proxy = Program::start(command);
    wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
    proxy
}

#[test]
fn tinyproxy_wants_a_user_and_a_password() {
    if !needs("tinyproxy") {
        return;
    }
    let port = free_port();
    let receiver = Receiver::new();
    let sandbox = hook(&receiver.url("/"));
    let configuration = format!(
        "Port {port}\nListen 127.0.0.1\nBasicAuth deployer Pw-right\nConnectPort {}\n",
        receiver.port()
    );
    sandbox.write("tinyproxy.conf", configuration);
    let tinyproxy = &mut Command::new("tinyproxy");
    let tinyproxy = tinyproxy.args(["-d", "-c", "tinyproxy.conf"]);
    let _proxy = start(tinyproxy.current_dir(sandbox.path()), port);
    let at = |user: &str| format!("http://{user}127.0.0.1:{port}");
    assert_refused(&sandbox, &at(""), &["a user and a password (407)", "USER:PASSWORD@"], 1);
    assert_refused(&sandbox, &at("deployer:Pw-wrong@"), &["not take this user and password"], 1);
    let right = at("deployer:Pw-right@");
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]);
    publish.env("all_proxy", &right).run().assert_code(0);
    receiver.request();
    // A port that its configuration does not allow.
    let other = hook("https://127.0.0.1:9/");
    assert_refused(&other, &right, &["does not allow CONNECT to 127.0.0.1:9 (403)"], 1);
}

#[test]
fn microsocks_looks_names_up_for_socks5h_alone() {
    if !needs("microsocks") || !needs_own_hosts() {
        return;
    }
    let (port, receiver) = (free_port(), Receiver::new());
    let sandbox = hook(&receiver.url_as("http://only.proxy.example", "/"));
    // The proxy alone knows this name.
    sandbox.write("hosts", "127.0.0.1 only.proxy.example\n");
    let script =
        "mount --bind hosts /etc/hosts && exec microsocks -i 127.0.0.1 -p \"$0\" -u me -P Pw-right";
    let microsocks = &mut Command::new("unshare");
    let microsocks = microsocks.args(["-rm", "sh", "-c", script, &port.to_string()]);
    let _proxy = start(microsocks.current_dir(sandbox.path()), port);
    let at = |scheme: &str, user: &str| format!("{scheme}://{user}127.0.0.1:{port}");
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]);
    let proxy = at("socks5h", "me:Pw-right@");
    publish.env("all_proxy", proxy).run().assert_code(0);
    receiver.request();
    let not_found = "the name only.proxy.example was not found";
    let (reason, _) = failure(&sandbox, &[("all_proxy", &at("socks5", "me:Pw-right@"))]);
    assert_eq!(reason, not_found, "not the proxy's fault");
    let words = ["the proxy", "wants a user and a password", "USER:PASSWORD@"];
    assert_refused(&sandbox, &at("socks5h", ""), &words, 1);
    let words = ["the proxy", "does not take this user and password"];
    assert_refused(&sandbox, &at("socks5h", "me:Pw-wrong@"), &words, 1);
    let refused = hook("http://127.0.0.1:9/");
    for scheme in ["socks5h", "socks5"] {
        let words = ["the proxy", "the receiver refused its connection"];
        assert_refused(&refused, &at(scheme, "me:Pw-right@"), &words, 2);
    }
}

#[test]
fn a_proxys_own_name_and_port_are_blamed_on_the_proxy() {
    let name = format!("{}.example", "a".repeat(64));
    let sandbox = hook("http://127.0.0.1:9/");
    for scheme in ["http", "https", "socks4", "socks4a", "socks5", "socks5h"] {
        let words = format!("the proxy: the name {name} was not found");
        assert_refused(&sandbox, &format!("{scheme}://{name}:1"), &[&words], 2);
        let refused = format!("{scheme}://127.0.0.1:9");
        assert_refused(&sandbox, &refused, &["the proxy: connection refused"], 2);
    }
    // The receiver's name is looked up here only for the SOCKS versions without a letter.
    let sandbox = hook(&format!("http://{name}/"));
    for scheme in ["socks4", "socks5"] {
        let (reason, _) = failure(&sandbox, &[("all_proxy", &format!("{scheme}://127.0.0.1:9"))]);
        assert_eq!(reason, format!("the name {name} was not found"));
    }
}

/// A SOCKS proxy that gives these answers, one to each piece that it reads, and what it has read by then.
fn socks(answers: &[&[u8]]) -> (u16, std::thread::JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("we connect");
        let answered = answers.iter().map(|answer| {
            let mut piece = vec![0; 1024];
            let read = stream.read(&mut piece).expect("we send");
            stream.write_all(answer).expect("we read");
            piece.truncate(read);
            piece
        });
        answered.collect()
    });
    (port, served)
}

#[test]
fn each_version_of_socks_is_spoken_as_its_proxy_wants_it() {
    let accepted = b"HTTP/1.1 204 No Content\r\n\r\n";
    let [four, five] =
        [&b"\0\x5a\x01\x02\x03\x04\x05\x06"[..], b"\x05\0\0\x01\x01\x02\x03\x04\x05\x06"];
    let named = b"\x05\0\0\x03\x04host\0\x50";
    let six = b"\x05\0\0\x04................\0\x50";
    let no_login = b"\x05\0";
    for (scheme, url, answers, requests) in [
        ("socks4", "http://127.0.0.1:9/", &[four][..], &[&b"\x04\x01\0\x09\x7f\0\0\x01\0"[..]][..]),
        ("socks4a", "http://h.example:9/", &[four], &[b"\x04\x01\0\x09\0\0\0\x01\0h.example\0"]),
        (
            "socks5",
            "http://127.0.0.1:9/",
            &[no_login, five],
            &[b"\x05\x01\0", b"\x05\x01\0\x01\x7f\0\0\x01\0\x09"],
        ),
        (
            "socks5h",
            "http://127.0.0.1:9/",
            &[no_login, named],
            &[b"\x05\x01\0", b"\x05\x01\0\x01\x7f\0\0\x01\0\x09"],
        ),
        (
            "socks5h",
            "http://h.example:9/",
            &[no_login, six],
            &[b"\x05\x01\0", b"\x05\x01\0\x03\x09h.example\0\x09"],
        ),
        (
            "socks5h",
            "http://[::1]:9/",
            &[no_login, five],
            &[b"\x05\x01\0", b"\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x09"],
        ),
    ] {
        let all = [answers, &[&accepted[..]]].concat();
        let (port, served) = socks(&all);
        let sandbox = hook(url);
        let publish = sandbox.hooks(["publish", "PostDeployment", "{}", "--retries", "0"]);
        let published = publish.env("all_proxy", format!("{scheme}://127.0.0.1:{port}")).run();
        published.assert_code(0);
        let read = served.join().expect("it was served");
        assert_eq!(&read[..requests.len()], requests, "{scheme} {url}");
        assert!(read[requests.len()].starts_with(b"POST / HTTP/1.1\r\n"), "{scheme} {url}");
    }
}

#[test]
fn a_refusal_of_socks_is_named() {
    for (scheme, answers, words) in [
        ("socks5h", &[&b"\x05\xff"[..]][..], "wants a user and a password"),
        ("socks5h", &[b"\x05\x01"], "another way to log in"),
        ("socks5h", &[b"\x05\0", b"\x05\x02\0\x01"], "does not allow this connection"),
        ("socks5h", &[b"\x05\0", b"\x05\x07\0\x01"], "kind of address"),
        ("socks4", &[b"\0\x5b......"], "SOCKS code 91"),
        ("socks5h", &[b"\x05\0", b"\x05\x04\0\x01"], "cannot reach or does not know"),
        ("socks5h", &[b"\x05\0", b"\x05\x01\0\x01"], "SOCKS code 1"),
        ("socks5h", &[b"HTTP/1.1 400 Bad Request\r\n\r\n"], "not SOCKS"),
    ] {
        let (port, served) = socks(answers);
        let sandbox = hook("http://127.0.0.1:9/");
        let publish = sandbox.hooks(["publish", "PostDeployment", "{}", "--retries", "0"]);
        let published = publish.env("all_proxy", format!("{scheme}://127.0.0.1:{port}")).run();
        published.assert_code(3).assert_stdout_has(&["the proxy: it", words]);
        served.join().expect("it was served");
    }
}
