//! TLS configurations: which certificates are trusted.
//!
//! There is one for each way to trust, made when the first hook needs it: the system's certificates are
//! not read for an http hook.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, crypto::ring,
};

use super::connection::NoCertificate;
use crate::domain::hook::Hook;

const NO_CERTIFICATES: &str = "certificate not trusted: this machine has no certificates to check by \
                               (install ca-certificates, or look at SSL_CERT_FILE)";

/// The TLS configurations of a fan-out.
#[derive(Debug, Default)]
pub(super) struct TlsConfigs {
    /// By whether any certificate will do, and the PEM text of those to trust beside the system's.
    made: Mutex<HashMap<(bool, Option<String>), Arc<ClientConfig>>>,
    system: OnceLock<Vec<CertificateDer<'static>>>,
}

impl TlsConfigs {
    /// The configuration for this hook; the error says what in the hook is wrong.
    pub(super) fn of(&self, hook: &Hook) -> Result<Arc<ClientConfig>, String> {
        let trusted = (hook.insecure_ssl, hook.ca_file.clone());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = made.get(&trusted) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.make(hook)?);
        made.insert(trusted, Arc::clone(&config));
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

    /// Those too that could not be checked.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as Scheme;
        let mut schemes =
            ring::default_provider().signature_verification_algorithms.supported_schemes();
        schemes.extend([Scheme::ECDSA_NISTP521_SHA512, Scheme::ED448, Scheme::RSA_PKCS1_SHA1]);
        schemes
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
