//! What a receiver said before it closed counts, though it has not read the whole request.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::support::{Identity, Program, Sandbox, Server, free_port, hold_open, needs};

const HOOKS: u64 = 20;

/// A deployment of nearly 1 MiB.
fn large() -> String {
    format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024 - 100))
}

/// Publishes a large deployment to twenty hooks at this URL, which take any certificate, and gives the
/// deliveries.
fn deliveries(url: &str) -> Vec<Value> {
    let sandbox = Sandbox::new();
    for number in 0..HOOKS {
        let url = format!("{url}?{number}");
        sandbox.add_with(&url, "PostDeployment", ["--insecure-ssl"]);
    }
    let publish = ["publish", "PostDeployment", "--json", "--timeout", "20s"];
    let published = sandbox.hooks(publish).args(["--retries", "0"]);
    let published = published.stdin(large()).run();
    let deliveries = published.json()["deliveries"].clone();
    deliveries.as_array().expect("an array").clone()
}

#[track_caller]
fn assert_all_heard(url: &str, code: u64, case: &str) {
    let deliveries = deliveries(url);
    let heard = deliveries.iter().filter(|one| one["code"] == code).count();
    let others: Vec<_> = deliveries.iter().filter(|one| one["code"] != code).collect();
    assert_eq!((heard as u64, others.first()), (HOOKS, None), "{case}");
}

/// A server that reads this much of a request, answers, and closes with the rest unread.
fn impatient(reads: usize, answer: &str, tls: Option<Arc<ServerConfig>>) -> Server {
    let answer = answer.as_bytes().to_vec();
    Server::new(move |stream| {
        // Without it the system would keep the answer until what TLS has sent is acknowledged, and forget it.
        stream.set_nodelay(true).expect("a socket takes it");
        // The other side may be gone: it has its answer then, or the test fails.
        let _ = match &tls {
            None => answer_early(stream, reads, &answer),
            Some(config) => {
                let connection = ServerConnection::new(config.clone()).expect("a good config");
                answer_early(StreamOwned::new(connection, stream), reads, &answer)
            }
        };
    })
}

fn answer_early(mut stream: impl Read + Write, reads: usize, answer: &[u8]) -> io::Result<()> {
    stream.read_exact(&mut vec![0; reads])?;
    stream.write_all(answer)?;
    stream.flush()
}

const ANSWERS: [(u64, &str); 3] = [
    (401, "HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno"),
    (200, "HTTP/1.1 200 OK\r\n\r\nfine"),
    (413, "HTTP/1.1 413 Content Too Large\r\nconnection: close\r\n\r\n"),
];

#[test]
fn an_answer_before_the_whole_request_was_read_is_heard_over_http() {
    for (code, answer) in ANSWERS {
        for reads in [1, 100, 300_000] {
            let server = impatient(reads, answer, None);
            assert_all_heard(&server.url("/"), code, &format!("{code} after {reads}"));
        }
    }
}

#[test]
fn an_answer_before_the_whole_request_was_read_is_heard_over_https() {
    let identity = Identity::self_signed();
    for (name, versions) in [("1.2", &[&TLS12][..]), ("1.3", &[&TLS13][..])] {
        for (code, answer) in ANSWERS {
            for reads in [1, 100, 300_000] {
                let config = identity.server_config_of(versions);
                let server = impatient(reads, answer, Some(config));
                let url = format!("https://127.0.0.1:{}/", server.port());
                assert_all_heard(&url, code, &format!("TLS {name}, {code} after {reads}"));
            }
        }
    }
}

/// A server that answers and then neither reads nor closes.
fn stuck_after_answer(answer: &str, tls: Option<Arc<ServerConfig>>) -> Server {
    let answer = answer.as_bytes().to_vec();
    Server::narrow(move |mut stream| {
        // It stays open as long as the tests run.
        std::mem::forget(stream.try_clone().expect("a socket can be cloned"));
        let _ = match &tls {
            None => answer_early(&mut stream, 1, &answer),
            Some(config) => {
                let connection = ServerConnection::new(config.clone()).expect("a good config");
                answer_early(StreamOwned::new(connection, stream), 1, &answer)
            }
        };
    })
}

#[test]
fn an_answer_is_heard_though_the_receiver_takes_nothing_more() {
    let identity = Identity::self_signed();
    let (code, answer) = ANSWERS[0];
    let plain = stuck_after_answer(answer, None);
    assert_all_heard(&plain.url("/"), code, "http");
    for versions in [&[&TLS12][..], &[&TLS13][..]] {
        let secure = stuck_after_answer(answer, Some(identity.server_config_of(versions)));
        let url = format!("https://127.0.0.1:{}/", secure.port());
        assert_all_heard(&url, code, "https");
    }
}

#[test]
fn a_receiver_that_closes_without_a_word_has_not_answered() {
    let identity = Identity::self_signed();
    for tls in [None, Some(identity.server_config())] {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = impatient(100, "", tls);
        for delivery in deliveries(&format!("{scheme}://127.0.0.1:{}/", server.port())) {
            assert_eq!(delivery["delivered"], false);
            let reason = delivery["reason"].as_str().expect("a reason is text");
            let fits = ["connection reset", "closed without an answer"];
            assert!(fits.iter().any(|words| reason.contains(words)), "{reason}");
        }
    }
}

