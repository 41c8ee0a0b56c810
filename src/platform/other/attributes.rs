//! Systems whose extended attributes are not kept.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;

/// None is known.
pub(crate) fn names(_: &File) -> io::Result<Vec<CString>> {
    Ok(Vec::new())
}

/// None is known.
pub(crate) fn value(_: &File, _: &CStr) -> io::Result<Option<Vec<u8>>> {
    Ok(None)
}

/// There is none to set.
pub(crate) fn set(_: &File, _: &CStr, _: &[u8]) -> io::Result<()> {
    Ok(())
}

/// There is none to take away.
pub(crate) fn remove(_: &File, _: &CStr) -> io::Result<()> {
    Ok(())
}
