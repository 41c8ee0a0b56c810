//! What went wrong with an attempt, in our own words: the HTTP library's quote URLs with their secrets.

use std::io;

use super::attempt::Failed;

/// What an error of the HTTP library means, and whether it may pass.
pub(super) fn explain(error: &ureq::Error) -> Failed {
    use ureq::Error;
    match error {
        Error::Other(cause) => match cause.downcast_ref::<Failed>() {
            Some(failed) => failed.clone(),
            None => Failed::transient("it could not be sent"),
        },
        Error::Io(error) => io(error),
        Error::Protocol(cause) if cause.to_string().contains("too many headers") => {
            Failed::permanent("the answer has too many headers")
        }
        Error::Protocol(_) => Failed::transient("the answer is not HTTP"),
        Error::LargeResponseHeader(..) => {
            Failed::permanent("the headers of the answer are too large")
        }
        Error::BadUri(_) | Error::Http(_) => {
            Failed::permanent("the request could not be made from its URL and headers")
        }
        _ => Failed::transient("it could not be sent"),
    }
}

/// What an error of a connection means: one of ours that was wrapped, or the system's.
pub(super) fn io(error: &io::Error) -> Failed {
    let own = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(failed) = own {
        return Failed::clone(failed);
    }
    Failed::transient(match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => "connection reset",
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof | io::ErrorKind::WriteZero => {
            "the connection was closed without an answer"
        }
        io::ErrorKind::HostUnreachable => "no route to the host",
        io::ErrorKind::NetworkUnreachable => "the network is unreachable",
        io::ErrorKind::AddrNotAvailable => "no local address is free",
        _ => match error.raw_os_error() {
            // The system's own words quote nothing.
            Some(number) => {
                return Failed::transient(io::Error::from_raw_os_error(number).to_string());
            }
            None => "the connection failed",
        },
    })
}
