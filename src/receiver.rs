//! The server behind `hooks listen`: takes requests on 127.0.0.1, one a connection, and hands them over.
//!
//! It prints nothing and writes no file. Each connection has a thread of its own, which hands over a
//! request only when the whole of it has arrived, so a slow client holds up nobody else. The crate
//! `tiny_http` would be the obvious choice, but with version 0.12 four slow clients blocked a fifth, a
//! `Content-Length` of 10^15 aborted the process, and a client that hung up early printed a panic.

mod connection;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use socket2::SockRef;

use connection::{Connection, Memory, Refusal};

/// Connections at once, more than one `publish` opens; another is answered 503. Tests, which hold both
/// ends, have file descriptors for fewer.
const MAX_CONNECTIONS: usize = if cfg!(test) { 50 } else { 300 };

/// Connections that wait to be taken; the standard library has 128 wait. One that finds no place is tried again
/// by its own system, a second later.
const MAX_QUEUED: i32 = 1024;

/// Bytes that the long bodies of requests which nobody has taken yet may have altogether. Others are not
/// read meanwhile, so that their senders wait.
const MAX_WAITING: usize = 16 * 1024 * 1024;

/// A server on 127.0.0.1. It listens until the process ends.
pub(crate) struct Receiver {
    port: u16,
    sender: mpsc::Sender<Message>,
    messages: mpsc::Receiver<Message>,
}

/// A request and the connection to answer it by, or None: no more is wanted.
type Message = Option<(Received, Connection)>;

/// A request, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// When the whole of it had arrived.
    pub(crate) time: DateTime<Utc>,
    pub(crate) method: String,
    /// The path with its query, as it was sent.
    pub(crate) path: String,
    /// In the order of arrival, names as they were spelled. What is not UTF-8 became U+FFFD.
    pub(crate) headers: Vec<(String, String)>,
    /// At most 2 MiB; without the framing, if it came chunked.
    pub(crate) body: Vec<u8>,
}

/// What a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// 200 to 599.
    pub(crate) status: u16,
    /// The body, plain text.
    pub(crate) text: String,
}

impl Receiver {
    /// Listens on `port` of 127.0.0.1; 0 picks a free one. The error names the port.
    pub(crate) fn bind(port: u16) -> io::Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| named(port, &error))?;
        SockRef::from(&listener).listen(MAX_QUEUED)?;
        let port = listener.local_addr()?.port();
        let (sender, messages) = mpsc::channel();
        let requests = sender.clone();
        thread::Builder::new().spawn(move || accept(&listener, &requests))?;
        Ok(Self { port, sender, messages })
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// Makes [`Receiver::next`] return None, after the requests that have arrived already. Callable from any
    /// thread.
    pub(crate) fn stopper(&self) -> impl Fn() + Send + 'static {
        let sender = self.sender.clone();
        // Without a receiver there is nothing left to stop.
        move || drop(sender.send(None))
    }

    /// Waits for the next request, answers it what `respond` says, and gives both; None once stopped.
    ///
    /// Web hooks are sent by POST. Any other method is answered 405 without asking `respond`, and is given
    /// like the others. What is no request, or too long or too slow, is answered 4xx or 5xx and not given.
    pub(crate) fn next(
        &self,
        respond: impl FnOnce(&Received) -> Reply,
    ) -> Option<(Received, Reply)> {
        let (request, mut connection) = self.messages.recv().ok()??;
        let reply = match request.method.as_str() {
            "POST" => respond(&request),
            // an answer to HEAD has no body
            "HEAD" => Reply::status(405),
            _ => Reply::text(405, "web hooks are sent by POST\n"),
        };
        connection.answer(&reply);
        Some((request, reply))
    }
}

impl Received {
    /// The first header of that name, whose case does not matter.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

impl Reply {
    /// A status without a body.
    pub(crate) fn status(status: u16) -> Self {
        Self::text(status, "")
    }

    /// A status and a body that explains it, which a sender may record.
    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self { status, text: text.to_owned() }
    }
}

fn named(port: u16, error: &io::Error) -> io::Error {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "is in use already".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be used by this user".to_owned(),
        _ => format!("can't be used: {error}"),
    };
    let message = format!("port {port} of {} {why}", Ipv4Addr::LOCALHOST);
    io::Error::new(error.kind(), message)
}

fn accept(listener: &TcpListener, requests: &mpsc::Sender<Message>) {
    let memory = Arc::new(Memory::new(MAX_WAITING));
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // Out of file descriptors, most likely: some come free as connections end.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        let mut connection = Connection::new(stream, Arc::clone(&memory));
        // Each open connection has a share.
        if Arc::strong_count(&memory) > MAX_CONNECTIONS + 1 {
            connection.answer(&Reply::text(503, "too many connections\n"));
            continue;
        }
        let requests = requests.clone();
        // A thread that can't be had closes the connection.
        let _ = thread::Builder::new().spawn(move || serve(connection, &requests));
    }
}

fn serve(mut connection: Connection, requests: &mpsc::Sender<Message>) {
    match connection.read_request() {
        Ok(request) => {
            // Nobody is there to take it only while the process ends.
            let _ = requests.send(Some((request, connection)));
        }
        Err(Refusal::Gone) => {}
        Err(Refusal::Answer(status, why)) => {
            connection.answer(&Reply::text(status, &format!("{why}\n")));
            connection.drain();
        }
    }
}

#[cfg(test)]
mod tests;
