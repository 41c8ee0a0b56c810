//! TLS: which certificates are trusted, and a connection over a stream.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::Stream;
use crate::delivery::errors::{self, Failed};
use crate::domain::hook::Hook;

const NO_CERTIFICATES: &str = "certificate not trusted: this machine has no certificates to check by \
                               (install ca-certificates, or look at SSL_CERT_FILE)";

/// Whether any certificate will do, and the PEM text of those to trust beside the system's.
type Trust = (bool, Option<String>);

/// The TLS configurations of a fan-out. Each is made when the first hook needs it: the system's certificates are
/// not read for an http hook.
#[derive(Debug, Default)]
pub(super) struct TlsConfigs {
    made: Mutex<HashMap<Trust, Arc<ClientConfig>>>,
    system: OnceLock<Vec<CertificateDer<'static>>>,
}

impl TlsConfigs {
    /// The configuration for this hook; the error says what in the hook is wrong.
    pub(super) fn of(&self, hook: &Hook) -> Result<Arc<ClientConfig>, String> {
        let trust: Trust = (hook.insecure_ssl, hook.ca_file.clone());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = made.get(&trust) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.make(hook)?);
        made.insert(trust, Arc::clone(&config));
        Ok(config)
    }

    fn make(&self, hook: &Hook) -> Result<ClientConfig, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| "TLS cannot be set up".to_owned())?;
        let builder = if hook.insecure_ssl {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate))
        } else {
            let own = hook.ca_file.as_deref().map(certificates).transpose()?;
            builder.with_root_certificates(self.roots(own.unwrap_or_default())?)
        };
        Ok(builder.with_client_cert_resolver(Arc::new(NoCertificate)))
    }

    /// The system's certificates, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, and these.
    fn roots(&self, more: Vec<CertificateDer<'static>>) -> Result<RootCertStore, String> {
        let system = self.system.get_or_init(|| rustls_native_certs::load_native_certs().certs);
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(system.iter().cloned().chain(more));
        if roots.is_empty() {
            return Err(NO_CERTIFICATES.to_owned());
        }
        Ok(roots)
    }
}

/// Checks the PEM text of a `--ca-file`: it holds at least one certificate.
pub(crate) fn check_ca(pem: &str) -> Result<(), String> {
    certificates(pem).map(drop)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    // Some editors begin a text with a byte order mark.
    let pem = pem.trim_start_matches('\u{feff}');
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|_| "the CA file is not valid PEM")?;
    if found.is_empty() {
        return Err("the CA file has no certificate (PEM text is wanted)".to_owned());
    }
    for certificate in &found {
        RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|_| "the CA file holds something that is no X.509 certificate")?;
    }
    Ok(found)
}

/// Takes any certificate, for `insecure_ssl`.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    /// All that there are, in ring's order, and those too that could not be checked.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as Scheme;
        let mut schemes =
            ring::default_provider().signature_verification_algorithms.supported_schemes();
        schemes.extend([Scheme::ECDSA_NISTP521_SHA512, Scheme::ED448, Scheme::RSA_PKCS1_SHA1]);
        schemes
    }
}

thread_local! {
    /// Whether the server of this thread's last handshake has asked for a certificate of ours. A
    /// [`NoCertificate`] belongs to all connections of a configuration, but is called by the thread that
    /// makes one.
    static WAS_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Answers a server that asks for a client's certificate that there is none, and remembers it.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        WAS_ASKED.set(true);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// A TLS connection after its handshake.
///
/// While it writes it takes in what comes, so that a receiver that has answered already is heard.
#[derive(Debug)]
pub(super) struct Tls {
    connection: ClientConnection,
    stream: Box<dyn Stream>,
    host: String,
    /// There is something to read, be it the end.
    has_input: bool,
}

/// Makes the handshake with the server of this name or address.
pub(super) fn handshake(
    stream: Box<dyn Stream>,
    config: &Arc<ClientConfig>,
    host: &str,
) -> io::Result<Tls> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Failed::permanent("no certificate can have the name of its host"))?;
    let mut connection = ClientConnection::new(Arc::clone(config), name)
        .map_err(|error| errors::tls(&error, host, false))?;
    connection.set_buffer_limit(None);
    let mut tls = Tls { connection, stream, host: host.to_owned(), has_input: false };
    WAS_ASKED.set(false);
    while tls.connection.is_handshaking() {
        let ended = match tls.send().and_then(|sent| Ok(!sent || tls.receive()?)) {
            // The system's errors: a connection that is closed, in one way or another.
            Err(error) if error.get_ref().is_none() => true,
            ended => ended?,
        };
        if ended && tls.connection.is_handshaking() {
            return Err(errors::closed(WAS_ASKED.get()).into());
        }
    }
    // What ends the handshake leaves with the request.
    Ok(tls)
}

impl Tls {
    /// Sends what is waiting. False if the other side takes no more and there is something to read.
    fn send(&mut self) -> io::Result<bool> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.has_input = self.receive()?;
                    if self.has_input {
                        return Ok(false);
                    }
                }
                sent => drop(sent?),
            }
        }
        Ok(true)
    }

    /// Takes in what comes. Whether there is something to read then, be it the end.
    fn receive(&mut self) -> io::Result<bool> {
        let read = self.connection.read_tls(&mut self.stream)?;
        match self.connection.process_new_packets() {
            Ok(state) => {
                Ok(read == 0 || state.plaintext_bytes_to_read() > 0 || state.peer_has_closed())
            }
            Err(error) => {
                // The other side is told why, if it listens.
                let _ = self.connection.write_tls(&mut self.stream);
                Err(errors::tls(&error, &self.host, WAS_ASKED.get()).into())
            }
        }
    }
}

impl Stream for Tls {}

impl Read for Tls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    self.has_input = false;
                    return read;
                }
            }
            if self.send()? {
                self.receive()?;
            }
        }
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.has_input {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = self.connection.writer().write(bytes)?;
        self.send()?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_without_a_certificate_is_refused() {
        assert!(check_ca("").is_err());
        assert!(check_ca("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----").is_err());
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pem = certified.cert.pem();
        assert_eq!(check_ca(&pem), Ok(()));
        assert_eq!(check_ca(&format!("\u{feff}{pem}")), Ok(()));
        assert!(check_ca(&certified.signing_key.serialize_pem()).is_err());
    }
}
