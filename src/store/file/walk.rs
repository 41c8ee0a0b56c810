//! From a path to an open directory and a name in it, one component after another.
//!
//! The system would do the same by itself, but would not say whose links it followed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::platform::file::Directory;

/// As many links as Linux follows before it calls them a loop.
const MOST_LINKS: usize = 40;

/// Where a path leads.
#[derive(Debug)]
pub(super) struct Walk {
    /// The last directory on the way that exists.
    pub(super) directory: Directory,
    /// Its path, without links.
    pub(super) path: PathBuf,
    /// The directories below it that do not exist yet, the topmost first.
    pub(super) missing: Vec<OsString>,
    /// The links that were followed, and the users who own them.
    pub(super) links: Vec<(PathBuf, u32)>,
}

/// One step of a path.
enum Step {
    /// To a root.
    Root(PathBuf),
    /// To the directory above.
    Up,
    /// To what has this name.
    Down(OsString),
}

/// Follows the path of a file to its directory, and gives its name in that. Neither need exist.
pub(super) fn walk(path: &Path) -> io::Result<(Walk, OsString)> {
    let mut path = std::path::absolute(path)?;
    let root = path.ancestors().last().unwrap_or(&path);
    let mut walk = Walk {
        directory: Directory::at(root)?,
        path: root.to_owned(),
        missing: Vec::new(),
        links: Vec::new(),
    };
    loop {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        walk.go(path.parent().unwrap_or(Path::new("")))?;
        match walk.link(name)? {
            Some(target) => path = target,
            None => return Ok((walk, name.to_owned())),
        }
    }
}

impl Walk {
    fn go(&mut self, path: &Path) -> io::Result<()> {
        let mut left = steps(path);
        while let Some(step) = left.pop() {
            match step {
                Step::Root(root) => {
                    self.directory = Directory::at(&root)?;
                    self.path = root;
                }
                Step::Up if !self.missing.is_empty() => return Err(io::ErrorKind::NotFound.into()),
                Step::Up => {
                    self.directory = self.directory.enter("..".as_ref())?;
                    self.path.pop();
                }
                Step::Down(name) => {
                    if let Some(target) = self.down(name)? {
                        left.extend(steps(&target));
                    }
                }
            }
        }
        Ok(())
    }

    /// Goes into a directory or, where that is a link, gives what it leads to.
    fn down(&mut self, name: OsString) -> io::Result<Option<PathBuf>> {
        if !self.missing.is_empty() {
            self.missing.push(name);
            return Ok(None);
        }
        let error = match self.directory.enter(&name) {
            Ok(directory) => {
                self.directory = directory;
                self.path.push(name);
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.missing.push(name);
                return Ok(None);
            }
            Err(error) => error,
        };
        match self.link(&name)? {
            Some(_) if self.directory.is_proc() => {
                self.directory = self.directory.follow(&name)?;
                self.path.push(name);
                Ok(None)
            }
            Some(target) => Ok(Some(target)),
            None => Err(error),
        }
    }

    /// Where the link with this name leads, if it is one.
    fn link(&mut self, name: &OsStr) -> io::Result<Option<PathBuf>> {
        if !self.missing.is_empty() {
            return Ok(None);
        }
        let target = match self.directory.link(name) {
            Ok(target) => target,
            // It is no link, or nothing is there.
            Err(error) if is_no_link(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let owner = self.directory.status(name)?.owner();
        self.links.push((self.path.join(name), owner));
        if self.links.len() > MOST_LINKS {
            return Err(io::Error::other("too many levels of symbolic links"));
        }
        Ok(Some(target))
    }
}

fn is_no_link(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
    )
}

/// A path's steps, the last one first.
fn steps(path: &Path) -> Vec<Step> {
    let step = |component: Component| match component {
        Component::Prefix(_) | Component::RootDir => {
            Some(Step::Root(Path::new(component.as_os_str()).to_owned()))
        }
        Component::CurDir => None,
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
    };
    path.components().rev().filter_map(step).collect()
}
