//! A scripted HTTP/1.1 server on loopback, in the test's own process.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::process::TIMEOUT;
use super::reply::{Reply, Step};
use super::request::Request;
use super::tls::Identity;

/// What must have happened by the end of the test.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    Request,
    NoRequest,
    NoConnection,
}

/// A server that records each request and answers from a script.
///
/// It must have been called by the time it is dropped, unless it was made not to be.
pub(crate) struct Receiver {
    address: SocketAddr,
    scheme: &'static str,
    expected: Expected,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    connections: usize,
    /// The script, backwards; its last answer is given again and again.
    script: Vec<Reply>,
    in_flight: usize,
    most_in_flight: usize,
    released: bool,
    /// The receiver's own connection to itself that ends the accept loop.
    closing: Option<SocketAddr>,
    open: HashMap<usize, TcpStream>,
}

impl Receiver {
    /// Accepts everything with 200.
    pub(crate) fn new() -> Self {
        Self::answering([Reply::status(200)])
    }

    /// Gives these answers in turn, and the last of them from then on.
    pub(crate) fn answering(script: impl IntoIterator<Item = Reply>) -> Self {
        Self::start(script, None, Expected::Request)
    }

    /// A server that nobody may connect to.
    pub(crate) fn never() -> Self {
        Self::start([Reply::status(200)], None, Expected::NoConnection)
    }

    /// An HTTPS server that accepts everything with 200.
    pub(crate) fn tls(identity: &Identity) -> Self {
        Self::start([Reply::status(200)], Some(identity), Expected::Request)
    }

    /// An HTTPS server that may be connected to, but may get no request.
    pub(crate) fn untrusted(identity: &Identity) -> Self {
        Self::start([Reply::status(200)], Some(identity), Expected::NoRequest)
    }

    /// A server with this reply, to which no whole request may come.
    pub(crate) fn without_request(reply: Reply) -> Self {
        Self::start([reply], None, Expected::NoRequest)
    }

