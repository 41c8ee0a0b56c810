//! HTTP/1.1 (RFC 9112), as much as a receiver of web hooks needs: one request a connection, with a limit
//! on each length and on the time. The crate httparse, which ureq brings along, reads the syntax.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use httparse::Status;

use super::{Received, Reply};

/// Bytes that a request line and headers may have.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;

/// Bytes that a body may have: twice what `publish` sends at most.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// Bytes that a body may have without a reservation, so that senders of long bodies do not hold up others.
const SHORT_BODY: usize = 64 * 1024;

/// How long a whole request may take to arrive.
const READ_TIME: Duration = Duration::from_secs(30);

/// How long an answer may take to be sent, and a refused request to stop.
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// Why a request gets no further than its connection's thread.
pub(super) enum Refusal {
    /// The client has gone.
    Gone,
    /// It is answered this status and explanation.
    Answer(u16, &'static str),
}

const TOO_LONG: Refusal = Refusal::Answer(413, "the body is longer than 2 MiB");
const BAD_CHUNK: Refusal = Refusal::Answer(400, "the chunks of the body are malformed");

/// Memory for long bodies that connections share.
pub(super) struct Memory {
    /// Bytes that nobody has reserved.
    free: Mutex<usize>,
    given_back: Condvar,
}

impl Memory {
    /// So many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { free: Mutex::new(bytes), given_back: Condvar::new() }
    }
}

/// A connection that carries one request.
pub(super) struct Connection {
    stream: TcpStream,
    /// What has arrived and is not used yet.
    buffer: Vec<u8>,
    deadline: Instant,
    memory: Arc<Memory>,
    /// Bytes for its body, until the connection ends.
    reserved: usize,
}

impl Drop for Connection {
    fn drop(&mut self) {
        *self.memory.free.lock().unwrap_or_else(PoisonError::into_inner) += self.reserved;
        self.memory.given_back.notify_all();
    }
}

impl Connection {
    /// Takes a client's connection; the request has to arrive within 30 seconds.
    pub(super) fn new(stream: TcpStream, memory: Arc<Memory>) -> Self {
        let deadline = Instant::now() + READ_TIME;
        Self { stream, buffer: Vec::new(), deadline, memory, reserved: 0 }
    }

    /// Waits for the whole request.
    pub(super) fn read_request(&mut self) -> Result<Received, Refusal> {
        let too_long = Refusal::Answer(431, "the headers are too long");
        let mut request = self.parsed(too_long, parse_head)?;
        let length = body_length(&request)?;
        if let Some(length) = length.filter(|length| *length > SHORT_BODY) {
            self.reserve(length)?;
        }
        match request.header("expect") {
            None => {}
            Some(value) if value.eq_ignore_ascii_case("100-continue") => {
                let asked = self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
                asked.map_err(|_| Refusal::Gone)?;
            }
            Some(_) => return Err(Refusal::Answer(417, "this expectation is not known")),
        }
        match length {
            Some(length) => {
                request.body.reserve_exact(length);
                self.take_into(length, &mut request.body)?;
            }
            None => request.body = self.read_chunks()?,
        }
        request.time = Utc::now();
        // It is not read from any more.
        self.buffer = Vec::new();
        Ok(request)
    }

    /// Waits until there is memory for a long body.
    fn reserve(&mut self, bytes: usize) -> Result<(), Refusal> {
        let Memory { free, given_back } = &*self.memory;
        let free = free.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.deadline.saturating_duration_since(Instant::now());
        let (mut free, waited) = given_back
            .wait_timeout_while(free, left, |free| *free < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(Refusal::Answer(503, "too many long requests at once"));
        }
        *free -= bytes;
        self.reserved = bytes;
        Ok(())
    }

    /// What `parse` finds at the start of what arrives, with the bytes that it takes. `too_long`: it finds
    /// nothing in as much as a head may have.
    fn parsed<T>(
        &mut self,
        too_long: Refusal,
        parse: impl Fn(&[u8]) -> Result<Status<(usize, T)>, Refusal>,
    ) -> Result<T, Refusal> {
        loop {
            match parse(&self.buffer)? {
                Status::Complete((length, found)) => {
                    self.buffer.drain(..length);
                    return Ok(found);
                }
                Status::Partial if self.buffer.len() > MAX_HEAD => return Err(too_long),
                Status::Partial => self.fill()?,
            }
        }
    }

