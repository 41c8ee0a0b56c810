//! A server whose answer depends on the request: an echo, or one with a certificate from files.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::request::Request;

type Answer = fn(&Request) -> Vec<u8>;

/// A server for one request a connection.
pub(crate) struct Answering {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    ending: AtomicBool,
    requests: AtomicUsize,
}

impl Answering {
    pub(crate) fn new(answer: Answer) -> Self {
        Self::start(answer, None)
    }

    /// An HTTPS server that accepts everything, with the certificate and the key in these PEM texts.
    pub(crate) fn tls(certificate: &[u8], key: &[u8]) -> Self {
        let chain = CertificateDer::pem_slice_iter(certificate).collect::<Result<_, _>>();
        let key = PrivateKeyDer::from_pem_slice(key).expect("openssl writes a key rustls reads");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring serves the default versions")
            .with_no_client_auth()
            .with_single_cert(chain.expect("openssl writes PEM"), key)
            .expect("the certificate fits its key");
        let accepted = |_: &Request| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
        Self::start(accepted, Some(Arc::new(config)))
    }

    fn start(answer: Answer, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared::default());
        let accepting = thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared, answer, tls.as_ref())
        });
        Self {
            address,
            scheme,
            shared,
            accepting: Some(accepting),
        }
    }

    /// The URL of a path, which starts with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many whole requests have come.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        // Wakes the accept loop.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let ended = accepting.join().is_ok();
            assert!(ended || thread::panicking(), "an answering server panicked");
        }
    }
}

fn accept(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    answer: Answer,
    tls: Option<&Arc<rustls::ServerConfig>>,
) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.ending.load(Ordering::SeqCst) {
            return;
        }
        let (shared, tls) = (shared.clone(), tls.cloned());
        // A client that goes away in the middle is its own affair.
        thread::spawn(move || {
            let mut stream = stream;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            let Some(config) = tls else {
                return serve(&mut stream, &shared, answer);
            };
            let connection = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
            let mut stream = rustls::StreamOwned::new(connection, stream);
            serve(&mut stream, &shared, answer)?;
            stream.conn.send_close_notify();
            stream.flush()
        });
    }
}

fn serve(stream: &mut (impl Read + Write), shared: &Shared, answer: Answer) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    if let Some(request) = Request::read(&mut reader)? {
        shared.requests.fetch_add(1, Ordering::SeqCst);
        reader.get_mut().write_all(&answer(&request))?;
        reader.get_mut().flush()?;
    }
    Ok(())
}
