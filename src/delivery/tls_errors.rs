//! What TLS has refused, why, and what to do, in our own words. None of it passes by itself.

use std::net::IpAddr;

use rustls::{AlertDescription, CertificateError, Error};

use super::attempt::Failed;
use crate::security::redact;

/// What an error of TLS with this host means. `was_asked`: it has asked for a certificate of ours.
pub(super) fn explain(error: &Error, host: &str, was_asked: bool) -> Failed {
    let host = &redact::host(host);
    match error {
        Error::InvalidCertificate(cause) => Failed::Permanent(certificate(cause, host)),
        Error::AlertReceived(AlertDescription::InternalError) => {
            Failed::transient("it broke off the TLS handshake with an internal error")
        }
        Error::AlertReceived(alert) => alerted(*alert, host, was_asked),
        Error::PeerIncompatible(_) => nothing_in_common(),
        Error::InvalidMessage(_) => {
            Failed::permanent("it does not speak TLS there (is it an http URL?)")
        }
        _ => Failed::permanent("the TLS handshake failed"),
    }
}

/// What a connection means that was closed in the middle of the handshake.
pub(super) fn closed(was_asked: bool) -> Failed {
    if was_asked {
        return wants_certificate();
    }
    Failed::transient("the connection was closed in the TLS handshake")
}

fn alerted(alert: AlertDescription, host: &str, was_asked: bool) -> Failed {
    match alert {
        AlertDescription::CertificateRequired => wants_certificate(),
        _ if was_asked => wants_certificate(),
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            nothing_in_common()
        }
        AlertDescription::ProtocolVersion => {
            Failed::permanent("it speaks no TLS version that is safe (1.2 or 1.3)")
        }
        AlertDescription::UnrecognisedName => {
            Failed::permanent(format!("it has no certificate for the name {host}"))
        }
        _ => {
            Failed::permanent(format!("it broke off the TLS handshake (alert {})", u8::from(alert)))
        }
    }
}

fn wants_certificate() -> Failed {
    Failed::permanent("it wants a client certificate, which hooks cannot give")
}

fn nothing_in_common() -> Failed {
    Failed::permanent(
        "no TLS in common: it must offer TLS 1.3, or 1.2 with ECDHE and AES-GCM or ChaCha20, and a \
         key of RSA, P-256, P-384 or Ed25519",
    )
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
    if cause.contains("CaUsedAsEndEntity") {
        return remade("certificate is marked as a CA, not as a server's own", host);
    }
    if cause.contains("UnsupportedCertVersion") {
        return remade("certificate has X.509 version 1, which names no host", host);
    }
    if cause.contains("EndEntityUsedAsCa") {
        return "certificate's issuer is not marked as a CA".to_owned();
    }
    if cause.contains("NameConstraintViolation") {
        return "certificate's issuer may not vouch for this name".to_owned();
    }
    "certificate not valid".to_owned()
}

/// What is wrong with the certificate, and the command that makes a better one.
fn remade(wrong: &str, host: &str) -> String {
    let kind = if host.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
    format!(
        "{wrong}; make it with: openssl req -x509 -addext subjectAltName={kind}:{host} -addext \
         basicConstraints=critical,CA:FALSE …"
    )
}
