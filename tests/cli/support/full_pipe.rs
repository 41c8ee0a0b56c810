//! A reader that has stopped reading.

use std::io::{PipeReader, PipeWriter, Write as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A pipe that takes nothing more.
pub(crate) fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    loop {
        let mut writable = [PollFd::new(&writer, PollFlags::OUT)];
        let now = Timespec::default();
        if poll(&mut writable, Some(&now)).expect("a pipe can be asked") == 0 {
            return (reader, writer);
        }
        writer.write_all(&[b'x'; 4096]).expect("it takes a page");
    }
}
