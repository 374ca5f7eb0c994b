//! The database file in the file system: where it lies, who may read it, and its log beside it.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aimdb_persistence_backend::StorageErrorKind;

use crate::error::{During, Failure};

/// The path as SQLite gets it. Absolute, because the bundled SQLite reads a name that begins with
/// `file:` as a URI, options and all.
pub(crate) fn locate(path: &Path) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(path).during(path, "resolving the path")?;
    if absolute.is_dir() {
        return Err(Failure::new(
            StorageErrorKind::CannotOpen,
            path,
            "this is a folder; name a file in it, such as `history.db`",
        ));
    }
    Ok(absolute)
}

/// The write-ahead log beside the database.
pub(crate) fn log_of(path: &Path) -> PathBuf {
    with_suffix(path, "-wal")
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Creates the file, and the folders above it, if it is not there. Its log inherits its permissions.
pub(crate) fn create_if_missing(path: &Path, mode: u32) -> Result<(), Failure> {
    // Closing a file releases every lock that this process holds on it, those of other connections as well. So it is
    // closed before anybody in this process can have opened it: all of them create it here first.
    static CREATION: Mutex<()> = Mutex::new(());
    let _guard = CREATION.lock().unwrap_or_else(PoisonError::into_inner);

    let folder = path.parent().unwrap_or(Path::new("/"));
    create_folders(folder).during(path, "creating the folders above it")?;
    match create_new(path, mode) {
        Ok(()) => sync_folder(folder).during(path, "syncing the folder of the new file"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        failed => failed.during(path, "creating it"),
    }
}

/// Whether this program may open as many files as a history takes.
#[cfg(unix)]
pub(crate) fn are_descriptors_left(path: &Path) -> bool {
    const OF_A_HISTORY: usize = 8;
    const OF_THE_SYSTEM: i32 = 23; // ENFILE
    const OF_THE_PROGRAM: i32 = 24; // EMFILE
    let folder = path.parent().unwrap_or(Path::new("/"));
    let opened: io::Result<Vec<_>> = (0..OF_A_HISTORY).map(|_| fs::File::open(folder)).collect();
    !opened.is_err_and(|error| matches!(error.raw_os_error(), Some(OF_THE_SYSTEM | OF_THE_PROGRAM)))
}

#[cfg(not(unix))]
pub(crate) fn are_descriptors_left(_path: &Path) -> bool {
    true
}

/// Creates the file, which must not be there.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    create_private(options.write(true).create_new(true), path, mode)
}

#[cfg(unix)]
fn create_private(options: &mut OpenOptions, path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = options.mode(mode & 0o600).open(path)?;
    // The mode asked for, whatever the umask would have left of it.
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn create_private(options: &mut OpenOptions, path: &Path, _mode: u32) -> io::Result<()> {
    options.open(path).map(drop)
}

/// Like `create_dir_all`, but each new folder survives a power cut.
fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        create_folders(above)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => sync_folder(above)?,
        }
    }
    Ok(())
}

/// Makes a change of names in the file's folder durable.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    sync_folder(path.parent().unwrap_or(Path::new("/")))
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match fs::File::open(folder) {
        Ok(folder) => folder.sync_all(),
        // A folder that may be written but not listed cannot be synced by name.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// The URI of a file that nobody changes. In a folder without room for a log a file can be read in no other way.
pub(crate) fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file://");
    if cfg!(windows) {
        uri.push('/');
    }
    for &byte in OsStr::as_encoded_bytes(path.as_os_str()) {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(byte.into());
            }
            _ => write!(uri, "%{byte:02X}").expect("a String takes all that is written"),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn nothing_in_a_path_becomes_an_option_of_its_uri() {
        assert_eq!(
            immutable_uri(Path::new("/a b/c?mode=rw&x#%.db")),
            "file:///a%20b/c%3Fmode%3Drw%26x%23%25.db?immutable=1"
        );
    }
}
