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

use connection::{Connection, Refusal};

/// Connections at once, more than one `publish` opens; another is answered 503. Tests, which hold both
/// ends, have file descriptors for fewer.
const MAX_CONNECTIONS: usize = if cfg!(test) { 50 } else { 300 };

/// A server on 127.0.0.1. It listens until the process ends.
pub(crate) struct Receiver {
    port: u16,
    sender: mpsc::Sender<Message>,
    messages: mpsc::Receiver<Message>,
}

/// Ends [`Receiver::next`] from another thread.
#[derive(Clone)]
pub(crate) struct Stopper(mpsc::Sender<Message>);

/// A request, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
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

enum Message {
    Request(Received, Connection),
    Stop,
}

impl Receiver {
    /// Listens on `port` of 127.0.0.1; 0 picks a free one.
    ///
    /// # Errors
    ///
    /// The port can't be had; the message names it.
    pub(crate) fn bind(port: u16) -> io::Result<Receiver> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| named(port, &error))?;
        let port = listener.local_addr()?.port();
        let (sender, messages) = mpsc::channel();
        let requests = sender.clone();
        thread::Builder::new().spawn(move || accept(&listener, &requests))?;
        Ok(Receiver {
            port,
            sender,
            messages,
        })
    }

    /// The port, which the system picked if 0 was asked for.
    #[cfg(test)]
    fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// A handle that ends [`Receiver::next`].
    pub(crate) fn stopper(&self) -> Stopper {
        Stopper(self.sender.clone())
    }

    /// Waits for the next request, answers it what `respond` says, and gives both; None once stopped.
    ///
    /// Web hooks are sent by POST. Any other method is answered 405 without asking `respond`, and is given
    /// like the others. What is no request, or too long or too slow, is answered 4xx or 5xx and not given.
    pub(crate) fn next(
        &self,
        respond: impl FnOnce(&Received) -> Reply,
    ) -> Option<(Received, Reply)> {
        let Ok(Message::Request(request, mut connection)) = self.messages.recv() else {
            return None;
        };
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

impl Stopper {
    /// Makes [`Receiver::next`] return None, after the requests that have arrived already.
    pub(crate) fn stop(&self) {
        // Without a receiver there is nothing left to stop.
        let _ = self.0.send(Message::Stop);
    }
}

impl Received {
    /// The first header of that name, whose case does not matter.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Reply {
    /// A status without a body.
    pub(crate) fn status(status: u16) -> Reply {
        Reply::text(status, "")
    }

    /// A status and a body that explains it, which a sender may record.
    pub(crate) fn text(status: u16, text: &str) -> Reply {
        let text = text.to_owned();
        Reply { status, text }
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
    let open = Arc::new(());
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // Out of file descriptors, most likely: some come free as connections end.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        let mut connection = Connection::new(stream, Arc::clone(&open));
        if Arc::strong_count(&open) > MAX_CONNECTIONS + 1 {
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
            let _ = requests.send(Message::Request(request, connection));
        }
        Err(Refusal::Gone) => {}
        Err(Refusal::Answer(status, why)) => {
            connection.answer(&Reply::text(status, &format!("{why}\n")));
            connection.drain();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpStream};

    const POST: &str = "POST /a?b HTTP/1.1\r\nHost: h\r\nX-Two: 2\r\ncontent-length: 2\r\n\r\nhi";

    fn connect(receiver: &Receiver) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, receiver.port())).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    /// What the receiver answers while nobody takes requests from it.
    fn answer_to(receiver: &Receiver, request: &[u8]) -> String {
        let mut stream = connect(receiver);
        stream.write_all(request).unwrap();
        read_answer(&mut stream)
    }

    fn read_answer(stream: &mut TcpStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_request_is_handed_over_and_answered() {
        let receiver = Receiver::bind(0).unwrap();
        let mut stream = connect(&receiver);
        stream.write_all(POST.as_bytes()).unwrap();
        let (request, reply) = receiver.next(|_| Reply::text(401, "no\n")).unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/a?b")
        );
        assert_eq!(request.header("x-TWO"), Some("2"));
        assert_eq!(request.header("x-three"), None);
        assert_eq!(request.body, b"hi");
        assert_eq!(reply, Reply::text(401, "no\n"));
        assert_eq!(
            read_answer(&mut stream),
            "HTTP/1.1 401 \r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-length: 3\r\n\r\nno\n"
        );
    }

    #[test]
    fn other_methods_are_given_but_not_accepted() {
        let receiver = Receiver::bind(0).unwrap();
        let mut stream = connect(&receiver);
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let (request, reply) = receiver.next(|_| Reply::status(204)).unwrap();
        assert_eq!((request.method.as_str(), reply.status), ("GET", 405));
        assert!(read_answer(&mut stream).contains("\r\nallow: POST\r\n"));
    }

    #[test]
    fn chunks_and_expectations_are_understood() {
        let receiver = Receiver::bind(0).unwrap();
        let mut stream = connect(&receiver);
        let head = "POST / HTTP/1.1\r\nexpect: 100-continue\r\ntransfer-encoding: Chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        for part in ["2;x=y\r", "\nhi\r\n1\r\n!", "\r\n0\r\nt: 1\r\n\r\n"] {
            stream.write_all(part.as_bytes()).unwrap();
        }
        let (request, _) = receiver.next(|_| Reply::status(204)).unwrap();
        assert_eq!(request.body, b"hi!");
        assert_eq!(
            read_answer(&mut stream),
            "HTTP/1.1 204 \r\nconnection: close\r\n\r\n"
        );
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let receiver = Receiver::bind(0).unwrap();
        let post = |headers: &str| format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n");
        let chunked = post("transfer-encoding: chunked");
        for (request, status) in [
            ("hello\r\n\r\n".to_owned(), 400),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
            (post("no colon"), 400),
            (post("content-length: -1"), 400),
            (post("content-length: +1"), 400),
            (post("content-length: 1\r\ncontent-length: 2"), 400),
            (post("content-length: 1\r\ntransfer-encoding: chunked"), 400),
            (post("content-length: 2097153"), 413),
            (post("content-length: 1000000000000000"), 413),
            (post("content-length: 99999999999999999999999"), 413),
            (post("content-length: 1\r\nexpect: a-miracle"), 417),
            (post(&format!("x: {}", "a".repeat(100_000))), 431),
            (post(&"x: y\r\n".repeat(200)), 431),
            (post("transfer-encoding: gzip, chunked"), 501),
            (format!("{chunked}xyz\r\n"), 400),
            (format!("{chunked}1\r\nabc"), 400),
            (format!("{chunked}200001\r\n"), 413),
            (format!("{chunked}fffffffffffffff\r\n"), 413),
        ] {
            let answer = answer_to(&receiver, request.as_bytes());
            let wanted = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&wanted), "{request:.70?}: {answer}");
        }
    }

    #[test]
    fn a_client_still_sending_gets_to_read_the_refusal() {
        let receiver = Receiver::bind(0).unwrap();
        let mut request = b"POST / HTTP/1.1\r\ncontent-length: 9000000\r\n\r\n".to_vec();
        request.resize(9_000_000, b'x');
        assert!(answer_to(&receiver, &request).starts_with("HTTP/1.1 413 "));
    }

    #[test]
    fn slow_and_vanishing_clients_hold_up_nobody() {
        let receiver = Receiver::bind(0).unwrap();
        let slow: Vec<TcpStream> = (0..40).map(|_| connect(&receiver)).collect();
        for (half, mut stream) in slow.iter().enumerate() {
            stream.write_all(&POST.as_bytes()[..half]).unwrap();
        }
        slow[0].shutdown(Shutdown::Both).unwrap();
        let mut stream = connect(&receiver);
        stream.write_all(POST.as_bytes()).unwrap();
        let (request, _) = receiver.next(|_| Reply::status(204)).unwrap();
        assert_eq!(request.body, b"hi");
    }

    #[test]
    fn too_many_connections_are_turned_away() {
        let receiver = Receiver::bind(0).unwrap();
        let idle: Vec<TcpStream> = (0..MAX_CONNECTIONS).map(|_| connect(&receiver)).collect();
        assert!(answer_to(&receiver, b"").starts_with("HTTP/1.1 503 "));
        drop(idle);
    }

    #[test]
    fn a_port_in_use_is_named() {
        let first = Receiver::bind(0).unwrap();
        assert_eq!(first.url(), format!("http://127.0.0.1:{}", first.port()));
        let Err(error) = Receiver::bind(first.port()) else {
            panic!("two receivers on one port");
        };
        let wanted = format!("port {} of 127.0.0.1 is in use already", first.port());
        assert_eq!(error.to_string(), wanted);
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn stopping_ends_the_wait() {
        let receiver = Receiver::bind(0).unwrap();
        let stopper = receiver.stopper();
        let stopping = thread::spawn(move || stopper.stop());
        assert_eq!(receiver.next(|_| Reply::status(204)), None);
        stopping.join().unwrap();
    }
}
