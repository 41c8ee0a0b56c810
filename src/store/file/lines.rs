//! A file that only grows, line by line.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};

use super::{Companion, FileError};
use crate::platform::file::{Status, Syncable};
use crate::platform::{Access, retry};

/// An append-only file of lines.
#[derive(Debug)]
pub(crate) struct Lines {
    file: File,
    status: Status,
    /// It is new, and its name is not on the disk before its directory is.
    created_in: Option<Syncable>,
}

impl Lines {
    /// Opens the file for appending, making it where it is missing.
    pub(crate) fn open(companion: &Companion) -> Result<Self, FileError> {
        let (file, is_new) = companion.open_or_create(Access::Append)?;
        let created_in = if is_new {
            Some(companion.directory()?.to_be_synced()?)
        } else {
            None
        };
        let status = Status::of(&file)?;
        Ok(Self {
            file,
            status,
            created_in,
        })
    }

    /// The file's length in bytes, when it was opened.
    pub(crate) fn length(&self) -> u64 {
        self.status.length()
    }

    /// Appends whole lines, by one write if the system takes them at once. A last line without its
    /// newline, which a crash or a full disk left, gets one first, so that it swallows nothing of what
    /// follows.
    pub(crate) fn append(&mut self, lines: &str) -> io::Result<()> {
        let torn = self.ends_torn()?;
        let text = if torn {
            format!("\n{lines}")
        } else {
            lines.to_owned()
        };
        self.file.write_all(text.as_bytes())
    }

    /// Waits until the lines are on the disk, and the file's name, if it is new.
    pub(crate) fn sync(&self) -> io::Result<()> {
        retry(|| self.file.sync_data())?;
        self.created_in.as_ref().map_or(Ok(()), Syncable::sync)
    }

    /// The first line, if it is at most this long.
    pub(crate) fn first_line(&mut self, most: u64) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut start = Vec::new();
        Read::by_ref(&mut self.file)
            .take(most)
            .read_to_end(&mut start)?;
        start.truncate(start.iter().position(|b| *b == b'\n').unwrap_or(0));
        Ok(start)
    }

    /// Whether this still is the file of that name: a compaction renames another one over it.
    pub(crate) fn is_still(&self, companion: &Companion) -> bool {
        let now = companion.status();
        now.is_ok_and(|now| now.is_same(&self.status))
    }

    fn ends_torn(&mut self) -> io::Result<bool> {
        let end = self.file.seek(SeekFrom::End(0))?;
        if end == 0 {
            return Ok(false);
        }
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        Ok(last != [b'\n'])
    }
}
