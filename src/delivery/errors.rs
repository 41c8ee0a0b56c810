//! What went wrong, in our own words: the HTTP library's quote URLs with their secrets.

use std::io;
use std::time::Duration;

use rustls::CertificateError;
use url::Url;

use super::attempt::Attempt;

/// What the library's error does not know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances<'a> {
    /// Where the request went.
    pub(super) url: &'a Url,
    /// The longest that the attempt was allowed to take.
    pub(super) timeout: Duration,
    /// It went by a proxy, which is what is looked up and connected to then.
    pub(super) proxied: bool,
    /// This machine has no certificates to check by.
    pub(super) empty_store: bool,
}

impl Circumstances<'_> {
    /// The attempt that this error of the HTTP library comes to.
    pub(super) fn attempt(self, error: &ureq::Error) -> Attempt {
        use ureq::Error;
        let failed = |words: &str| Attempt::failed(words.to_owned());
        let refused = |words: &str| Attempt::refused(words.to_owned());
        match error {
            Error::Timeout(_) => self.timed_out(),
            Error::HostNotFound => self.not_found(),
            Error::Io(error) => self.io(error),
            Error::Rustls(error) => self.tls(error),
            Error::Tls(_) => failed("TLS failed"),
            Error::Protocol(cause) if cause.to_string().contains("too many headers") => {
                refused("the answer has too many headers")
            }
            Error::Protocol(_) => failed("the answer is not HTTP"),
            Error::LargeResponseHeader(..) => refused("the headers of the answer are too large"),
            Error::ConnectProxyFailed(_) => failed("the proxy did not make the connection"),
            Error::InvalidProxyUrl => refused(super::proxy::UNUSABLE),
            Error::BadUri(_) | Error::Http(_) => {
                refused("the request could not be made from its URL and headers")
            }
            Error::ConnectionFailed => failed("no connection"),
            _ => failed("it could not be sent"),
        }
    }

    fn timed_out(self) -> Attempt {
        Attempt::failed(format!(
            "timed out after {}",
            humantime::format_duration(self.timeout)
        ))
    }

    fn not_found(self) -> Attempt {
        Attempt::failed(if self.proxied {
            "the proxy's name was not found".to_owned()
        } else {
            format!("the name {} was not found", self.host())
        })
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn io(self, error: &io::Error) -> Attempt {
        if let Some(tls) = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            return self.tls(tls);
        }
        // The standard library has no kind for a failed name look-up.
        if error.to_string().contains("failed to lookup address") {
            return self.not_found();
        }
        let words = match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => return self.timed_out(),
            io::ErrorKind::ConnectionRefused if self.proxied => "the proxy refused the connection",
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
    fn tls(self, error: &rustls::Error) -> Attempt {
        match error {
            rustls::Error::InvalidCertificate(_) if self.empty_store => Attempt::refused(
                "certificate not trusted: this machine has no certificates to check by (install \
                 ca-certificates, or look at SSL_CERT_FILE)"
                    .to_owned(),
            ),
            rustls::Error::InvalidCertificate(cause) => {
                Attempt::refused(certificate(cause, self.host()))
            }
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
