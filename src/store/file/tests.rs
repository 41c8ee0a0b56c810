use std::fs;

use super::*;

fn locked(path: &Path) -> (SharedFile, Lock) {
    let file = SharedFile::find(path).unwrap();
    let wait = LockWait::at_most(std::time::Duration::ZERO);
    let lock = file.lock(wait, &|_| {}).unwrap();
    (file, lock)
}

#[test]
fn a_file_that_cannot_be_replaced_stays_and_no_temporary_one_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    let (file, lock) = locked(&path);
    // A directory in its place: the rename would fail.
    fs::create_dir(&path).unwrap();
    let saved = file.replace(&lock, b"new");
    assert!(matches!(saved, Err(SaveError::NotSaved(_))));
    assert!(path.is_dir() && !directory.path().join("f.tmp").exists());
}

#[test]
fn a_torn_last_line_gets_its_newline_first() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("f.log"), "{\"half").unwrap();
    let file = SharedFile::find(&directory.path().join("f")).unwrap();
    let mut lines = Lines::open(&file.companion("log")).unwrap();
    lines.append("one\n").unwrap();
    lines.append("two\n").unwrap();
    let text = fs::read_to_string(directory.path().join("f.log")).unwrap();
    assert_eq!(text, "{\"half\none\ntwo\n");
}

#[cfg(unix)]
#[test]
fn links_lead_to_their_file_even_a_missing_one() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    let at = |name: &str| root.join(name);
    fs::create_dir(at("d")).unwrap();
    symlink("d/second", at("first")).unwrap();
    symlink("../missing", at("d/second")).unwrap();
    symlink("d", at("e")).unwrap();
    symlink("loop", at("loop")).unwrap();
    let path = |name: &str| SharedFile::find(&at(name)).unwrap().path().to_owned();
    assert_eq!(path("first"), at("missing"));
    assert_eq!(path("e/second"), at("missing"));
    assert_eq!(path("e/../e/plain"), at("d/plain"));
    assert_eq!(path("new/deeper/f"), at("new/deeper/f"));
    assert!(SharedFile::find(&at("loop")).is_err());
    assert!(SharedFile::find(&at("new/../f")).is_err());
}
