//! Extended attributes, of which the POSIX ACL is one.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;

use super::attributes::NotKept;
use crate::platform::attributes as system;
use crate::security::escape::escape;

/// The attribute that holds a file's ACL (`linux/posix_acl_xattr.h`).
const ACL: &CStr = c"system.posix_acl_access";

/// Hashes and signatures of the contents, which the system makes anew.
const OF_CONTENTS: [&CStr; 2] = [c"security.ima", c"security.evm"];

/// The extended attributes of a file, by name.
#[derive(Debug, Default)]
pub(super) struct Extended(Vec<(CString, Vec<u8>)>);

impl Extended {
    /// All of this file's, but those that speak of its contents.
    pub(super) fn of(file: &File) -> Result<Self, NotKept> {
        let names = system::names(file);
        let names = names.map_err(|error| NotKept::new("extended attributes", error))?;
        let mut found = Vec::new();
        for name in names {
            if OF_CONTENTS.contains(&name.as_c_str()) {
                continue;
            }
            if let Some(value) = value(file, &name)? {
                found.push((name, value));
            }
        }
        Ok(Self(found))
    }

    /// The file's ACL alone, without those who may not write.
    pub(super) fn writers_of(file: &File) -> Result<Self, NotKept> {
        let acl = value(file, ACL)?;
        let writers = acl.map(|acl| (ACL.to_owned(), writers(&acl)));
        Ok(Self(writers.into_iter().collect()))
    }

    /// Gives them to a new file. An ACL that this one has from its directory, and the old one had not,
    /// goes.
    pub(super) fn give(&self, file: &File) -> Result<(), NotKept> {
        let present = Self::of(file)?;
        for attribute @ (name, value) in &self.0 {
            if !present.0.contains(attribute) {
                system::set(file, name, value).map_err(|error| not_kept(name, error))?;
            }
        }
        if present.has_acl() && !self.has_acl() {
            system::remove(file, ACL).map_err(|error| not_kept(ACL, error))?;
        }
        Ok(())
    }

    fn has_acl(&self) -> bool {
        self.0.iter().any(|(name, _)| name.as_c_str() == ACL)
    }
}

fn value(file: &File, name: &CStr) -> Result<Option<Vec<u8>>, NotKept> {
    system::value(file, name).map_err(|error| not_kept(name, error))
}

fn not_kept(name: &CStr, error: io::Error) -> NotKept {
    if name == ACL {
        return NotKept::new("ACL", error);
    }
    let name = name.to_string_lossy();
    NotKept::new(format!("attribute {}", escape(&name)), error)
}

/// An ACL for a file that is private but for writers: who may write may read, too, and nobody else has a
/// permission. A version number of 4 bytes is followed by entries: tag and permissions of 2 bytes each,
/// and the id of a user or group of 4, all little-endian.
fn writers(acl: &[u8]) -> Vec<u8> {
    const OTHERS: u16 = 0x20;
    const READ: u8 = 4;
    const WRITE: u8 = 2;
    let mut acl = acl.to_owned();
    for entry in acl.get_mut(4..).unwrap_or_default().chunks_exact_mut(8) {
        let others = u16::from_le_bytes([entry[0], entry[1]]) == OTHERS;
        let writes = entry[2] & WRITE != 0 && !others;
        entry[2] = if writes { READ | WRITE } else { 0 };
    }
    acl
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
        let left = [(1, 6), (2, 0), (2, 6), (4, 0), (16, 6), (32, 0)];
        assert_eq!(writers(&acl(permissions)), acl(left));
    }
}
