//! TLS over a stream.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, SignatureScheme};

use super::Stream;
use crate::delivery::errors::{self, Failed};

thread_local! {
    /// Whether the server of this thread's last handshake has asked for a certificate of ours. A
    /// [`NoCertificate`] belongs to all connections of a configuration, but is called by the thread that
    /// makes one.
    static WAS_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Answers a server that asks for a client's certificate that there is none, and remembers it.
#[derive(Debug)]
pub(crate) struct NoCertificate;

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
