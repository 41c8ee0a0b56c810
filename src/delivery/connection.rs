//! How hooks are reached: names, addresses, proxies and TLS, beneath the HTTP library.
//!
//! The library's own transport leaves a response unread when it cannot write the rest of a request, tries
//! one address after the other, and starts a thread for every look-up (docs/design.md §15).
//!
//! What fails here is a [`Failed`](super::errors::Failed), wrapped in an [`io::Error`], or the system's.

mod exchange;
mod http_proxy;
mod lookup;
mod socks;
mod tcp;
mod tls;

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};
use ureq::{Agent, config::Config, http::Uri};
use url::Url;

use self::exchange::Exchange;
use self::lookup::Lookups;
use self::tls::TlsConfigs;
use super::errors::{self, Failed};
use super::proxy::{self, Kind, Proxy};
use crate::domain::hook::Hook;

pub(crate) use self::tls::check_ca;

/// The most that the headers of an answer may take, in bytes; below the connection's buffer, as a buffer
/// that is full looks to the library like a connection that was closed.
const MOST_HEADERS: usize = 48 * 1024;

/// Bytes to and from the other side.
///
/// A read or a write waits until the deadline of the attempt. A write fails with
/// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if the other side takes no more and has sent something.
trait Stream: Read + Write + fmt::Debug + Send + Sync {}

/// The end of an attempt, whatever it is doing. Clones end together.
#[derive(Debug, Clone)]
pub(super) struct Deadline {
    timeout: Duration,
    end: Arc<Mutex<Instant>>,
}

impl Deadline {
    /// It ends this long from now.
    pub(super) fn after(timeout: Duration) -> Self {
        Self { timeout, end: Arc::new(Mutex::new(Instant::now() + timeout)) }
    }

    /// It ends this long from now, unless it ends before.
    pub(super) fn shorten(&self, left: Duration) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        *end = (*end).min(Instant::now() + left);
    }

    /// How long there is left; an error that says so if that is nothing.
    fn left(&self) -> Result<Duration, Failed> {
        let end = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let timeout = humantime::format_duration(self.timeout);
            return Err(Failed::transient(format!("timed out after {timeout}")));
        }
        Ok(left)
    }
}

/// A host and a port. An IPv6 address of a URL has its brackets, one of a SOCKS target has none.
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Endpoint {
    /// The host as it is looked up.
    fn name(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What the attempts of a fan-out share: the certificates that are trusted, and the names that were looked up.
#[derive(Debug)]
pub(super) struct Network {
    /// The longest that an attempt may take.
    pub(super) timeout: Duration,
    tls: TlsConfigs,
    lookups: Lookups,
}

impl Network {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, tls: TlsConfigs::default(), lookups: Lookups::default() }
    }
}

/// Makes the connection of one attempt.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) network: Arc<Network>,
    pub(super) hook: Arc<Hook>,
    pub(super) url: Url,
    pub(super) deadline: Deadline,
}

/// The HTTP agent for one attempt.
pub(super) fn agent(dialer: Dialer) -> Agent {
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
    Agent::with_parts(config, dialer, NoLookup)
}

impl Dialer {
    fn tls_if(&self, is_needed: bool) -> io::Result<Option<Arc<ClientConfig>>> {
        let config = is_needed.then(|| self.network.tls.of(&self.hook)).transpose();
        config.map_err(|unusable| Failed::permanent(unusable).into())
    }

    fn reach(&self, to: &Endpoint) -> io::Result<Box<dyn Stream>> {
        let addresses = self.network.lookups.addresses(to, &self.deadline)?;
        Ok(Box::new(tcp::connect(&addresses, &self.deadline)?))
    }

    fn reach_by(&self, proxy: &Proxy, receiver: &Endpoint) -> io::Result<Box<dyn Stream>> {
        let proxy_tls = self.tls_if(proxy.kind == Kind::Https)?;
        // What the receiver's name says here is not the proxy's fault.
        let target = match proxy.kind {
            Kind::Socks4 | Kind::Socks5 => {
                let addresses = self.network.lookups.addresses(receiver, &self.deadline)?;
                &socks::target(&addresses, proxy.kind)?
            }
            _ => receiver,
        };
        let tunnel = || {
            let stream = self.reach(&proxy.endpoint)?;
            let mut stream = secured(stream, proxy_tls.as_ref(), &proxy.endpoint)?;
            match proxy.kind {
                Kind::Http | Kind::Https => http_proxy::tunnel(&mut *stream, target, proxy)?,
                Kind::Socks4 | Kind::Socks4a => socks::version_4(&mut *stream, target, proxy)?,
                Kind::Socks5 | Kind::Socks5h => socks::version_5(&mut *stream, target, proxy)?,
            }
            Ok(stream)
        };
        tunnel().map_err(|error: io::Error| {
            let Failed { words, may_pass } = errors::io(&error);
            Failed { words: format!("the proxy: {words}"), may_pass }.into()
        })
    }
}

fn secured(
    stream: Box<dyn Stream>,
    tls: Option<&Arc<ClientConfig>>,
    to: &Endpoint,
) -> io::Result<Box<dyn Stream>> {
    let Some(config) = tls else {
        return Ok(stream);
    };
    // A certificate's names have no dot at their end.
    let host = to.name().trim_end_matches('.');
    Ok(Box::new(tls::handshake(stream, config, host)?))
}

impl Connector<()> for Dialer {
    type Out = Exchange;

    fn connect(
        &self,
        _: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Exchange>, ureq::Error> {
        let receiver = Endpoint {
            host: self.url.host_str().unwrap_or_default().to_owned(),
            port: self.url.port_or_known_default().unwrap_or_default(),
        };
        let proxy = proxy::for_url(&self.url, |name| std::env::var(name).ok())
            .map_err(|unusable| io::Error::from(Failed::permanent(unusable)))?;
        let tls = self.tls_if(self.url.scheme() == "https")?;
        let stream = match &proxy {
            None => self.reach(&receiver)?,
            Some(proxy) => self.reach_by(proxy, &receiver)?,
        };
        let stream = secured(stream, tls.as_ref(), &receiver)?;
        Ok(Some(Exchange::new(stream, tls.is_some())))
    }
}

/// Leaves the look-up to the [`Dialer`]: by a proxy there may be none.
#[derive(Debug)]
pub(super) struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}
