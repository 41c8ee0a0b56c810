//! From a path to the folder of a file.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::if_there;
use crate::platform::{Folder, is_no_link, retry};

/// As many links as Linux follows before it calls them a loop.
const MOST_LINKS: usize = 40;

/// Where a path leads, without links, and the links on the way. Nothing of it need exist:
/// `fs::canonicalize` fails on a dangling link, and a rename onto a link would replace the link.
pub(super) fn resolve(path: &Path) -> io::Result<(PathBuf, Vec<PathBuf>)> {
    let mut left = parts(&std::path::absolute(path)?);
    let (mut at, mut links) = (PathBuf::new(), Vec::new());
    while let Some(part) = left.pop() {
        if part == ".." {
            at.pop();
            continue;
        }
        at.push(part);
        let target = match retry(|| fs::read_link(&at)) {
            Err(error) if is_no_link(&error) => continue,
            target => target?,
        };
        left.extend(parts(&target));
        links.push(at.clone());
        at.pop();
        if links.len() > MOST_LINKS {
            return Err(io::Error::other("too many levels of symbolic links"));
        }
    }
    Ok((at, links))
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev();
    let parts = parts.filter(|part| *part != Component::CurDir);
    parts.map(|part| part.as_os_str().to_owned()).collect()
}

/// The last folder of a path that exists, and its path.
pub(super) fn nearest(path: &Path) -> io::Result<(Folder, &Path)> {
    for folder in path.ancestors() {
        if let Some(opened) = if_there(Folder::open(folder))? {
            return Ok((opened, folder));
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn links_lead_to_their_file_even_a_missing_one() {
        use super::*;
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        fs::create_dir(at("d")).unwrap();
        let links = [("d/second", "first"), ("../missing", "d/second"), ("loop", "loop")];
        for (target, link) in links {
            std::os::unix::fs::symlink(target, at(link)).unwrap();
        }
        let links = vec![at("first"), at("d/second")];
        assert_eq!(resolve(&at("first")).unwrap(), (at("missing"), links));
        assert_eq!(resolve(&at("d/../plain")).unwrap(), (at("plain"), vec![]));
        assert!(resolve(&at("loop")).is_err());
    }
}
