//! A receiver in the benchmark's own process: keeps connections open, answers 200 after a delay.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

/// It goes on until the process ends.
pub(crate) struct Receiver {
    url: String,
    authority: String,
    answered: Arc<AtomicUsize>,
}

impl Receiver {
    /// One thread for all connections, so that it is no matter how many of them a client opens.
    pub(crate) fn http(delay: Duration) -> Self {
        let (listener, port) = listen();
        let answered = Arc::<AtomicUsize>::default();
        let multiplexer = Multiplexer::new(listener, delay, Arc::clone(&answered));
        thread::spawn(move || multiplexer.run());
        Self { url: format!("http://127.0.0.1:{port}"), authority: String::new(), answered }
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
            serve(StreamOwned::new(connection, stream));
        });
        Self {
            url: format!("https://127.0.0.1:{port}"),
            authority: certified.cert.pem(),
            answered: Arc::default(),
        }
    }

    /// The URL of one of many paths.
    pub(crate) fn url(&self, number: usize) -> String {
        format!("{}/{number}", self.url)
    }

    /// How many requests were answered, by http.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// PEM text of what a client has to trust.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

pub(crate) fn free_port() -> u16 {
    listen().1
}

fn listen() -> (TcpListener, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).expect("a port is free");
    // With the usual 128, hundreds of connections at once would wait for their second try, a second later.
    socket.listen(4096).expect("it is bound");
    let listener = TcpListener::from(socket);
    let port = listener.local_addr().expect("a listener has an address").port();
    (listener, port)
}

fn accept(listener: TcpListener, serve: impl Fn(TcpStream) + Send + Sync + 'static) {
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.set_nodelay(true);
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
}

/// Answers one request after the other until the client goes away.
fn serve(mut stream: impl Read + Write) {
    let (mut request, mut piece) = (Vec::new(), [0; 8192]);
    loop {
        while let Some(length) = whole_request(&request) {
            request.drain(..length);
            if stream.write_all(ANSWER).and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&piece[..read]),
        }
    }
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// The length of the first request, once all of it is there.
fn whole_request(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let whole = head + length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    (bytes.len() >= whole).then_some(whole)
}

/// Serves many connections by `poll`.
struct Multiplexer {
    listener: TcpListener,
    delay: Duration,
    clients: Vec<Client>,
    answered: Arc<AtomicUsize>,
}

struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    due: Option<Instant>,
}

impl Multiplexer {
    fn new(listener: TcpListener, delay: Duration, answered: Arc<AtomicUsize>) -> Self {
        listener.set_nonblocking(true).expect("the listener can be polled");
        Self { listener, delay, clients: Vec::new(), answered }
    }

    fn run(mut self) {
        loop {
            self.wait();
            while let Ok((stream, _)) = self.listener.accept() {
                let _ = stream.set_nodelay(true);
                stream.set_nonblocking(true).expect("a connection can be polled");
                self.clients.push(Client { stream, request: Vec::new(), due: None });
            }
            let (delay, now) = (self.delay, Instant::now());
            let answered = &self.answered;
            self.clients.retain_mut(|client| client.go_on(delay, now, answered));
        }
    }

    /// Until there is something to accept, to read, or to answer.
    fn wait(&self) {
        let next = self.clients.iter().filter_map(|client| client.due).min();
        let timeout = next.map(|due| due.saturating_duration_since(Instant::now()));
        let timeout = timeout.and_then(|timeout| timeout.try_into().ok());
        let mut polled = vec![PollFd::new(&self.listener, PollFlags::IN)];
        polled.extend(self.clients.iter().map(|client| PollFd::new(&client.stream, PollFlags::IN)));
        let _ = poll(&mut polled, timeout.as_ref());
    }
}

impl Client {
    /// Reads what is there, answers what is due; whether the connection goes on.
    fn go_on(&mut self, delay: Duration, now: Instant, answered: &AtomicUsize) -> bool {
        let mut piece = [0; 8192];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return false,
                Ok(read) => self.request.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        if self.due.is_none() && whole_request(&self.request).is_some() {
            self.due = Some(now + delay);
        }
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            let length = whole_request(&self.request).unwrap_or(0);
            self.request.drain(..length);
            answered.fetch_add(1, Ordering::Relaxed);
            // So short an answer never blocks.
            return self.stream.write_all(ANSWER).is_ok();
        }
        true
    }
}
