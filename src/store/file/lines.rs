//! A file that only grows, line by line.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use super::{SharedFile, sync};
use crate::platform::{Access, retry};

/// An append-only file of lines.
#[derive(Debug)]
pub(crate) struct Lines {
    /// The file, from which its lines can be read.
    pub(crate) file: File,
    /// It is new, and its name is not on the disk before its folder is.
    created_in: Option<File>,
}

impl Lines {
    /// Opens the file for appending, making it where it is missing.
    pub(crate) fn open(file: &SharedFile) -> io::Result<Self> {
        let opened = file.open_or_create(Access::Append)?;
        let is_new = retry(|| opened.metadata())?.len() == 0;
        let created_in = if is_new { file.folder()?.to_be_synced()? } else { None };
        Ok(Self { file: opened, created_in })
    }

    /// Appends whole lines.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.end_last_line()?;
        self.file.write_all(lines)
    }

    /// Gives a last line without its newline, which a crash or a full disk left, that newline, so that it
    /// swallows nothing of what follows. Gives where the file ends then.
    pub(crate) fn end_last_line(&mut self) -> io::Result<u64> {
        loop {
            let end = self.file.seek(SeekFrom::End(0))?;
            let Some(before) = end.checked_sub(1) else {
                return Ok(end);
            };
            let mut last = [0];
            self.file.seek(SeekFrom::Start(before))?;
            self.file.read_exact(&mut last)?;
            if last == *b"\n" {
                return Ok(end);
            }
            self.file.write_all(b"\n")?;
        }
    }

    /// Waits until the lines are on the disk, and the file's name, if it is new.
    pub(crate) fn sync(&self) -> io::Result<()> {
        retry(|| self.file.sync_data())?;
        sync(self.created_in.as_ref())
    }

    /// Whether the name still leads to this file: a compaction renames another one over it.
    pub(crate) fn is_still(&self, file: &SharedFile) -> bool {
        file.is(&self.file).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_gets_its_newline_first() {
        let directory = tempfile::tempdir().unwrap();
        let file = SharedFile::find(&directory.path().join("f")).unwrap();
        let file = file.companion("lines");
        let mut lines = Lines::open(&file).unwrap();
        for text in ["{\"half", "one\n", "two\n"] {
            lines.append(text.as_bytes()).unwrap();
        }
        let text = file.read().unwrap().unwrap();
        assert_eq!(text, b"{\"half\none\ntwo\n");
    }
}
