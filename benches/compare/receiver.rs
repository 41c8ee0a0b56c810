//! A receiver in the benchmark's own process: keeps connections open, answers 200 after a delay.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// It goes on until the process ends.
pub(crate) struct Receiver {
    url: String,
    authority: String,
}

impl Receiver {
    pub(crate) fn http(delay: Duration) -> Self {
        let (listener, port) = listen();
        accept(listener, move |stream| serve(stream, delay));
        Self {
            url: format!("http://127.0.0.1:{port}"),
            authority: String::new(),
        }
    }

    /// With a certificate for 127.0.0.1 of an authority of its own.
    pub(crate) fn https() -> Self {
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .expect("a certificate can be made");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der())
            .expect("rcgen writes a key that rustls reads");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring serves the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .expect("the certificate fits its key");
        let config = Arc::new(config);
        let (listener, port) = listen();
        accept(listener, move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("TLS is set up");
            serve(StreamOwned::new(connection, stream), Duration::ZERO);
        });
        Self {
            url: format!("https://127.0.0.1:{port}"),
            authority: certified.cert.pem(),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// PEM text of what a client has to trust.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener
        .local_addr()
        .expect("a listener has an address")
        .port();
    (listener, port)
}

fn accept(listener: TcpListener, serve: impl Fn(std::net::TcpStream) + Send + Sync + 'static) {
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.set_nodelay(true);
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
}

/// Answers requests with a content-length until the client goes away.
fn serve(stream: impl Read + Write, delay: Duration) {
    let mut stream = BufReader::new(stream);
    while let Some(length) = read_head(&mut stream) {
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        thread::sleep(delay);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let sent = stream
            .get_mut()
            .write_all(answer)
            .and_then(|()| stream.get_mut().flush());
        if sent.is_err() {
            return;
        }
    }
}

/// The length of the body that follows.
fn read_head(stream: &mut impl BufRead) -> Option<usize> {
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(length);
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
}
