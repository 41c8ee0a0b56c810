//! A tunnel by an HTTP proxy's CONNECT (RFC 9110, section 9.3.6).

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::StatusCode;

use super::{Endpoint, Stream};
use crate::delivery::errors::Failed;
use crate::delivery::proxy::{Credentials, Proxy};
use crate::delivery::request::USER_AGENT;
use crate::domain::retry;

/// The most that the proxy's answer may take, in bytes.
const MOST_READ: usize = 16 * 1024;

/// Has the proxy connect to the receiver.
pub(super) fn tunnel(mut stream: &mut dyn Stream, to: &Endpoint, proxy: &Proxy) -> io::Result<()> {
    let mut request =
        format!("CONNECT {to} HTTP/1.1\r\nhost: {to}\r\nuser-agent: {USER_AGENT}\r\n").into_bytes();
    if let Some(Credentials { user, password }) = &proxy.credentials {
        let basic = STANDARD.encode([user, &b":"[..], password].concat());
        request.extend(format!("proxy-authorization: Basic {basic}\r\n").bytes());
    }
    request.extend(b"\r\n");
    stream.write_all(&request)?;
    let status = read_status(&mut stream)?;
    if status.is_success() {
        return Ok(());
    }
    Err(refused(status, to, proxy.credentials.is_some()).into())
}

/// Reads the head of the answer and nothing behind it, which is the receiver's: hence byte by byte.
fn read_status(stream: &mut impl Read) -> io::Result<StatusCode> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
        if head.len() > MOST_READ {
            return Err(Failed::permanent("the headers of its answer are too large").into());
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(&head).ok().and(response.code);
    parsed
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| Failed::transient("its answer is not HTTP").into())
}

fn refused(status: StatusCode, to: &Endpoint, had_credentials: bool) -> Failed {
    let code = status.as_u16();
    let words = match code {
        // tinyproxy says 401.
        401 | 407 if had_credentials => {
            format!("it does not take this user and password ({code})")
        }
        407 => "it wants a user and a password (407); write them into its URL: \
                http://USER:PASSWORD@HOST:PORT"
            .to_owned(),
        403 | 405 => format!("it does not allow CONNECT to {to} ({code})"),
        _ => format!("it could not connect to {to} ({status})"),
    };
    Failed { words, may_pass: retry::may_pass(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(mut answer: &[u8]) -> io::Result<u16> {
        read_status(&mut answer).map(|status| status.as_u16())
    }

    #[test]
    fn an_answer_is_its_status_and_what_follows_is_left_alone() {
        let mut answer = &b"HTTP/1.0 200 Connection established\r\nvia: x\r\n\r\nrest"[..];
        assert_eq!(read_status(&mut answer).unwrap(), 200);
        assert_eq!(answer, b"rest");
        assert_eq!(status(b"HTTP/1.1 407\r\n\r\n").unwrap(), 407);
        for bad in ["", "HTTP/1.1 200 OK\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n"] {
            assert!(status(bad.as_bytes()).is_err(), "{bad}");
        }
        let endless = "HTTP/1.1 200 OK\r\nx: y\r\n".repeat(1000);
        assert!(status(endless.as_bytes()).is_err());
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let to = Endpoint { host: "h".to_owned(), port: 80 };
        for (code, passes) in [
            (400, false),
            (403, false),
            (404, false),
            (405, false),
            (407, false),
            (302, false),
            (408, true),
            (429, true),
            (500, true),
            (502, true),
            (503, true),
            (504, true),
        ] {
            let failed = refused(StatusCode::from_u16(code).unwrap(), &to, false);
            assert_eq!(failed.may_pass, passes, "{code}");
            assert!(failed.to_string().contains(&code.to_string()), "{failed}");
        }
    }
}
