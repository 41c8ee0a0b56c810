//! The replies of a scripted receiver, right and wrong.

use std::fmt::Write as _;
use std::time::Duration;

/// One thing that a receiver does after a request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// Sends these bytes again and again, with a pause between, until the other side closes the connection.
    Repeat(Vec<u8>, Duration),
    /// Waits for `Receiver::release`.
    UntilReleased,
    /// Keeps the connection open and sends nothing more.
    Hold,
}

/// An answer, or what there is in place of one.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// Whether the request is read at all.
    pub(crate) reads: bool,
    /// Whether the connection ends after the steps.
    pub(crate) closes: bool,
    before: Vec<Step>,
    answer: Answer,
}

#[derive(Clone, Debug)]
enum Answer {
    Response { status: u16, reason: String, headers: Vec<(String, String)>, body: Vec<u8> },
    Steps(Vec<Step>),
}

impl Reply {
    /// A response without a body.
    pub(crate) fn status(status: u16) -> Self {
        let reason = match status {
            200 => "OK",
            410 => "Gone",
            503 => "Service Unavailable",
            // The reason phrase is free; only the number counts.
            _ => "Whatever",
        };
        let answer = Answer::Response {
            status,
            reason: reason.into(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        Self { reads: true, closes: false, before: Vec::new(), answer }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let Answer::Response { headers, .. } = &mut self.answer else {
            panic!("only a response has headers")
        };
        headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        let Answer::Response { body, .. } = &mut self.answer else {
            panic!("only a response has a body")
        };
        *body = bytes.into();
        self
    }

    /// Answers this much later.
    pub(crate) fn delay(mut self, delay: Duration) -> Self {
        self.before.push(Step::Pause(delay));
        self
    }

    /// Answers once the test calls `Receiver::release`.
    pub(crate) fn held(mut self) -> Self {
        self.before.push(Step::UntilReleased);
        self
    }

    /// These bytes and the end of the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::steps(vec![Step::Send(bytes.into())])
    }

    /// Reads the request and closes the connection.
    pub(crate) fn hang_up() -> Self {
        Self::steps(Vec::new())
    }

    /// Reads the request and sends nothing.
    pub(crate) fn silent() -> Self {
        Self::steps(vec![Step::Hold])
    }

    /// Accepts the connection and never reads from it.
    pub(crate) fn never_read() -> Self {
        Self { reads: false, ..Self::silent() }
    }

    /// Sends this without reading, as a server of another protocol does, and nothing more.
    pub(crate) fn greeting(bytes: impl Into<Vec<u8>>) -> Self {
        Self { reads: false, ..Self::steps(vec![Step::Send(bytes.into()), Step::Hold]) }
    }

    /// A response whose header never ends, a byte at a time.
    pub(crate) fn drip_header() -> Self {
        Self::steps(vec![
            Step::Send(b"HTTP/1.1 200 OK\r\nx-drip: ".to_vec()),
            Step::Repeat(b"a".to_vec(), Duration::from_millis(100)),
        ])
    }

    /// A status and a body that never ends, a byte at a time.
    pub(crate) fn drip_body(status: u16) -> Self {
        Self::steps(vec![
            Step::Send(
                format!("HTTP/1.1 {status} Dripping\r\ncontent-length: 1000000\r\n\r\n").into(),
            ),
            Step::Repeat(b"a".to_vec(), Duration::from_millis(100)),
        ])
    }

    /// A body without a length and without an end, as fast as it is read.
    pub(crate) fn endless_body(status: u16) -> Self {
        Self::steps(vec![
            Step::Send(format!("HTTP/1.1 {status} Endless\r\n\r\n").into()),
            Step::Repeat(vec![b'x'; 64 * 1024], Duration::ZERO),
        ])
    }

    /// Interim responses without an end, as fast as they are read.
    pub(crate) fn interim_flood() -> Self {
        let flood = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(20);
        Self::steps(vec![Step::Repeat(flood, Duration::from_millis(1))])
    }

    fn steps(steps: Vec<Step>) -> Self {
        Self { reads: true, closes: true, before: Vec::new(), answer: Answer::Steps(steps) }
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        let mut steps = self.before;
        match self.answer {
            Answer::Steps(more) => steps.extend(more),
            Answer::Response { status, reason, headers, body } => {
                let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
                for (name, value) in headers {
                    let _ = write!(head, "{name}: {value}\r\n");
                }
                let _ = write!(head, "content-length: {}\r\n\r\n", body.len());
                steps.push(Step::Send([head.into_bytes(), body].concat()));
            }
        }
        steps
    }
}
