//! A file's lines from the last to the first, with memory for the longest of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::history::Place;

/// How much is read at once, at least.
const CHUNK: usize = 64 * 1024;

/// The lines of a file, backwards. What is appended to it meanwhile is not seen.
#[derive(Debug)]
pub(super) struct ReverseLines {
    file: File,
    /// Where the buffer begins in the file.
    start: u64,
    buffer: Vec<u8>,
    /// Behind this, the buffer has been given out.
    end: usize,
}

impl ReverseLines {
    /// The lines of this file up to this length.
    pub(super) fn new(file: File, length: u64) -> Self {
        Self { file, start: length, buffer: Vec::new(), end: 0 }
    }

    /// The next line without its end, and where it is in the file. Empty lines are passed over.
    pub(super) fn next(&mut self) -> io::Result<Option<(Place, &[u8])>> {
        loop {
            let (start, line_end) = match memchr::memrchr(b'\n', &self.buffer[..self.end]) {
                Some(line_end) => (line_end + 1, line_end),
                None if self.start > 0 => {
                    self.read_more()?;
                    continue;
                }
                None if self.end > 0 => (0, 0),
                None => return Ok(None),
            };
            let line = start..std::mem::replace(&mut self.end, line_end);
            if !line.is_empty() {
                let start = self.start + line.start as u64;
                let end = self.start + line.end as u64 + 1;
                return Ok(Some((Place { start, end }, &self.buffer[line])));
            }
        }
    }

    /// Puts what stands before the buffer in the file in front of it: as much again, so that a long
    /// line is moved a few times only.
    fn read_more(&mut self) -> io::Result<()> {
        let wanted = CHUNK.max(self.end) as u64;
        let more = usize::try_from(wanted.min(self.start)).unwrap_or(CHUNK);
        let mut buffer = vec![0; more + self.end];
        buffer[more..].copy_from_slice(&self.buffer[..self.end]);
        self.start -= more as u64;
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.read_exact(&mut buffer[..more])?;
        self.buffer = buffer;
        self.end += more;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn backwards(text: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut lines = ReverseLines::new(file, text.len() as u64);
        let mut found = Vec::new();
        while let Some((place, line)) = lines.next().unwrap() {
            found.push((place.start, line.to_vec()));
        }
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]
        #[test]
        fn the_lines_come_back_each_with_its_place(
            lines in vec(prop_oneof![Just(0), 1..9_usize, 60_000..70_000_usize, Just(200_000)], 0..6),
            whole in any::<bool>(),
        ) {
            let mut text = Vec::new();
            let mut expected = Vec::new();
            for (number, length) in lines.iter().enumerate() {
                let line = vec![b'a' + u8::try_from(number).unwrap(); *length];
                if !line.is_empty() {
                    expected.insert(0, (text.len() as u64, line.clone()));
                }
                text.extend(line);
                text.push(b'\n');
            }
            if !whole {
                text.pop();
            }
            prop_assert_eq!(backwards(&text), expected);
        }
    }
}
