//! Mode, owner, group, ACL and other extended attributes: what a file keeps when another one takes its
//! place. Root's `add` must not take the deploy user's registry away.

use std::fs::File;
use std::io;

use super::extended::Extended;
use crate::platform::file::{self as system, Status};

/// What a new file shall have besides its contents.
#[derive(Debug)]
pub(super) struct Attributes {
    owner: u32,
    group: u32,
    mode: u32,
    /// The owner may become another one: a group shares the file.
    shared: bool,
    extended: Extended,
}

/// An attribute that the new file could not be given.
#[derive(Debug, thiserror::Error)]
#[error("its {what} cannot be kept")]
pub(crate) struct NotKept {
    what: String,
    source: io::Error,
}

impl NotKept {
    pub(super) fn new(what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        Self { what, source }
    }
}

impl Attributes {
    /// Those of this file, for one that takes its place.
    pub(super) fn of(file: &File, status: &Status, shared: bool) -> Result<Self, NotKept> {
        Ok(Self {
            owner: status.owner(),
            group: status.group(),
            mode: status.mode(),
            shared,
            extended: Extended::of(file)?,
        })
    }

    /// For a file beside that one: the same owner and group, and for the owner alone, unless others may
    /// write that one: then they may write this one, too.
    pub(super) fn beside(file: &File, status: &Status, shared: bool) -> Result<Self, NotKept> {
        let group_writes = status.mode() & 0o020 != 0;
        let extended = if group_writes {
            Extended::writers_of(file)?
        } else {
            Extended::default()
        };
        Ok(Self {
            owner: status.owner(),
            group: status.group(),
            mode: if group_writes { 0o660 } else { 0o600 },
            shared,
            extended,
        })
    }

    /// Gives them to a file that this process has just made.
    pub(super) fn give(&self, file: &File) -> Result<(), NotKept> {
        let present = Status::of(file).map_err(|error| NotKept::new("mode", error))?;
        if (present.owner(), present.group()) != (self.owner, self.group) {
            self.give_owner(file, present.owner() == self.owner)?;
        }
        // A change of the owner takes some of them away, and an ACL has its say in the mode.
        self.extended.give(file)?;
        let present = Status::of(file).map_err(|error| NotKept::new("mode", error))?;
        if present.mode() == self.mode {
            return Ok(());
        }
        system::set_mode(file, self.mode).map_err(|error| NotKept::new("mode", error))
    }

    /// Only root can give a file away. Among those who share it by a group it may change hands.
    fn give_owner(&self, file: &File, is_owner: bool) -> Result<(), NotKept> {
        let what = if is_owner { "group" } else { "owner" };
        match system::set_owner(file, Some(self.owner), self.group) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && self.shared => {
                system::set_owner(file, None, self.group)
                    .map_err(|error| NotKept::new("group", error))
            }
            given => given.map_err(|error| NotKept::new(what, error)),
        }
    }
}
