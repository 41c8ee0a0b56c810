//! The connection that an attempt is made over: names, addresses, proxies and TLS, beneath the HTTP library.
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
use ureq::{config::Config, http::Uri};

use self::exchange::Exchange;
use super::errors::{self, Failed};
use super::proxy::{Kind, Proxy};

pub(super) use self::lookup::Lookups;
pub(super) use self::tls::NoCertificate;

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

/// A host, an IPv6 address in brackets, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Makes the connection of one attempt.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) receiver: Endpoint,
    pub(super) proxy: Option<Proxy>,
    /// For TLS to the receiver, …
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// … and to an HTTPS proxy.
    pub(super) proxy_tls: Option<Arc<ClientConfig>>,
    pub(super) lookups: Arc<Lookups>,
    pub(super) deadline: Deadline,
}

impl Dialer {
    fn connect_to(&self, to: &Endpoint) -> io::Result<Box<dyn Stream>> {
        let addresses = self.lookups.addresses(to, &self.deadline)?;
        Ok(Box::new(tcp::connect(&addresses, &self.deadline)?))
    }

    fn connect_by(&self, proxy: &Proxy) -> io::Result<Box<dyn Stream>> {
        // What the receiver's name says here is not the proxy's fault.
        let target = match proxy.kind {
            Kind::Socks4 | Kind::Socks5 => {
                let addresses = self.lookups.addresses(&self.receiver, &self.deadline)?;
                socks::target(&addresses, proxy.kind)?
            }
            _ => self.receiver.clone(),
        };
        self.tunnel(proxy, &target).map_err(|error| {
            let Failed { words, may_pass } = errors::io(&error);
            Failed { words: format!("the proxy: {words}"), may_pass }.into()
        })
    }

    fn tunnel(&self, proxy: &Proxy, target: &Endpoint) -> io::Result<Box<dyn Stream>> {
        let stream = self.connect_to(&proxy.endpoint)?;
        let mut stream = secured(stream, self.proxy_tls.as_ref(), &proxy.endpoint)?;
        match proxy.kind {
            Kind::Http | Kind::Https => http_proxy::tunnel(&mut *stream, target, proxy)?,
            Kind::Socks4 | Kind::Socks4a => socks::version_4(&mut *stream, target, proxy)?,
            Kind::Socks5 | Kind::Socks5h => socks::version_5(&mut *stream, target, proxy)?,
        }
        Ok(stream)
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
        let stream = match &self.proxy {
            None => self.connect_to(&self.receiver)?,
            Some(proxy) => self.connect_by(proxy)?,
        };
        let stream = secured(stream, self.tls.as_ref(), &self.receiver)?;
        Ok(Some(Exchange::new(stream, self.tls.is_some())))
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
