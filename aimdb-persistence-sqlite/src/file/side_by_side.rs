//! Refuses a file whose log would not lie beside it for everybody: one with two names, or one that is mounted alone.
//!
//! SQLite names the log after the path. Whoever opens the file by another path finds another log, or none. Rows are lost
//! then, and two writers damage the file.

use std::fs;
use std::path::Path;

use aimdb_persistence_backend::StorageErrorKind;

use crate::error::Failure;

/// To be asked of a path without links. What is not there is not refused.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    let Ok(found) = fs::metadata(path) else {
        return Ok(());
    };
    if found.is_dir() {
        return refuse(
            path,
            "this is a folder; name a file in it, such as `history.db`",
        );
    }
    if !found.is_file() {
        // Opening a pipe for reading would wait for somebody who writes into it.
        return refuse(
            path,
            "this is a pipe or a device, and no file; choose another path",
        );
    }
    match names(&found) {
        0 | 1 => {}
        names => {
            let what = format!(
                "it has {names} names (hard links), and its log lies beside one of them only; close it everywhere, then \
                 remove the other names (`find … -samefile {}` lists them), or copy it to a new file",
                path.display()
            );
            return refuse(path, &what);
        }
    }
    if is_mounted_alone(path) {
        let what = "this file alone is mounted here, and its log would stay outside; mount the folder that holds it";
        return refuse(path, what);
    }
    Ok(())
}

fn refuse(path: &Path, what: &str) -> Result<(), Failure> {
    Err(Failure::new(StorageErrorKind::CannotOpen, path, what))
}

#[cfg(unix)]
fn names(file: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    file.nlink()
}

#[cfg(not(unix))]
fn names(_file: &fs::Metadata) -> u64 {
    1
}

#[cfg(target_os = "linux")]
#[expect(
    clippy::disallowed_methods,
    reason = "this is no history, but the system's own file"
)]
fn is_mounted_alone(path: &Path) -> bool {
    // Where this cannot be read, nothing is known of mounts.
    fs::read("/proc/self/mountinfo").is_ok_and(|mounts| linux::is_mount_point(path, &mounts))
}

#[cfg(not(target_os = "linux"))]
fn is_mounted_alone(_path: &Path) -> bool {
    false
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::path::Path;

    /// The fifth word of each line is where something is mounted.
    pub(super) fn is_mount_point(path: &Path, mounts: &[u8]) -> bool {
        let path = OsStr::as_encoded_bytes(path.as_os_str());
        let places = mounts
            .split(|&byte| byte == b'\n')
            .filter_map(|line| line.split(|&byte| byte == b' ').nth(4));
        places.map(plain).any(|place| place == path)
    }

    /// Blanks and the like are written as a backslash and three octal digits.
    fn plain(word: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(word.len());
        let mut left = word;
        while let [first, rest @ ..] = left {
            let escaped = match left {
                [b'\\', digits @ ..] => octal(digits),
                _ => None,
            };
            plain.push(escaped.unwrap_or(*first));
            left = match escaped {
                Some(_) => &rest[3..],
                None => rest,
            };
        }
        plain
    }

    fn octal(digits: &[u8]) -> Option<u8> {
        let digits = std::str::from_utf8(digits.get(..3)?).ok()?;
        u8::from_str_radix(digits, 8).ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_mount_point_is_found_by_its_name_as_it_is() {
            let mounts = br"22 1 0:20 / / rw - overlay overlay rw
101 22 8:1 /srv/history.db /data/history.db rw,relatime - ext4 /dev/sda1 rw
102 22 8:1 /x /data/with\040blank\134 rw - ext4 /dev/sda1 rw
";
            for (path, is_one) in [
                ("/data/history.db", true),
                (r"/data/with blank\", true),
                ("/data", false),
                ("/srv/history.db", false),
                ("/data/history.db-wal", false),
            ] {
                assert_eq!(is_mount_point(Path::new(path), mounts), is_one, "{path}");
            }
        }
    }
}
