//! What Linux alone has: extended attributes, of which the POSIX ACL is one, and a file system's type.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;

use rustix::buffer::spare_capacity;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr, fstatfs};
use rustix::io::{Errno, retry_on_intr};

use super::{Folder, retry};

/// The largest list of names and the largest value, in bytes (`linux/limits.h`).
const LARGEST: usize = 65_536;

/// A file's attributes; none where the file system knows none.
pub(crate) fn attributes(file: &File) -> io::Result<Vec<(CString, Vec<u8>)>> {
    let mut list = Vec::with_capacity(LARGEST);
    match retry_on_intr(|| flistxattr(file, spare_capacity(&mut list))) {
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut found = Vec::new();
    for name in list.split_inclusive(|byte| *byte == 0) {
        let Ok(name) = CStr::from_bytes_with_nul(name) else {
            continue;
        };
        let mut value = Vec::with_capacity(LARGEST);
        match retry_on_intr(|| fgetxattr(file, name, spare_capacity(&mut value))) {
            // It went meanwhile.
            Err(Errno::NODATA) => {}
            read => {
                read?;
                value.shrink_to_fit();
                found.push((name.to_owned(), value));
            }
        }
    }
    Ok(found)
}

/// Sets an attribute, or takes it away.
pub(crate) fn set_attribute(file: &File, name: &CStr, value: Option<&[u8]>) -> io::Result<()> {
    match value {
        Some(value) => retry(|| fsetxattr(file, name, value, XattrFlags::empty())),
        None => retry(|| fremovexattr(file, name)),
    }
}

/// The name of the file system that a folder is on, if it is one of another machine (numbers of
/// `linux/magic.h`).
pub(crate) fn remote_file_system(folder: &Folder) -> Option<&'static str> {
    let found = retry(|| fstatfs(&folder.0)).ok()?;
    // A C long, of which 32 bits count.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    match found.f_type as u32 {
        0x6573_5546 => Some("FUSE"),
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x0102_1997 => Some("9p"),
        _ => None,
    }
}
