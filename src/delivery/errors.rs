//! What went wrong with an attempt, in our own words: the HTTP library's quote URLs with their secrets.

use std::io;
use std::time::Duration;

use rustls::CertificateError;
use url::Url;

use super::attempt::Failed;
use crate::security::redact;

/// What the library's error does not know.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorContext<'a> {
    /// Where the request went.
    pub(super) url: &'a Url,
    /// The longest that the attempt was allowed to take.
    pub(super) timeout: Duration,
    /// It went by a proxy, which is what is looked up and connected to then.
    pub(super) proxied: bool,
    /// This machine has no certificates to check by.
    pub(super) empty_store: bool,
}

impl ErrorContext<'_> {
    /// What this error of the HTTP library means, and whether it may pass.
    pub(super) fn explain(self, error: &ureq::Error) -> Failed {
        use ureq::Error;
        match error {
            Error::Timeout(_) => self.timed_out(),
            Error::HostNotFound => self.not_found(),
            Error::Io(error) => self.io(error),
            Error::Rustls(error) => self.tls(error),
            Error::Tls(_) => Failed::transient("TLS failed"),
            Error::Protocol(cause) if cause.to_string().contains("too many headers") => {
                Failed::permanent("the answer has too many headers")
            }
            Error::Protocol(_) => Failed::transient("the answer is not HTTP"),
            Error::LargeResponseHeader(..) => {
                Failed::permanent("the headers of the answer are too large")
            }
            Error::ConnectProxyFailed(_) => {
                Failed::transient("the proxy did not make the connection")
            }
            Error::InvalidProxyUrl => Failed::permanent(super::proxy::UNUSABLE),
            Error::BadUri(_) | Error::Http(_) => {
                Failed::permanent("the request could not be made from its URL and headers")
            }
            Error::ConnectionFailed => Failed::transient("no connection"),
            _ => Failed::transient("it could not be sent"),
        }
    }

    fn timed_out(self) -> Failed {
        Failed::transient(format!(
            "timed out after {}",
            humantime::format_duration(self.timeout)
        ))
    }

    fn not_found(self) -> Failed {
        Failed::transient(if self.proxied {
            "the proxy's name was not found".to_owned()
        } else {
            format!("the name {} was not found", self.host())
        })
    }

    fn host(&self) -> String {
        redact::host(self.url.host_str().unwrap_or_default())
    }

    fn io(self, error: &io::Error) -> Failed {
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
                    return Failed::transient(io::Error::from_raw_os_error(number).to_string());
                }
                None => "the connection failed",
            },
        };
        Failed::transient(words.to_owned())
    }

    /// A certificate that is refused now is refused at the next attempt, too.
    fn tls(self, error: &rustls::Error) -> Failed {
        match error {
            rustls::Error::InvalidCertificate(_) if self.empty_store => Failed::permanent(
                "certificate not trusted: this machine has no certificates to check by (install \
                 ca-certificates, or look at SSL_CERT_FILE)"
                    .to_owned(),
            ),
            rustls::Error::InvalidCertificate(cause) => {
                Failed::permanent(certificate(cause, &self.host()))
            }
            rustls::Error::InvalidMessage(_) => {
                Failed::transient("it does not speak TLS there (is it an http URL?)".to_owned())
            }
            rustls::Error::AlertReceived(alert) => {
                Failed::transient(format!("it broke off the TLS handshake ({alert:?})"))
            }
            rustls::Error::PeerIncompatible(_) => {
                Failed::transient("it speaks no TLS version that is safe (1.2 or 1.3)".to_owned())
            }
            _ => Failed::transient("the TLS handshake failed".to_owned()),
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
