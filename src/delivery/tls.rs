//! The HTTP agents: which certificates are trusted, which proxy is used.
//!
//! The HTTP library caches its TLS set-up for each agent, so there is one agent for each combination of
//! trust and proxy. It is made when the first hook needs it: the system's certificates are not read
//! for an http hook.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};
use url::Url;

use super::proxy;
use crate::domain::hook::Hook;

/// The most that the headers of an answer may take, in bytes; …
const MOST_HEADERS: usize = 48 * 1024;
/// … below the buffer, as a buffer that is full looks to the library like a connection that was closed.
const INPUT_BUFFER: usize = 64 * 1024;
const OUTPUT_BUFFER: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Agents {
    timeout: Duration,
    made: Mutex<HashMap<Kind, Agent>>,
    system: OnceLock<Vec<Certificate<'static>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    trust: Trust,
    proxy: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Trust {
    /// Plain http: no certificates come up.
    Plain,
    /// `insecure_ssl`: any certificate will do.
    Anyone,
    /// The system's certificates.
    System,
    /// The system's certificates, and those of this PEM text.
    SystemAnd(String),
}

impl Agents {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            made: Mutex::default(),
            system: OnceLock::new(),
        }
    }

    /// Whether this machine has no certificates to check by, as far as that was asked.
    pub(super) fn has_empty_store(&self) -> bool {
        self.system.get().is_some_and(Vec::is_empty)
    }

    /// The longest that an attempt may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The agent for this hook's URL; the error says what in the hook or the environment is wrong.
    pub(super) fn agent(&self, url: &Url, hook: &Hook) -> Result<Agent, String> {
        let kind = Kind {
            trust: Trust::of(url, hook),
            proxy: proxy_for(url)?,
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = made.get(&kind) {
            return Ok(agent.clone());
        }
        let agent = self.make(&kind)?;
        made.insert(kind, agent.clone());
        Ok(agent)
    }

    fn make(&self, kind: &Kind) -> Result<Agent, String> {
        let proxy = match &kind.proxy {
            Some(url) => Some(Proxy::new(url).map_err(|_| proxy::UNUSABLE.to_owned())?),
            None => None,
        };
        let config = Agent::config_builder()
            .timeout_global(Some(self.timeout))
            .proxy(proxy)
            .tls_config(self.tls(&kind.trust)?)
            // A 302 would be followed as a GET without a body, and reported as a success.
            .max_redirects(0)
            .http_status_as_error(false)
            // A kept connection that the server has closed meanwhile loses a POST.
            .max_idle_connections(0)
            .max_idle_connections_per_host(0)
            .max_response_header_size(MOST_HEADERS)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .accept("")
            .build();
        Ok(Agent::new_with_config(config))
    }

    fn tls(&self, trust: &Trust) -> Result<TlsConfig, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
        let roots = match trust {
            Trust::Plain | Trust::Anyone => Vec::new(),
            Trust::System => self.system().to_vec(),
            Trust::SystemAnd(pem) => {
                let mut roots = self.system().to_vec();
                roots.extend(certificates(pem)?);
                roots
            }
        };
        let builder = builder.root_certs(RootCerts::Specific(Arc::new(roots)));
        Ok(builder
            .disable_verification(*trust == Trust::Anyone)
            .build())
    }

    /// The system's certificates, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`. Where there are
    /// none, every verification fails, and says so.
    fn system(&self) -> &[Certificate<'static>] {
        self.system.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs().certs;
            found
                .iter()
                .map(|der| Certificate::from_der(der).to_owned())
                .collect()
        })
    }
}

impl Trust {
    fn of(url: &Url, hook: &Hook) -> Self {
        if url.scheme() != "https" {
            return Self::Plain;
        }
        match &hook.ca_file {
            _ if hook.insecure_ssl => Self::Anyone,
            Some(pem) => Self::SystemAnd(pem.clone()),
            None => Self::System,
        }
    }
}

fn proxy_for(url: &Url) -> Result<Option<String>, String> {
    proxy::for_url(url, |name| std::env::var(name).ok()).map_err(str::to_owned)
}

/// Checks the PEM text of a `--ca-file`: it holds at least one certificate.
pub(crate) fn check_ca(pem: &str) -> Result<(), String> {
    certificates(pem).map(drop)
}

fn certificates(pem: &str) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(pem.as_bytes()) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err("the CA file is not valid PEM".to_owned()),
        }
    }
    let is_certificate = |certificate: &Certificate| {
        rustls::RootCertStore::empty()
            .add(certificate.der().into())
            .is_ok()
    };
    if !found.iter().all(is_certificate) {
        return Err("the CA file holds something that is no X.509 certificate".to_owned());
    }
    if found.is_empty() {
        return Err("the CA file has no certificate (PEM text is wanted)".to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_needs_certificates() {
        let url = |text| Url::parse(text).unwrap();
        let mut hook = Hook::new(crate::domain::hook::HookId(1), String::new(), String::new());
        assert_eq!(Trust::of(&url("https://h/"), &hook), Trust::System);
        assert_eq!(Trust::of(&url("http://h/"), &hook), Trust::Plain);
        hook.ca_file = Some("pem".to_owned());
        assert_eq!(
            Trust::of(&url("https://h/"), &hook),
            Trust::SystemAnd("pem".to_owned())
        );
        hook.insecure_ssl = true;
        assert_eq!(Trust::of(&url("https://h/"), &hook), Trust::Anyone);
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_refused() {
        assert!(check_ca("").is_err());
        assert!(check_ca("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----").is_err());
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        assert_eq!(check_ca(&certified.cert.pem()), Ok(()));
        assert!(check_ca(&certified.signing_key.serialize_pem()).is_err());
    }
}
