//! Extended attributes, of which the POSIX ACL is one. They are kept on Linux alone.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;

#[cfg(target_os = "linux")]
use {
    crate::platform::retry,
    rustix::buffer::spare_capacity,
    rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr},
    rustix::io::Errno,
};

/// The largest list of names and the largest value, in bytes (`linux/limits.h`).
#[cfg(target_os = "linux")]
const LARGEST: usize = 65_536;

/// A file's attributes; none where the file system knows none.
#[cfg(target_os = "linux")]
pub(crate) fn attributes(file: &File) -> io::Result<Vec<(CString, Vec<u8>)>> {
    let mut list = Vec::with_capacity(LARGEST);
    match retry(|| flistxattr(file, spare_capacity(&mut list))) {
        Err(error) if is(&error, &[Errno::NOTSUP, Errno::NOSYS]) => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut found = Vec::new();
    for name in list.split_inclusive(|byte| *byte == 0) {
        let Ok(name) = CStr::from_bytes_with_nul(name) else {
            continue;
        };
        let mut value = Vec::with_capacity(LARGEST);
        match retry(|| fgetxattr(file, name, spare_capacity(&mut value))) {
            // It went meanwhile.
            Err(error) if is(&error, &[Errno::NODATA]) => {}
            read => {
                read?;
                value.shrink_to_fit();
                found.push((name.to_owned(), value));
            }
        }
    }
    Ok(found)
}

#[cfg(target_os = "linux")]
fn is(error: &io::Error, errors: &[Errno]) -> bool {
    let is_error = |errno: &Errno| error.raw_os_error() == Some(errno.raw_os_error());
    errors.iter().any(is_error)
}

/// Sets an attribute, or takes it away.
#[cfg(target_os = "linux")]
pub(crate) fn set_attribute(file: &File, name: &CStr, value: Option<&[u8]>) -> io::Result<()> {
    match value {
        Some(value) => retry(|| fsetxattr(file, name, value, XattrFlags::empty())),
        None => retry(|| fremovexattr(file, name)),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn attributes(_: &File) -> io::Result<Vec<(CString, Vec<u8>)>> {
    Ok(Vec::new())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn set_attribute(_: &File, _: &CStr, _: Option<&[u8]>) -> io::Result<()> {
    Ok(())
}
