//! A server whose connections are served by a test's own code, by HTTP or not.

use std::io::{BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::request::Request;

/// Serves each connection on a thread of its own; a connection is closed when the code that serves it returns.
pub(crate) struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn new(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1", serve)
    }

    /// A server at another address of the loopback.
    pub(crate) fn at(host: &str, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((host, 0)).expect("a loopback port is free");
        Self::of(listener, serve)
    }

    /// A server on a way so narrow that a large request is not in the system's buffers before it is read.
    pub(crate) fn narrow(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let socket = socket2::SockRef::from(&listener);
        socket.set_tcp_mss(536).expect("a socket takes it");
        socket.set_recv_buffer_size(4096).expect("a socket takes it");
        Self::of(listener, serve)
    }

    fn of(listener: TcpListener, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().expect("a bound socket has an address");
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
        Self { address, stopped, accepting: Some(accepting) }
    }

    /// The URL of a path, which starts with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Ends the wait for the next connection.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let panicked = accepting.join().is_err();
            assert!(!panicked || thread::panicking(), "the server at {} panicked", self.address);
        }
    }
}

/// Reads one whole request from a connection; none if the connection ends before.
pub(crate) fn read_request(stream: &TcpStream) -> Option<Request> {
    Request::read(&mut BufReader::new(stream)).ok().flatten()
}

/// Keeps a connection open and sends nothing more, until the other side closes it.
pub(crate) fn hold_open(mut stream: TcpStream) {
    let mut chunk = [0; 1024];
    while stream.read(&mut chunk).is_ok_and(|read| read > 0) {}
}
