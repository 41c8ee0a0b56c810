//! A server whose response depends on the request, or one with a certificate from files.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::request::Request;
use super::server::Server;

/// Gives the bytes of the response to a request.
type Respond = fn(&Request) -> Vec<u8>;

/// A server for one request a connection.
pub(crate) struct Responder {
    server: Server,
    scheme: &'static str,
    requests: Arc<AtomicUsize>,
}

impl Responder {
    pub(crate) fn new(respond: Respond) -> Self {
        Self::start(respond, None)
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

    fn start(respond: Respond, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let requests = Arc::new(AtomicUsize::new(0));
        let server = Server::new({
            let requests = requests.clone();
            move |stream| {
                // A client may close its connection at any moment.
                let _ = serve(stream, &requests, respond, tls.as_ref());
            }
        });
        Self { server, scheme, requests }
    }

    /// The URL of a path, which starts with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    /// How many whole requests have arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(
    mut stream: TcpStream,
    requests: &AtomicUsize,
    respond: Respond,
    tls: Option<&Arc<rustls::ServerConfig>>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let Some(config) = tls else {
        return answer(&mut stream, requests, respond);
    };
    let connection = rustls::ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    let mut stream = rustls::StreamOwned::new(connection, stream);
    answer(&mut stream, requests, respond)?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Answers one request.
fn answer(
    stream: &mut (impl Read + Write),
    requests: &AtomicUsize,
    respond: Respond,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    if let Some(request) = Request::read(&mut reader)? {
        requests.fetch_add(1, Ordering::SeqCst);
        reader.get_mut().write_all(&respond(&request))?;
        reader.get_mut().flush()?;
    }
    Ok(())
}
