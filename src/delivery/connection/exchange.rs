//! One request and its response, as the HTTP library sends and reads them.

use std::io;

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::Stream;

/// The most that is held back to be sent at once, in bytes: a head and a small body.
const OUTPUT_BUFFER: usize = 16 * 1024;

/// The most of a response that is looked at in one piece, in bytes.
const INPUT_BUFFER: usize = 64 * 1024;

/// How much room there is at least for what is read next, in bytes.
const PIECE: usize = 4 * 1024;

/// How a response begins that is not the answer yet, such as 100 Continue.
const INTERIM: &[u8] = b"HTTP/1.1 1";

/// A stream that ends with its one response. It keeps to the deadline of the attempt, which the library
/// knows nothing of.
#[derive(Debug)]
pub(crate) struct Exchange {
    stream: Box<dyn Stream>,
    is_tls: bool,
    /// With hundreds of attempts at once it counts that most responses are small: this grows up to
    /// [`INPUT_BUFFER`], as it is needed.
    input: Vec<u8>,
    /// What of the input is taken already, and how far it is filled.
    consumed: usize,
    filled: usize,
    /// How much was taken the last time.
    last_taken: usize,
    output: Vec<u8>,
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
            input: Vec::new(),
            consumed: 0,
            filled: 0,
            last_taken: 0,
            output: Vec::new(),
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
                    self.answered_early = !read || !self.input().starts_with(INTERIM);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read(&mut self) -> io::Result<bool> {
        self.make_room(INPUT_BUFFER);
        let read = self.stream.read(&mut self.input[self.filled..])?;
        self.filled += read;
        Ok(read > 0)
    }

    /// Makes room for another piece, as long as the input does not get longer than this.
    fn make_room(&mut self, most: usize) {
        self.input.copy_within(self.consumed..self.filled, 0);
        self.filled -= std::mem::take(&mut self.consumed);
        if self.input.len() < self.filled + PIECE {
            self.input.resize((2 * self.filled + PIECE).min(most).max(self.filled), 0);
        }
    }
}

impl Transport for Exchange {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.held.extend_from_slice(&self.output[..amount]);
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

impl Buffers for Exchange {
    fn output(&mut self) -> &mut [u8] {
        self.output.resize(OUTPUT_BUFFER, 0);
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.consumed..self.filled]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.make_room(INPUT_BUFFER);
        &mut self.input[self.filled..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.last_taken = amount;
        self.consumed += amount;
    }

    /// Room for a piece of the body, though the input were full: with none, the body would seem to be over.
    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make_room(usize::MAX);
        self.output.resize(OUTPUT_BUFFER, 0);
        (&mut self.input[self.filled..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.last_taken > 0 && self.consumed < self.filled
    }
}
