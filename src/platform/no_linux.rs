//! Systems other than Linux.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;

use super::Folder;

/// Extended attributes are not kept.
pub(crate) fn attributes(_: &File) -> io::Result<Vec<(CString, Vec<u8>)>> {
    Ok(Vec::new())
}

/// There is none to be set.
pub(crate) fn set_attribute(_: &File, _: &CStr, _: Option<&[u8]>) -> io::Result<()> {
    Ok(())
}

/// It cannot be told.
pub(crate) fn remote_file_system(_: &Folder) -> Option<&'static str> {
    None
}
