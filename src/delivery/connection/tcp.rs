//! TCP, over the first of several addresses that answers.

use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};

use super::{Deadline, Stream};

/// How long an address may leave us waiting before the next one is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of these addresses that answers. If none does, the error is the last one's.
pub(super) fn connect(addresses: &[SocketAddr], deadline: &Deadline) -> io::Result<Tcp> {
    let mut left = addresses.iter();
    let mut connecting: Vec<Socket> = Vec::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        match left.next().map(begin) {
            Some(Ok(socket)) => connecting.push(socket),
            Some(Err(error)) => {
                failure = error;
                continue;
            }
            None if connecting.is_empty() => return Err(failure),
            None => {}
        }
        let mut patience = deadline.left()?;
        if left.len() > 0 {
            patience = patience.min(HEAD_START);
        }
        for place in decided(&connecting, patience)?.into_iter().rev() {
            let socket = connecting.swap_remove(place);
            match socket.take_error()? {
                None => return Tcp::new(socket, deadline),
                Some(error) => failure = error,
            }
        }
    }
}

/// A socket that has begun to connect.
fn begin(address: &SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&(*address).into()) {
        Err(error) if !is_in_progress(&error) => Err(error),
        _ => Ok(socket),
    }
}

fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
        || error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error())
}

/// Waits until one of these sockets has connected or failed; the places of those that have, in order.
fn decided(sockets: &[Socket], patience: Duration) -> io::Result<Vec<usize>> {
    let mut polled: Vec<_> =
        sockets.iter().map(|socket| PollFd::new(socket, PollFlags::OUT)).collect();
    wait(&mut polled, patience)?;
    let places = (0..sockets.len()).filter(|place| !polled[*place].revents().is_empty());
    Ok(places.collect())
}

/// Waits this long at most. A signal ends the wait early.
fn wait(polled: &mut [PollFd], patience: Duration) -> io::Result<()> {
    match poll(polled, patience.try_into().ok().as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A connection.
///
/// A receiver may answer before it has read everything, and close: what it said is in our buffer then, but
/// writing fails. So a write that fails is forgotten here, with all that follow, and only a read that
/// finds nothing reports it.
#[derive(Debug)]
pub(super) struct Tcp {
    stream: TcpStream,
    deadline: Deadline,
    /// The deadline had passed at the last read.
    is_over: bool,
    write_error: Option<io::Error>,
}

impl Tcp {
    fn new(socket: Socket, deadline: &Deadline) -> io::Result<Self> {
        // What we write is whole: nothing more comes that it could be sent with.
        socket.set_tcp_nodelay(true)?;
        Ok(Self {
            stream: socket.into(),
            deadline: deadline.clone(),
            is_over: false,
            write_error: None,
        })
    }

    /// Waits until one of these can be done, and says which can.
    fn wait_for(&self, what: PollFlags) -> io::Result<PollFlags> {
        let mut polled = [PollFd::new(&self.stream, what)];
        wait(&mut polled, self.deadline.left()?)?;
        Ok(polled[0].revents())
    }
}

impl Stream for Tcp {}

impl Read for Tcp {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // What has come by the deadline counts, but a receiver that sends without end is not read without end.
        let left = self.deadline.left();
        if std::mem::replace(&mut self.is_over, left.is_err()) {
            left?;
        }
        let read = loop {
            match self.stream.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait_for(PollFlags::IN)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match (read, self.write_error.take()) {
            (Ok(0) | Err(_), Some(error)) if !buffer.is_empty() => Err(error),
            (read, error) => {
                self.write_error = error;
                read
            }
        }
    }
}

impl Write for Tcp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let all = parts.iter().map(|part| part.len()).sum();
        while self.write_error.is_none() {
            match self.stream.write_vectored(parts) {
                Ok(written) => return Ok(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.wait_for(PollFlags::IN | PollFlags::OUT)? == PollFlags::IN {
                        return Err(error);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.write_error = Some(error),
            }
        }
        Ok(all)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
