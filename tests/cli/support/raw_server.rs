//! A server that does to each connection what a test's own code says, HTTP or not.

use std::io::{BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::request::Request;

/// It answers each connection on a thread of its own; the connection ends with the answer.
pub(crate) struct RawServer {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl RawServer {
    pub(crate) fn new(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let serve = Arc::new(serve);
        let accepting = thread::spawn({
            let stopped = stopped.clone();
            move || {
                while let Ok((stream, _)) = listener.accept() {
                    if stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    let serve = serve.clone();
                    thread::spawn(move || serve(stream));
                }
            }
        });
        Self {
            address,
            stopped,
            accepting: Some(accepting),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Reads one whole request off a connection; none if it ends before.
pub(crate) fn read_request(stream: &TcpStream) -> Option<Request> {
    Request::read(&mut BufReader::new(stream)).ok().flatten()
}

/// Keeps a connection open and says nothing more, until the other side ends it.
pub(crate) fn hold(mut stream: TcpStream) {
    let mut chunk = [0; 1024];
    while stream.read(&mut chunk).is_ok_and(|read| read > 0) {}
}
