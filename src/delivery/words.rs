//! What went wrong, in our own words: the HTTP library's quote URLs with their secrets.

use std::io;
use std::time::Duration;

use rustls::CertificateError;
use url::Url;

use super::attempt::Attempt;

/// The attempt that this error of the HTTP library comes to.
///
/// With a proxy, it is the proxy that is looked up and connected to.
pub(super) fn unanswered(
    error: &ureq::Error,
    url: &Url,
    timeout: Duration,
    proxied: bool,
) -> Attempt {
    use ureq::Error;
    match error {
        Error::Timeout(_) => timed_out(timeout),
        Error::HostNotFound => Attempt::failed(not_found(url, proxied)),
        Error::Io(error) => io_error(error, url, timeout, proxied),
        Error::Rustls(error) => tls_error(error, url),
        Error::Tls(_) => Attempt::failed("TLS failed".to_owned()),
        Error::Protocol(_) => Attempt::failed("the answer is not HTTP".to_owned()),
        Error::LargeResponseHeader(..) => {
            Attempt::refused("the headers of the answer are too large".to_owned())
        }
        Error::ConnectProxyFailed(_) => {
            Attempt::failed("the proxy did not make the connection".to_owned())
        }
        Error::InvalidProxyUrl => Attempt::refused("the proxy's URL is not usable".to_owned()),
        Error::BadUri(_) | Error::Http(_) => {
            Attempt::refused("the request could not be made from its URL and headers".to_owned())
        }
        Error::ConnectionFailed => Attempt::failed("no connection".to_owned()),
        _ => Attempt::failed("it could not be sent".to_owned()),
    }
}

fn timed_out(timeout: Duration) -> Attempt {
    Attempt::failed(format!(
        "timed out after {}",
        humantime::format_duration(timeout)
    ))
}

fn not_found(url: &Url, proxied: bool) -> String {
    if proxied {
        return "the proxy's name was not found".to_owned();
    }
    format!(
        "the name {} was not found",
        url.host_str().unwrap_or_default()
    )
}

fn io_error(error: &io::Error, url: &Url, timeout: Duration, proxied: bool) -> Attempt {
    if let Some(tls) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        return tls_error(tls, url);
    }
    // The standard library has no kind for a failed name look-up.
    if error.to_string().contains("failed to lookup address") {
        return Attempt::failed(not_found(url, proxied));
    }
    let words = match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => return timed_out(timeout),
        io::ErrorKind::ConnectionRefused if proxied => "the proxy refused the connection",
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
                return Attempt::failed(io::Error::from_raw_os_error(number).to_string());
            }
            None => "the connection failed",
        },
    };
    Attempt::failed(words.to_owned())
}

/// A certificate that is refused now is refused at the next attempt, too.
fn tls_error(error: &rustls::Error, url: &Url) -> Attempt {
    let host = url.host_str().unwrap_or_default();
    match error {
        rustls::Error::InvalidCertificate(cause) => Attempt::refused(certificate(cause, host)),
        rustls::Error::InvalidMessage(_) => {
            Attempt::failed("it does not speak TLS there (is it an http URL?)".to_owned())
        }
        rustls::Error::AlertReceived(alert) => {
            Attempt::failed(format!("it broke off the TLS handshake ({alert:?})"))
        }
        rustls::Error::PeerIncompatible(_) => {
            Attempt::failed("it speaks no TLS version that is safe (1.2 or 1.3)".to_owned())
        }
        _ => Attempt::failed("the TLS handshake failed".to_owned()),
    }
}

fn certificate(cause: &CertificateError, host: &str) -> String {
    match cause {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "certificate expired (the receiver must renew it)".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate not valid yet (is this machine's clock right?)".to_owned()
        }
        // One that is trusted has the issuer's name, but another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "certificate not trusted: unknown issuer (for a private \
             one: hooks edit ID --ca-file PEM)"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("certificate is for another name than {host}")
        }
        CertificateError::Revoked => "certificate revoked".to_owned(),
        // rustls has no variant for it; `openssl req -x509` makes such certificates by default.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "certificate is marked as a CA and cannot be a server's own (make it with: openssl req \
             -x509 -addext basicConstraints=critical,CA:FALSE …)"
                .to_owned()
        }
        _ => "certificate not valid".to_owned(),
    }
}