#[test]
fn one_that_shuts_its_side_after_the_answer_is_heard() {
    let server = Server::new(|mut stream| {
        let _ = answer_early(&mut stream, 1, ANSWERS[0].1.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        hold_open(stream);
    });
    assert_all_heard(&server.url("/"), 401, "half closed");
}

#[test]
fn a_success_without_a_length_on_an_open_connection_costs_a_second() {
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 202 Accepted\r\ncontent-type: text/plain\r\n\r\nfine",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfine",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfine\r\n",
        "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\nfine",
    ] {
        let server = Server::new(move |mut stream| {
            let _ = answer_early(&mut stream, 1, answer.as_bytes());
            hold_open(stream);
        });
        let sandbox = Sandbox::new();
        sandbox.add(&server.url("/"), "PostDeployment");
        let publish = ["publish", "PostDeployment", "{}", "--timeout", "10s"];
        let published = sandbox.hooks(publish).run();
        published.assert_code(0).assert_took(Duration::ZERO, Duration::from_secs(4));
        assert_eq!(sandbox.hook("1")["last_reason"], "delivered");
    }
}

#[test]
fn a_word_on_the_way_is_no_answer() {
    let identity = Identity::self_signed();
    for tls in [None, Some(identity.server_config())] {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Server::narrow(move |stream| {
            let _ = match &tls {
                None => continue_late(stream),
                Some(config) => {
                    let connection = ServerConnection::new(config.clone()).expect("a good config");
                    continue_late(StreamOwned::new(connection, stream))
                }
            };
        });
        assert_all_heard(&format!("{scheme}://127.0.0.1:{}/", server.port()), 204, scheme);
    }
}

/// Says twice that it goes on, reads nothing for a while, and then reads and accepts the request.
fn continue_late(mut stream: impl Read + Write) -> io::Result<()> {
    answer_early(&mut stream, 1, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n")?;
    // Long enough for the other side to have filled the connection.
    std::thread::sleep(Duration::from_millis(300));
    let mut request = Vec::new();
    while !request.ends_with(b"x\"}") {
        let mut piece = [0; 16 * 1024];
        let read = stream.read(&mut piece)?;
        request.extend(&piece[..read]);
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    stream.flush()
}

#[test]
fn a_text_that_is_expected_ends_the_wait_for_the_rest() {
    let server = Server::new(|mut stream| {
        let _ = answer_early(&mut stream, 1, b"HTTP/1.1 200 OK\r\n\r\n{\"routed\":true}");
        hold_open(stream);
    });
    let sandbox = Sandbox::new();
    let expect = ["--expect", "\"routed\":true"];
    sandbox.add_with(&server.url("/"), "PostDeployment", expect);
    let publish = ["publish", "PostDeployment", "{}", "--timeout", "10s"];
    let published = sandbox.hooks(publish).run();
    published.assert_code(0).assert_took(Duration::ZERO, Duration::from_secs(4));
}

#[test]
fn the_words_of_a_failure_are_waited_for_longer() {
    let server = Server::new(|mut stream| {
        let _ = answer_early(&mut stream, 1, b"HTTP/1.1 422 No\r\n\r\nthe ");
        std::thread::sleep(Duration::from_millis(2500));
        let _ = stream.write_all(b"reason");
    });
    let sandbox = Sandbox::new();
    sandbox.add(&server.url("/"), "PostDeployment");
    sandbox.publish().assert_code(3);
    assert_eq!(sandbox.hook("1")["last_reason"], "the reason");
}

#[test]
fn nginx_that_takes_no_large_body_and_does_not_linger_is_heard() {
    if !needs("nginx") || !needs("openssl") {
        return;
    }
    let sandbox = Sandbox::new();
    let openssl = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(sandbox.path())
        .output();
    assert!(openssl.expect("openssl is there").status.success());
    let (plain, secure) = (free_port(), free_port());
    let _nginx = nginx(
        &sandbox,
        &format!(
            "server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl; client_max_body_size 1k; \
             ssl_certificate cert.pem; ssl_certificate_key key.pem; lingering_close off; }}"
        ),
    );
    assert_all_heard(&format!("http://127.0.0.1:{plain}/"), 413, "http");
    assert_all_heard(&format!("https://127.0.0.1:{secure}/"), 413, "https");
}

/// Starts nginx with this in its `http` block, and waits until it listens.
pub(super) fn nginx(sandbox: &Sandbox, servers: &str) -> Program {
    let configuration = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr notice; events {{}}\n\
         http {{ access_log off; client_body_temp_path body; proxy_temp_path proxy; \
         fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n{servers}\n}}\n"
    );
    sandbox.write("nginx.conf", configuration);
    let nginx = Program::start(Command::new("nginx").arg("-p").arg(sandbox.path()).args([
        "-c",
        "nginx.conf",
        "-e",
        "stderr",
    ]));
    nginx.stderr_line("using the \"epoll\" event method");
    nginx
}
