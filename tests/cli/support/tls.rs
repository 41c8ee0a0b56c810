//! Certificates made for a test, good and bad.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion};

/// A server's certificate with its key.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
    /// What a client has to trust, as PEM.
    pub(crate) ca_pem: String,
}

impl Identity {
    /// Signed by its own key and no authority, as `openssl req -x509` and many appliances make them.
    pub(crate) fn self_signed() -> Self {
        let key = key();
        let mut params = params("127.0.0.1", "self-signed");
        params.is_ca = IsCa::ExplicitNoCa;
        let certificate = params.self_signed(&key).expect("a certificate can sign itself");
        Self { chain: vec![certificate.der().clone()], ca_pem: certificate.pem(), key }
    }

    /// From a company's own authority, for 127.0.0.1.
    pub(crate) fn from_private_ca() -> Self {
        Self::issued(&params("127.0.0.1", "leaf"))
    }

    /// From the same kind of authority, but expired.
    pub(crate) fn expired() -> Self {
        let mut params = params("127.0.0.1", "expired leaf");
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        Self::issued(&params)
    }

    /// From the same kind of authority, but for another server's name.
    pub(crate) fn of_another_name() -> Self {
        Self::issued(&params("another.example", "another leaf"))
    }

    fn issued(leaf: &CertificateParams) -> Self {
        let ca_key = key();
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "Test Authority");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_pem = ca.self_signed(&ca_key).expect("an authority can sign itself").pem();
        let key = key();
        let issuer = Issuer::from_params(&ca, &ca_key);
        let certificate = leaf.signed_by(&key, &issuer).expect("an authority can sign a leaf");
        Self { chain: vec![certificate.der().clone()], ca_pem, key }
    }

    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        self.server_config_of(rustls::DEFAULT_VERSIONS)
    }

    /// A server's configuration with these versions of TLS alone.
    pub(crate) fn server_config_of(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(self.key.serialize_der())
            .expect("rcgen writes a key rustls reads");
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("ring serves these versions")
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .expect("the certificate fits its key");
        Arc::new(config)
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key can be generated")
}

fn params(name: &str, common_name: &str) -> CertificateParams {
    let mut params =
        CertificateParams::new(vec![name.to_owned()]).expect("the name is a valid one");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}
