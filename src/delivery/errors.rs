//! What went wrong with an attempt, and what to do, in our own words: the HTTP library's quote URLs with their
//! secrets.

use std::io;
use std::net::IpAddr;

use rustls::{AlertDescription as Alert, CertificateError, Error as TlsError};

use crate::security::redact;

const WANTS_CERTIFICATE: &str = "it wants a client certificate, which hooks cannot give";

const NOTHING_IN_COMMON: &str = "no TLS in common: it must offer TLS 1.3, or 1.2 with ECDHE and AES-GCM or \
                                 ChaCha20, and a key of RSA, P-256, P-384 or Ed25519";

/// No status has arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub(super) struct Failed {
    /// Why.
    pub(super) words: String,
    /// Whether another attempt may go better.
    pub(super) may_pass: bool,
}

impl Failed {
    /// A failure that may pass, in these words.
    pub(super) fn transient(words: impl Into<String>) -> Self {
        Self { words: words.into(), may_pass: true }
    }

    /// A failure that will not pass, in these words.
    pub(super) fn permanent(words: impl Into<String>) -> Self {
        Self { words: words.into(), may_pass: false }
    }
}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        Self::other(failed)
    }
}

/// What an error of the HTTP library means.
pub(super) fn explain(error: &ureq::Error) -> Failed {
    use ureq::Error;
    match error {
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

/// What an error of a connection means: a [`Failed`] that was wrapped, or the system's.
pub(super) fn io(error: &io::Error) -> Failed {
    if let Some(failed) = error.get_ref().and_then(|inner| inner.downcast_ref::<Failed>()) {
        return failed.clone();
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

/// What a connection means that was closed in the TLS handshake. `was_asked`: for a certificate of ours.
pub(super) fn closed(was_asked: bool) -> Failed {
    if was_asked {
        return Failed::permanent(WANTS_CERTIFICATE);
    }
    Failed::transient("the connection was closed in the TLS handshake")
}

/// What an error of TLS with this host means.
pub(super) fn tls(error: &TlsError, host: &str, was_asked: bool) -> Failed {
    let host = &redact::host(host);
    Failed::permanent(match error {
        TlsError::InvalidCertificate(cause) => return Failed::permanent(certificate(cause, host)),
        TlsError::AlertReceived(Alert::InternalError) => {
            return Failed::transient("it broke off the TLS handshake with an internal error");
        }
        TlsError::AlertReceived(Alert::CertificateRequired) => WANTS_CERTIFICATE,
        TlsError::AlertReceived(_) if was_asked => WANTS_CERTIFICATE,
        TlsError::AlertReceived(Alert::HandshakeFailure | Alert::InsufficientSecurity)
        | TlsError::PeerIncompatible(_) => NOTHING_IN_COMMON,
        TlsError::AlertReceived(Alert::ProtocolVersion) => {
            "it speaks no TLS version that is safe (1.2 or 1.3)"
        }
        TlsError::AlertReceived(Alert::UnrecognisedName) => {
            return Failed::permanent(format!("it has no certificate for the name {host}"));
        }
        TlsError::AlertReceived(alert) => {
            let code = u8::from(*alert);
            return Failed::permanent(format!("it broke off the TLS handshake (alert {code})"));
        }
        TlsError::InvalidMessage(_) => "it does not speak TLS there (is it an http URL?)",
        _ => "the TLS handshake failed",
    })
}

fn certificate(cause: &CertificateError, host: &str) -> String {
    use CertificateError as Cause;
    let words = match cause {
        Cause::Expired | Cause::ExpiredContext { .. } => {
            "certificate expired (the receiver must renew it)"
        }
        Cause::NotValidYet | Cause::NotValidYetContext { .. } => {
            "certificate not valid yet (is this machine's clock right?)"
        }
        Cause::UnknownIssuer => {
            "certificate not trusted: unknown issuer (for a private one: hooks edit ID --ca-file PEM)"
        }
        // One that is trusted has the issuer's name.
        Cause::BadSignature => {
            "certificate not trusted: its issuer has another key, or one of RSA below 2048 bits (for a \
             private one: hooks edit ID --ca-file PEM)"
        }
        Cause::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            return remade("certificate names no host (it has no subjectAltName)", host);
        }
        Cause::NotValidForName | Cause::NotValidForNameContext { .. } => {
            return format!("certificate is for another name than {host}");
        }
        Cause::Revoked => "certificate revoked",
        Cause::UnsupportedSignatureAlgorithmContext { .. }
        | Cause::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "certificate is signed in a way that is not supported (RSA, P-256, P-384 and Ed25519 \
             with SHA-256 or longer are; P-521 and SHA-1 are not)"
        }
        Cause::InvalidPurpose | Cause::InvalidPurposeContext { .. } => {
            "certificate is not for servers (its extendedKeyUsage lacks serverAuth)"
        }
        Cause::BadEncoding => "certificate is damaged",
        Cause::Other(other) => return other_certificate(&format!("{other:?}"), host),
        _ => "certificate not valid",
    };
    words.to_owned()
}

/// By the name of the cause: rustls has no variants for these.
fn other_certificate(cause: &str, host: &str) -> String {
    let is = |name| cause.contains(name);
    if is("CaUsedAsEndEntity") {
        remade("certificate is marked as a CA, not as a server's own", host)
    } else if is("UnsupportedCertVersion") {
        remade("certificate has X.509 version 1, which names no host", host)
    } else if is("EndEntityUsedAsCa") {
        "certificate's issuer is not marked as a CA".to_owned()
    } else if is("NameConstraintViolation") {
        "certificate's issuer may not vouch for this name".to_owned()
    } else {
        "certificate not valid".to_owned()
    }
}

/// What is wrong with the certificate, and the command that makes a better one.
fn remade(wrong: &str, host: &str) -> String {
    let kind = if host.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
    format!(
        "{wrong}; make it with: openssl req -x509 -addext subjectAltName={kind}:{host} -addext \
         basicConstraints=critical,CA:FALSE …"
    )
}
