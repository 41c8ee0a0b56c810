//! How hooks are reached: what the attempts of a fan-out share, and the HTTP agent that makes one of them.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use url::Url;

use super::connection::{Deadline, Dialer, Endpoint, Lookups, NoLookup};
use super::errors::Failed;
use super::proxy::{self, Kind};
use super::tls::TlsConfigs;
use crate::domain::hook::Hook;

/// The most that the headers of an answer may take, in bytes; below the connection's buffer, as a buffer
/// that is full looks to the library like a connection that was closed.
const MOST_HEADERS: usize = 48 * 1024;

/// The attempts' limit, the certificates that are trusted, and the names that were looked up.
#[derive(Debug)]
pub(super) struct Network {
    timeout: Duration,
    tls: TlsConfigs,
    lookups: Arc<Lookups>,
}

impl Network {
    /// A network where an attempt takes this long at most.
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, tls: TlsConfigs::default(), lookups: Arc::default() }
    }

    /// The deadline of an attempt that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout)
    }

    /// The agent for one attempt at this URL of a hook; the error says what in the hook or in the
    /// environment is wrong.
    pub(super) fn agent(
        &self,
        url: &Url,
        hook: &Hook,
        deadline: &Deadline,
    ) -> Result<Agent, Failed> {
        let proxy =
            proxy::for_url(url, |name| std::env::var(name).ok()).map_err(Failed::permanent)?;
        let tls = |is_needed: bool| {
            let config = is_needed.then(|| self.tls.of(hook)).transpose();
            config.map_err(Failed::permanent)
        };
        let dialer = Dialer {
            receiver: Endpoint {
                host: url.host_str().unwrap_or_default().to_owned(),
                port: url.port_or_known_default().unwrap_or_default(),
            },
            tls: tls(url.scheme() == "https")?,
            proxy_tls: tls(matches!(&proxy, Some(proxy) if proxy.kind == Kind::Https))?,
            proxy,
            lookups: Arc::clone(&self.lookups),
            deadline: deadline.clone(),
        };
        let config = Agent::config_builder()
            // The dialer has its own, …
            .proxy(None)
            // … as it has for time-outs.
            .timeout_global(None)
            // A 302 would be followed as a GET without a body, and reported as a success.
            .max_redirects(0)
            .http_status_as_error(false)
            // A kept connection that the server has closed meanwhile loses a POST.
            .max_idle_connections(0)
            .max_idle_connections_per_host(0)
            .max_response_header_size(MOST_HEADERS)
            .accept("")
            .build();
        Ok(Agent::with_parts(config, dialer, NoLookup))
    }
}