    fn read_chunks(&mut self) -> Result<Vec<u8>, Refusal> {
        let mut body = Vec::new();
        loop {
            let parse_size =
                |bytes: &[u8]| httparse::parse_chunk_size(bytes).map_err(|_| BAD_CHUNK);
            // What does not fit into the type is too long as well.
            let size = usize::try_from(self.parsed(BAD_CHUNK, parse_size)?).unwrap_or(usize::MAX);
            if size == 0 {
                self.parsed(BAD_CHUNK, parse_trailers)?;
                return Ok(body);
            }
            if size > MAX_BODY - body.len() {
                return Err(TOO_LONG);
            }
            if body.len() + size > SHORT_BODY && self.reserved == 0 {
                self.reserve(MAX_BODY)?;
                body.reserve_exact(MAX_BODY - body.len());
            }
            self.take_into(size, &mut body)?;
            let mut line_end = Vec::new();
            self.take_into(2, &mut line_end)?;
            if line_end != b"\r\n" {
                return Err(BAD_CHUNK);
            }
        }
    }

    /// Moves the next `length` bytes to the end of `body`.
    fn take_into(&mut self, length: usize, body: &mut Vec<u8>) -> Result<(), Refusal> {
        let mut missing = length;
        loop {
            let part = missing.min(self.buffer.len());
            body.extend_from_slice(&self.buffer[..part]);
            self.buffer.drain(..part);
            missing -= part;
            if missing == 0 {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Reads what there is, at least a byte, before the deadline.
    fn fill(&mut self) -> Result<(), Refusal> {
        const TOO_SLOW: Refusal = Refusal::Answer(408, "the request took too long to arrive");
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TOO_SLOW);
        }
        let mut bytes = [0; 16 * 1024];
        let limited = self.stream.set_read_timeout(Some(left));
        match limited.and_then(|()| self.stream.read(&mut bytes)) {
            Ok(0) => Err(Refusal::Gone),
            Ok(count) => {
                self.buffer.extend_from_slice(&bytes[..count]);
                Ok(())
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => Ok(()),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Err(TOO_SLOW),
                _ => Err(Refusal::Gone),
            },
        }
    }

    /// Sends the answer and says that there will be no other. A client that has gone misses it.
    pub(super) fn answer(&mut self, Reply { status, text }: &Reply) {
        let mut answer = format!("HTTP/1.1 {status} \r\nconnection: close\r\n");
        if *status == 405 {
            answer.push_str("allow: POST\r\n");
        }
        // A 204 or 304 has no body, which goes without saying (RFC 9110, 8.6).
        if matches!(status, 204 | 304) {
            answer.push_str("\r\n");
        } else {
            let about = "content-type: text/plain; charset=utf-8\r\ncontent-length";
            let _ = write!(answer, "{about}: {}\r\n\r\n{text}", text.len());
        }
        let _ = self
            .stream
            .set_write_timeout(Some(CLOSE_TIME))
            .and_then(|()| self.stream.write_all(answer.as_bytes()))
            .and_then(|()| self.stream.shutdown(Shutdown::Write));
    }

    /// Takes for a while what the client still sends: closing at once would reset the connection, and
    /// the client might lose the answer (RFC 9112, 9.6).
    pub(super) fn drain(&mut self) {
        self.deadline = Instant::now() + CLOSE_TIME;
        while self.fill().is_ok() {
            self.buffer.clear();
        }
    }
}

/// The request at the start of `bytes`, still without its body, and the bytes that it takes.
fn parse_head(bytes: &[u8]) -> Result<Status<(usize, Received)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Ok(Status::Partial),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::Answer(431, "there are too many headers"));
        }
        Err(_) => return Err(Refusal::Answer(400, "this is no HTTP/1.1 request")),
    };
    let header = |header: &httparse::Header| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_owned(), value)
    };
    let request = Received {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed.headers.iter().map(header).collect(),
        body: Vec::new(),
        time: Utc::now(),
    };
    Ok(Status::Complete((length, request)))
}

fn parse_trailers(bytes: &[u8]) -> Result<Status<(usize, ())>, Refusal> {
    let mut trailers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    match httparse::parse_headers(bytes, &mut trailers) {
        Ok(Status::Complete((length, _))) => Ok(Status::Complete((length, ()))),
        Ok(Status::Partial) => Ok(Status::Partial),
        Err(_) => Err(BAD_CHUNK),
    }
}

/// How long the body is (RFC 9112, 6.3); None: it comes in chunks.
fn body_length(request: &Received) -> Result<Option<usize>, Refusal> {
    let lengths =
        request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    match (request.header("transfer-encoding"), &*lengths.collect::<Vec<_>>()) {
        (None, []) => Ok(Some(0)),
        (None, [(_, length)]) => parse_length(length).map(Some),
        (Some(encoding), []) if encoding.eq_ignore_ascii_case("chunked") => Ok(None),
        (Some(_), []) => Err(Refusal::Answer(501, "this transfer-encoding is not known")),
        _ => Err(Refusal::Answer(400, "the length of the body is ambiguous")),
    }
}

fn parse_length(text: &str) -> Result<usize, Refusal> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Answer(400, "the content-length is no number"));
    }
    // All digits: what does not parse is too big for the type.
    text.parse().ok().filter(|length| *length <= MAX_BODY).ok_or(TOO_LONG)
}
