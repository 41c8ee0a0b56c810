//! Mode, owner, group, ACL and other extended attributes: what a file keeps when another one takes its
//! place. Root's `add` must not take the deploy user's registry away.

use std::ffi::{CStr, CString};
use std::fmt::Display;
use std::fs::File;
use std::io;

use super::trust;
use crate::platform::{self, Facts};
use crate::security::escape::escape;

/// The attribute that holds a file's ACL (`linux/posix_acl_xattr.h`).
const ACL: &CStr = c"system.posix_acl_access";

/// Hashes and signatures of the contents, which the system makes anew.
const OF_CONTENTS: [&CStr; 2] = [c"security.ima", c"security.evm"];

/// What a new file shall have besides its contents.
#[derive(Debug)]
pub(super) struct Attributes {
    facts: Facts,
    /// The owner may become another one: a group shares the file.
    shared: bool,
    extended: Vec<(CString, Vec<u8>)>,
}

impl Attributes {
    /// Those of this file, for one that takes its place.
    pub(super) fn of(file: &File, shared: bool) -> io::Result<Self> {
        let extended = platform::attributes(file);
        let mut extended = extended.map_err(|error| not_kept("extended attributes", &error))?;
        extended.retain(|(name, _)| !OF_CONTENTS.contains(&name.as_c_str()));
        Ok(Self { facts: platform::facts_of_open(file)?, shared, extended })
    }

    /// For a file beside that one: the same owner and group, and for the owner alone, unless others may
    /// write that one: then they may write this one, too.
    #[must_use]
    pub(super) fn for_companion(mut self) -> Self {
        let group_writes = self.facts.mode & 0o020 != 0;
        self.facts.mode = if group_writes { 0o660 } else { 0o600 };
        self.extended.retain(|(name, _)| group_writes && name.as_c_str() == ACL);
        self.extended.iter_mut().for_each(|(_, acl)| leave_writers(acl));
        self
    }

    /// Gives them to a file that this process has just made.
    pub(super) fn give(&self, file: &File) -> io::Result<()> {
        let new = Self::of(file, false)?;
        let (old, present) = (&self.facts, &new.facts);
        if (present.owner, present.group) != (old.owner, old.group) {
            self.give_owner(file, present.owner == old.owner)?;
        }
        for attribute @ (name, value) in &self.extended {
            if !new.extended.contains(attribute) {
                set_attribute(file, name, Some(value))?;
            }
        }
        // One that the folder gives to new files would open what was closed.
        if new.has_acl() && !self.has_acl() {
            set_attribute(file, ACL, None)?;
        }
        // A change of the owner and an ACL change the mode.
        if platform::facts_of_open(file)?.mode == old.mode {
            return Ok(());
        }
        platform::set_mode(file, old.mode).map_err(|error| not_kept("mode", &error))
    }

    /// Only root can give a file away. Among those who share it by a group it may change hands.
    fn give_owner(&self, file: &File, is_owner: bool) -> io::Result<()> {
        let Facts { owner, group, .. } = self.facts;
        let what = if is_owner { "group" } else { "owner" };
        match platform::set_owner(file, Some(owner), group) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && self.shared => {
                platform::set_owner(file, None, group).map_err(|error| not_kept("group", &error))
            }
            given => given.map_err(|error| not_kept(what, &error)),
        }
    }

    fn has_acl(&self) -> bool {
        self.extended.iter().any(|(name, _)| name.as_c_str() == ACL)
    }
}

fn set_attribute(file: &File, name: &CStr, value: Option<&[u8]>) -> io::Result<()> {
    platform::set_attribute(file, name, value).map_err(|error| {
        if name == ACL {
            return not_kept("ACL", &error);
        }
        let name = name.to_string_lossy();
        not_kept(format!("attribute {}", escape(&name)), &error)
    })
}

fn not_kept(what: impl Display, error: &io::Error) -> io::Error {
    let why = format!("its {what} cannot be kept: {error}");
    trust::failure(why, "do it as the user who owns the file")
}

/// Makes an ACL one for a file that is private but for writers: who may write may read, too, and nobody
/// else may do anything. A version number of 4 bytes is followed by entries: tag and permissions of 2 bytes
/// each, and the id of a user or group of 4, all little-endian.
fn leave_writers(acl: &mut [u8]) {
    const OTHERS: u16 = 0x20;
    const READ: u8 = 4;
    const WRITE: u8 = 2;
    for entry in acl.get_mut(4..).unwrap_or_default().chunks_exact_mut(8) {
        let others = u16::from_le_bytes([entry[0], entry[1]]) == OTHERS;
        let writes = entry[2] & WRITE != 0 && !others;
        entry[2] = if writes { READ | WRITE } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_acl_the_writers_are_left() {
        // The owner, user 7, user 8, the group, the mask, others: rw, r, w, r, rwx, rw.
        let permissions = [(1, 6), (2, 4), (2, 2), (4, 4), (16, 7), (32, 6)];
        let acl = |permissions: [(u8, u8); 6]| {
            let entry = |(tag, permissions)| [tag, 0, permissions, 0, 255, 255, 255, 255];
            [vec![2, 0, 0, 0], permissions.map(entry).concat()].concat()
        };
        let mut left = acl(permissions);
        leave_writers(&mut left);
        let writers = [(1, 6), (2, 0), (2, 6), (4, 0), (16, 6), (32, 0)];
        assert_eq!(left, acl(writers));
    }
}
