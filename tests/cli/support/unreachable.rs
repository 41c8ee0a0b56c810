//! Addresses on loopback where nothing answers.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A URL that refuses connections at once: nothing listens on the discard port.
pub(crate) fn refused_url() -> &'static str {
    "http://127.0.0.1:9/refused"
}

/// A server whose backlog of connections is full: a connect to it is neither accepted nor refused.
pub(crate) struct FullBacklog {
    listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl FullBacklog {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
            assert!(waiting.len() < 900, "the queue of {address} does not fill up");
        }
        Self { listener, _waiting: waiting }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/unanswering", self.address())
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("a bound socket has an address")
    }
}
