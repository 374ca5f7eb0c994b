//! Where a path leads: every symbolic link in it is followed, once.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Linux follows as many.
const MOST_LINKS: usize = 40;

/// The absolute path without links. What is missing at its end stays as it is named: a link that dangles leads to the file
/// that is to be made.
pub(crate) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut resolved = PathBuf::new();
    let mut left = reversed(&std::path::absolute(path)?);
    let mut links = 0;
    while let Some(name) = left.pop() {
        if name == ".." {
            resolved.pop();
            continue;
        }
        let next = resolved.join(&name);
        if !is_link(&next)? {
            resolved = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            let what = format!("its links lead in a circle, or there are more than {MOST_LINKS}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        left.extend(reversed(&fs::read_link(&next)?));
    }
    Ok(resolved)
}

/// The names in a path, the last one first. Joining the root to a path replaces the path.
fn reversed(path: &Path) -> Vec<OsString> {
    let names = path.components().filter(|name| *name != Component::CurDir);
    names
        .rev()
        .map(|name| name.as_os_str().to_owned())
        .collect()
}

fn is_link(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(found.file_type().is_symlink()),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_wherever_they_stand_and_whether_or_not_they_lead_to_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("data/deep")).unwrap();
        fs::write(root.join("data/file"), "").unwrap();
        for (link, target) in [
            ("to-folder", "data/deep"),
            ("to-file", "./data/file"),
            ("to-link", "to-file"),
            ("dangling", "to-folder/../missing.db"),
            ("data/deep/up", "../../to-file"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        symlink(root.join("dangling"), root.join("absolute")).unwrap();
        for (path, expected) in [
            ("data/file", "data/file"),
            ("to-file", "data/file"),
            ("to-link", "data/file"),
            ("to-folder/new.db", "data/deep/new.db"),
            ("to-folder/../file", "data/file"),
            ("to-folder/up", "data/file"),
            ("dangling", "data/missing.db"),
            ("absolute", "data/missing.db"),
            ("not/there/../yet.db", "not/yet.db"),
            ("./data//file", "data/file"),
        ] {
            assert_eq!(
                follow(&root.join(path)).unwrap(),
                root.join(expected),
                "{path}"
            );
        }
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        symlink("two", folder.path().join("one")).unwrap();
        symlink("one", folder.path().join("two")).unwrap();
        let error = follow(&folder.path().join("one")).unwrap_err();
        assert!(error.to_string().contains("circle"), "{error}");
    }
}
