//! One request and its response, as the HTTP library sends and reads them.

use std::io;

use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use super::Stream;

/// The most that is held back to be sent at once, in bytes: a head and a small body.
const OUTPUT_BUFFER: usize = 16 * 1024;

/// The most of a response that is looked at in one piece, in bytes.
const INPUT_BUFFER: usize = 64 * 1024;

/// How a response begins that is not the answer yet, such as 100 Continue.
const INTERIM: &[u8] = b"HTTP/1.1 1";

/// A stream that ends with its one response. It keeps to the deadline of the attempt, which the library
/// knows nothing of.
#[derive(Debug)]
pub(crate) struct Exchange {
    stream: Box<dyn Stream>,
    is_tls: bool,
    buffers: LazyBuffers,
    held: Vec<u8>,
    /// The receiver has begun to answer, and takes no more.
    answered_early: bool,
    /// Something was read while we were writing.
    has_read: bool,
}

impl Exchange {
    pub(super) fn new(stream: Box<dyn Stream>, is_tls: bool) -> Self {
        Self {
            stream,
            is_tls,
            buffers: LazyBuffers::new(INPUT_BUFFER, OUTPUT_BUFFER),
            held: Vec::new(),
            answered_early: false,
            has_read: false,
        }
    }

    fn send_held(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        let mut left = &held[..];
        while !left.is_empty() && !self.answered_early {
            match self.stream.write(left) {
                Ok(written) => left = &left[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let read = self.read()?;
                    self.has_read |= read;
                    self.answered_early = !read || !self.buffers.input().starts_with(INTERIM);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read(&mut self) -> io::Result<bool> {
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }
}

impl Transport for Exchange {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.held
            .extend_from_slice(&self.buffers.output()[..amount]);
        if self.held.len() >= OUTPUT_BUFFER {
            self.send_held()?;
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        self.send_held()?;
        Ok(std::mem::take(&mut self.has_read) || self.read()?)
    }

    fn is_open(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }
}
