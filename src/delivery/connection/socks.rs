//! A tunnel by a SOCKS proxy: version 5 (RFC 1928, RFC 1929), 4 and 4a.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};

use super::{Endpoint, Stream};
use crate::delivery::errors::Failed;
use crate::delivery::proxy::{Credentials, Kind, Proxy};

/// The first of these addresses that this kind of proxy can connect to.
pub(super) fn target(addresses: &[SocketAddr], kind: Kind) -> Result<Endpoint, Failed> {
    let mut fitting = addresses.iter().filter(|address| address.is_ipv4() || kind != Kind::Socks4);
    let address = fitting.next().ok_or_else(only_ipv4)?;
    Ok(Endpoint { host: address.ip().to_string(), port: address.port() })
}

fn only_ipv4() -> Failed {
    Failed::permanent("SOCKS 4 has no IPv6 addresses; name the proxy by socks5:// if it can that")
}

fn not_socks() -> Failed {
    Failed::transient("its answer is not SOCKS")
}

/// Has a proxy of version 4 connect to an address, or one of 4a to a name that it looks up itself.
pub(super) fn version_4(stream: &mut dyn Stream, to: &Endpoint, proxy: &Proxy) -> io::Result<()> {
    let mut request = vec![4, 1];
    request.extend(to.port.to_be_bytes());
    let address = to.name().parse();
    match address {
        Ok(IpAddr::V4(address)) => request.extend(address.octets()),
        Ok(IpAddr::V6(_)) => return Err(only_ipv4().into()),
        // Version 4a: an address that is none, and the name at the end.
        Err(_) => request.extend([0, 0, 0, 1]),
    }
    request.extend(proxy.credentials.iter().flat_map(|known| &known.user));
    request.push(0);
    if address.is_err() {
        request.extend(to.name().bytes());
        request.push(0);
    }
    stream.write_all(&request)?;
    match read::<8>(stream)? {
        [0, 90, ..] => Ok(()),
        [0, code, ..] => {
            Err(Failed::transient(format!("it refused the connection (SOCKS code {code})")).into())
        }
        _ => Err(not_socks().into()),
    }
}

/// Has a proxy of version 5 connect to an address, or to a name that it looks up itself.
pub(super) fn version_5(
    mut stream: &mut dyn Stream,
    to: &Endpoint,
    proxy: &Proxy,
) -> io::Result<()> {
    let methods: &[u8] = if proxy.credentials.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(methods)?;
    match (read(stream)?, &proxy.credentials) {
        ([5, 0], _) => {}
        ([5, 2], Some(credentials)) => log_in(stream, credentials)?,
        ([5, 255], None) => return Err(Failed::permanent("it wants a user and a password; write them into its URL: socks5h://USER:PASSWORD@HOST:PORT").into()),
        ([5, _], _) => return Err(Failed::permanent("it wants another way to log in than user and password").into()),
        _ => return Err(not_socks().into()),
    }
    let mut request = vec![5, 1, 0];
    match to.name().parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            request.push(3);
            request.extend(with_length(to.name().as_bytes())?);
        }
    }
    request.extend(to.port.to_be_bytes());
    stream.write_all(&request)?;
    // The reply ends with the address that the proxy connects from, which is of no interest.
    let from = match read(stream)? {
        [5, 0, _, 1] => 4,
        [5, 0, _, 4] => 16,
        [5, 0, _, 3] => read::<1>(stream)?[0].into(),
        [5, code, ..] if code != 0 => return Err(refused(code).into()),
        _ => return Err(not_socks().into()),
    };
    io::copy(&mut (&mut stream).take(from + 2), &mut io::sink())?;
    Ok(())
}

fn log_in(stream: &mut dyn Stream, Credentials { user, password }: &Credentials) -> io::Result<()> {
    let request = [vec![1], with_length(user)?, with_length(password)?].concat();
    stream.write_all(&request)?;
    match read(stream)? {
        [1, 0] => Ok(()),
        _ => Err(Failed::permanent("it does not take this user and password").into()),
    }
}

/// The bytes after their length, which is one byte.
fn with_length(bytes: &[u8]) -> Result<Vec<u8>, Failed> {
    let too_long = |_| Failed::permanent("a name, user or password is longer than SOCKS can say");
    let length = u8::try_from(bytes.len()).map_err(too_long)?;
    Ok([&[length], bytes].concat())
}

fn read<const N: usize>(stream: &mut dyn Stream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The reply codes of RFC 1928, section 6.
fn refused(code: u8) -> Failed {
    match code {
        2 => Failed::permanent("it does not allow this connection"),
        3 => Failed::transient("it finds no way to the receiver's network"),
        4 => Failed::transient("it cannot reach or does not know the receiver's host"),
        5 => Failed::transient("the receiver refused its connection"),
        7 | 8 => Failed::permanent("it cannot connect to this kind of address"),
        _ => Failed::transient(format!("it could not connect to the receiver (SOCKS code {code})")),
    }
}
