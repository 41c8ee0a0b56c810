//! Name look-ups. The system's cannot be cut short, so each has a thread of its own, and who needs the answer
//! waits for it as long as its attempt may take.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Deadline, Endpoint};
use crate::delivery::errors::Failed;
use crate::security::redact;

/// How long an answer holds, for hooks with the same host.
const FRESH: Duration = Duration::from_secs(10);

/// The look-ups of a fan-out: one for all that need the same name at the same time.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    by_name: Mutex<HashMap<String, Arc<Lookup>>>,
}

#[derive(Debug)]
struct Lookup {
    started: Instant,
    /// No address stands for a name that was not found.
    addresses: Mutex<Option<Vec<IpAddr>>>,
    answered: Condvar,
}

impl Lookups {
    /// The addresses of a host, in the order in which they are to be tried.
    pub(super) fn addresses(
        &self,
        of: &Endpoint,
        deadline: &Deadline,
    ) -> Result<Vec<SocketAddr>, Failed> {
        let addresses = match of.name().parse() {
            Ok(address) => vec![address],
            Err(_) => self.lookup(of.name())?.wait(deadline)?,
        };
        if addresses.is_empty() {
            let name = redact::host(of.name());
            return Err(Failed::transient(format!("the name {name} was not found")));
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, of.port)).collect())
    }

    fn lookup(&self, name: &str) -> Result<Arc<Lookup>, Failed> {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lookup) = by_name.get(name).filter(|lookup| lookup.is_of_use()) {
            return Ok(Arc::clone(lookup));
        }
        let lookup = Arc::new(Lookup {
            started: Instant::now(),
            addresses: Mutex::default(),
            answered: Condvar::new(),
        });
        let (asked, query) = (Arc::clone(&lookup), name.to_owned());
        thread::Builder::new()
            .name("lookup".to_owned())
            .spawn(move || asked.answer(&query))
            .map_err(|_| Failed::transient("could not start a thread for the name look-up"))?;
        by_name.insert(name.to_owned(), Arc::clone(&lookup));
        Ok(lookup)
    }
}

impl Lookup {
    fn is_of_use(&self) -> bool {
        let is_fresh = self.started.elapsed() < FRESH;
        self.addresses().as_ref().is_none_or(|found| is_fresh && !found.is_empty())
    }

    fn addresses(&self) -> MutexGuard<'_, Option<Vec<IpAddr>>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, name: &str) {
        let found: io::Result<Vec<_>> =
            (name, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect());
        *self.addresses() = Some(alternating(&found.unwrap_or_default()));
        self.answered.notify_all();
    }

    fn wait(&self, deadline: &Deadline) -> Result<Vec<IpAddr>, Failed> {
        let mut addresses = self.addresses();
        loop {
            if let Some(found) = &*addresses {
                return Ok(found.clone());
            }
            let waited = self.answered.wait_timeout(addresses, deadline.left()?);
            addresses = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The same addresses, in turn of the one and the other family (RFC 8305, section 4).
fn alternating(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.iter().partition(|address| address.is_ipv6() == first_is_v6);
    let pairs = (0..addresses.len()).map(|place| [first.get(place), second.get(place)]);
    pairs.flatten().flatten().copied().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_and_keep_their_order() {
        let parse =
            |text: &str| text.split(' ').map(|a| a.parse().unwrap()).collect::<Vec<IpAddr>>();
        for (given, tried) in [
            ("::1", "::1"),
            ("::1 ::2 10.0.0.1", "::1 10.0.0.1 ::2"),
            ("10.0.0.1 ::1 ::2 10.0.0.2", "10.0.0.1 ::1 10.0.0.2 ::2"),
            ("10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2"),
        ] {
            assert_eq!(alternating(&parse(given)), parse(tried));
        }
        assert_eq!(alternating(&[]), Vec::<IpAddr>::new());
    }

    #[test]
    fn a_name_is_looked_up_once_for_all_who_ask() {
        let lookups = Lookups::default();
        let first = lookups.lookup("localhost").unwrap();
        assert!(Arc::ptr_eq(&first, &lookups.lookup("localhost").unwrap()));
        let deadline = Deadline::after(Duration::from_secs(30));
        assert!(!first.wait(&deadline).unwrap().is_empty());
        assert!(Arc::ptr_eq(&first, &lookups.lookup("localhost").unwrap()));
    }
}
