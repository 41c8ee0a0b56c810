//! The connection that an attempt is made over: names, addresses, proxies and TLS, beneath the HTTP library.
//!
//! The library's own transport leaves a response unread when it cannot write the rest of a request, tries
//! one address after the other, and starts a thread for every look-up (docs/design.md §15).

mod deadline;
mod exchange;
mod http_proxy;
mod lookup;
mod socks;
mod tcp;
mod tls;

use std::fmt::Debug;
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::ClientConfig;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};
use ureq::{config::Config, http::Uri};

use self::exchange::Exchange;
use super::attempt::Failed;
use super::errors;
use super::proxy::{Kind, Proxy};

pub(super) use self::deadline::Deadline;
pub(super) use self::lookup::Lookups;
pub(super) use self::tls::NoCertificate;

/// Bytes to and from the other side.
///
/// A read or a write waits until the deadline of the attempt. A write fails with
/// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if the other side takes no more and has sent something.
trait Stream: Read + Write + Debug + Send + Sync {}

/// A host, an IPv6 address in brackets, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
    fn dial(&self) -> Result<Box<dyn Stream>, Failed> {
        let stream = match &self.proxy {
            None => self.connect(&self.receiver)?,
            Some(proxy) => self.connect_by(proxy)?,
        };
        secured(stream, self.tls.as_ref(), &self.receiver)
    }

    fn connect(&self, to: &Endpoint) -> Result<Box<dyn Stream>, Failed> {
        let addresses = self.lookups.addresses(to, &self.deadline)?;
        let stream =
            tcp::connect(&addresses, &self.deadline).map_err(|error| errors::io(&error))?;
        Ok(Box::new(stream))
    }

    fn connect_by(&self, proxy: &Proxy) -> Result<Box<dyn Stream>, Failed> {
        // What the receiver's name says here is not the proxy's fault.
        let target = match proxy.kind {
            Kind::Socks4 | Kind::Socks5 => {
                let addresses = self.lookups.addresses(&self.receiver, &self.deadline)?;
                socks::Target::at(&addresses, proxy.kind)?
            }
            _ => socks::Target::of(&self.receiver),
        };
        self.tunnel(proxy, &target)
            .map_err(|failed| failed.map(|words| format!("the proxy: {words}")))
    }

    fn tunnel(&self, proxy: &Proxy, target: &socks::Target) -> Result<Box<dyn Stream>, Failed> {
        let stream = self.connect(&proxy.endpoint)?;
        let mut stream = secured(stream, self.proxy_tls.as_ref(), &proxy.endpoint)?;
        if matches!(proxy.kind, Kind::Http | Kind::Https) {
            http_proxy::tunnel(&mut *stream, &self.receiver, proxy.credentials.as_ref())?;
        } else {
            socks::tunnel(&mut *stream, target, proxy)?;
        }
        Ok(stream)
    }
}

fn secured(
    stream: Box<dyn Stream>,
    tls: Option<&Arc<ClientConfig>>,
    to: &Endpoint,
) -> Result<Box<dyn Stream>, Failed> {
    let Some(config) = tls else {
        return Ok(stream);
    };
    // A certificate's names have no dot at their end.
    let host = to.name().trim_end_matches('.');
    let stream = tls::handshake(stream, config, host).map_err(|error| errors::io(&error))?;
    Ok(Box::new(stream))
}

impl Connector<()> for Dialer {
    type Out = Exchange;

    fn connect(
        &self,
        _: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Exchange>, ureq::Error> {
        match self.dial() {
            Ok(stream) => Ok(Some(Exchange::new(stream, self.tls.is_some()))),
            Err(failed) => Err(ureq::Error::Other(Box::new(failed))),
        }
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