    fn start(
        script: impl IntoIterator<Item = Reply>,
        tls: Option<&Identity>,
        expected: Expected,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        shared.lock().script = script.into_iter().collect::<Vec<_>>().into_iter().rev().collect();
        let config = tls.map(Identity::server_config);
        let accepting = thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared, config.as_ref())
        });
        let scheme = if tls.is_some() { "https" } else { "http" };
        Self { address, scheme, expected, shared, accepting: Some(accepting) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The URL of a path, which starts with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The URL of a path under another scheme, host or userinfo: `scheme://rest:PORT/path`.
    pub(crate) fn url_as(&self, origin: &str, path: &str) -> String {
        format!("{origin}:{}{path}", self.port())
    }

    /// All requests so far, in order of arrival.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// How many requests there were so far.
    pub(crate) fn count(&self) -> usize {
        self.shared.lock().requests.len()
    }

    /// The only request there was.
    #[track_caller]
    pub(crate) fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "one request was expected: {requests:#?}");
        requests[0].clone()
    }

    /// Waits for this many requests.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Request> {
        self.wait(|state| state.requests.len() >= count, &format!("{count} requests"));
        self.requests()
    }

    /// Waits for this many connections, whatever came over them.
    #[track_caller]
    pub(crate) fn wait_for_connections(&self, count: usize) {
        self.wait(|state| state.connections >= count, &format!("{count} connections"));
    }

    /// Sends the replies that are `Reply::held`.
    pub(crate) fn release(&self) {
        self.shared.lock().released = true;
        self.shared.changed.notify_all();
    }

    /// How many requests were being answered at one time, at most.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.shared.lock().most_in_flight
    }

    #[track_caller]
    fn wait(&self, ready: impl Fn(&State) -> bool, what: &str) {
        let until = Instant::now() + TIMEOUT;
        let mut state = self.shared.lock();
        while !ready(&state) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{what} did not come to {}; what came: {} connections, {:#?}",
                self.address,
                state.connections,
                state.requests
            );
            state = self.shared.sleep(state, left);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            // Under the lock, so that the accept loop can't see the connection before it knows whose it is.
            let closing = TcpStream::connect(self.address).and_then(|stream| stream.local_addr());
            state.closing = closing.ok();
        }
        self.shared.changed.notify_all();
        if let Some(accepting) = self.accepting.take() {
            let panicked = accepting.join().is_err();
            assert!(!panicked || thread::panicking(), "the receiver at {} panicked", self.address);
        }
        if thread::panicking() {
            return;
        }
        let state = self.shared.lock();
        let (calls, connections) = (&state.requests, state.connections);
        match self.expected {
            Expected::Request => assert!(!calls.is_empty(), "nothing called {}", self.address),
            Expected::NoRequest => assert!(calls.is_empty(), "{} got {calls:#?}", self.address),
            Expected::NoConnection => {
                assert_eq!(connections, 0, "{} was connected to: {calls:#?}", self.address);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn sleep<'a>(&self, state: MutexGuard<'a, State>, limit: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, limit).unwrap_or_else(std::sync::PoisonError::into_inner).0
    }

    /// Waits for `limit`, for a release, or for the end of the receiver; false at the end.
    fn pause(&self, limit: Option<Duration>, until_released: bool) -> bool {
        let until = limit.map(|limit| Instant::now() + limit);
        let mut state = self.lock();
        while state.closing.is_none() {
            let left =
                until.map_or(TIMEOUT, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() || (until_released && state.released) {
                return true;
            }
            state = self.sleep(state, left);
        }
        false
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, tls: Option<&Arc<rustls::ServerConfig>>) {
    let mut workers = Vec::new();
    for number in 0.. {
        let Ok((stream, peer)) = listener.accept() else {
            break;
        };
        let mut state = shared.lock();
        if state.closing == Some(peer) {
            break;
        }
        state.connections += 1;
        state.open.insert(number, stream.try_clone().expect("a socket can be cloned"));
        drop(state);
        shared.changed.notify_all();
        let (shared, tls) = (shared.clone(), tls.cloned());
        workers.push(thread::spawn(move || {
            // A client may close its connection at any moment.
            let _ = match tls {
                Some(config) => {
                    rustls::ServerConnection::new(config).map_err(io::Error::other).and_then(
                        |connection| serve(rustls::StreamOwned::new(connection, stream), &shared),
                    )
                }
                None => serve(stream, &shared),
            };
            if let Some(stream) = shared.lock().open.remove(&number) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }));
    }
    for stream in shared.lock().open.values() {
        let _ = stream.shutdown(Shutdown::Both);
    }
    for worker in workers {
        worker.join().expect("a receiver's worker does not panic");
    }
}

/// Answers the requests of one connection, one after the other.
fn serve(stream: impl Read + Write, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        if shared.lock().script.last().is_some_and(|next| !next.reads) {
            let reply = next_reply(&mut shared.lock());
            return perform(reply.into_steps(), stream.get_mut(), shared);
        }
        let Some(request) = Request::read(&mut stream)? else {
            return Ok(());
        };
        let reply = {
            let mut state = shared.lock();
            state.requests.push(request);
            state.in_flight += 1;
            state.most_in_flight = state.most_in_flight.max(state.in_flight);
            next_reply(&mut state)
        };
        shared.changed.notify_all();
        let closes = reply.closes;
        let mut steps = reply.into_steps();
        // Before the last step, because the client may send its next request as soon as it has that.
        let last = steps.pop();
        let begun = perform(steps, stream.get_mut(), shared);
        shared.lock().in_flight -= 1;
        begun?;
        perform(last, stream.get_mut(), shared)?;
        if closes {
            return Ok(());
        }
    }
}

fn next_reply(state: &mut State) -> Reply {
    let next =
        if state.script.len() > 1 { state.script.pop() } else { state.script.last().cloned() };
    next.expect("a receiver's script has at least one answer")
}

fn perform(
    steps: impl IntoIterator<Item = Step>,
    stream: &mut (impl Read + Write),
    shared: &Shared,
) -> io::Result<()> {
    for step in steps {
        match step {
            Step::Send(bytes) => {
                stream.write_all(&bytes)?;
                stream.flush()?;
            }
            Step::Repeat(bytes, every) => {
                while shared.pause(Some(every), false) {
                    stream.write_all(&bytes)?;
                    stream.flush()?;
                }
            }
            Step::Pause(delay) => _ = shared.pause(Some(delay), false),
            Step::UntilReleased => _ = shared.pause(None, true),
            Step::Hold => _ = shared.pause(None, false),
        }
    }
    Ok(())
}
