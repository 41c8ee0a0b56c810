//! Extended attributes of Linux.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;

use rustix::buffer::spare_capacity;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

use crate::platform::retry;

/// The largest list of names and the largest value, in bytes (`linux/limits.h`).
const LARGEST: usize = 65_536;

/// The names of a file's attributes; none where the file system knows no attributes.
pub(crate) fn names(file: &File) -> io::Result<Vec<CString>> {
    let mut list = Vec::with_capacity(LARGEST);
    let listed = retry(|| flistxattr(file, spare_capacity(&mut list)));
    unless_none(listed)?;
    let names = list.split_inclusive(|byte| *byte == 0);
    Ok(names
        .filter_map(|name| CStr::from_bytes_with_nul(name).ok().map(CStr::to_owned))
        .collect())
}

/// The value of an attribute, if the file has it.
pub(crate) fn value(file: &File, name: &CStr) -> io::Result<Option<Vec<u8>>> {
    let mut value = Vec::with_capacity(LARGEST);
    let read = retry(|| fgetxattr(file, name, spare_capacity(&mut value)));
    Ok(unless_none(read)?.map(|_| value))
}

/// Sets an attribute.
pub(crate) fn set(file: &File, name: &CStr, value: &[u8]) -> io::Result<()> {
    retry(|| fsetxattr(file, name, value, XattrFlags::empty()))
}

/// Takes an attribute away.
pub(crate) fn remove(file: &File, name: &CStr) -> io::Result<()> {
    retry(|| fremovexattr(file, name))
}

/// The file system has no attributes, or the file not this one.
fn unless_none(answer: io::Result<usize>) -> io::Result<Option<usize>> {
    match answer {
        Err(error) if has_none(&error) => Ok(None),
        answer => answer.map(Some),
    }
}

fn has_none(error: &io::Error) -> bool {
    let none = [Errno::NOTSUP, Errno::NOSYS, Errno::NODATA];
    none.iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
