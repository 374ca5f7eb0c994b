//! The database file in the file system: where it lies, who may read it, and its log beside it.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use aimdb_persistence_backend::StorageErrorKind;

use crate::error::{During, Failure};
use crate::file::links;
use crate::file::open_here;

/// The path as SQLite gets it: absolute, because the bundled SQLite reads a name that begins with `file:` as a URI, options
/// and all; and without links, because the log lies beside the file that they lead to.
pub(crate) fn locate(path: &Path) -> Result<PathBuf, Failure> {
    refuse_uri(path)?;
    refuse_folder_name(path)?;
    links::follow(path).during(path, "resolving the path")
}

/// The path of a file that is to be made: no link at its end is followed, and nothing may lie there.
pub(crate) fn locate_new(path: &Path) -> Result<PathBuf, Failure> {
    refuse_uri(path)?;
    refuse_folder_name(path)?;
    let doing = "resolving the path";
    let absolute = std::path::absolute(path).during(path, doing)?;
    let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return refuse_folder(path);
    };
    let resolved = links::follow(folder).during(path, doing)?.join(name);
    refuse_existing(&resolved)?;
    Ok(resolved)
}

/// Other libraries of SQLite take a URI where a path is asked for. Taken as a path, it would make folders named `file:`.
fn refuse_uri(path: &Path) -> Result<(), Failure> {
    let Some(text) = path.to_str() else {
        return Ok(());
    };
    let Some(scheme) = ["file:", "sqlite:"].into_iter().find(|scheme| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    }) else {
        return Ok(());
    };
    let what = format!(
        "this is a URI, and a history is named by a path: leave out `{scheme}`, and set what follows a `?` by \
         `SqliteBackend::builder`; a file that is really called so is named `./{scheme}…`"
    );
    Err(Failure::new(StorageErrorKind::CannotOpen, path, what))
}

fn refuse_folder_name(path: &Path) -> Result<(), Failure> {
    let name = path.as_os_str().as_encoded_bytes();
    match name.last() {
        None => {
            let what =
                "the path is empty; name a file, such as `history.db`, or `:memory:` for none";
            Err(Failure::new(StorageErrorKind::CannotOpen, path, what))
        }
        Some(&last) if std::path::is_separator(last.into()) => refuse_folder(path),
        _ => Ok(()),
    }
}

fn refuse_folder<T>(path: &Path) -> Result<T, Failure> {
    let what = "this names a folder; name a file in it, such as `history.db`";
    Err(Failure::new(StorageErrorKind::CannotOpen, path, what))
}

fn refuse_existing(to: &Path) -> Result<(), Failure> {
    if to.symlink_metadata().is_ok() {
        let what = "there is a file of this name, and nothing is overwritten; choose another path";
        return Err(Failure::new(StorageErrorKind::CannotOpen, to, what));
    }
    refuse_beside(to)
}

/// SQLite would take a log or a journal that lies beside a new file for that file's.
pub(crate) fn refuse_beside(to: &Path) -> Result<(), Failure> {
    let parts = ["-wal", "-shm", "-journal"].map(|part| with_suffix(to, part));
    match parts.iter().find(|part| part.symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(left) => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            left,
            "this was left by another file, and SQLite would take it for a part of the new one; remove it, or choose \
             another path",
        )),
    }
}

/// Gives a file that is complete its name, which must still be free.
///
/// SQLite does not say whether closing a file has folded its log in. Where it has not, the log is still there.
pub(crate) fn name_complete(complete: &Path, to: &Path) -> Result<(), Failure> {
    let doing = "naming the complete file";
    if log_of(complete).symlink_metadata().is_ok() {
        let what = "its log could not be copied into it";
        return Err(Failure::new(StorageErrorKind::Io, complete, what));
    }
    refuse_existing(to)?;
    // Renaming replaces what has just appeared at the name. So the name is taken first.
    create_new(to, 0o600).during(to, doing)?;
    let named = fs::rename(complete, to).and_then(|()| sync_folder_of(to));
    if named.is_err() {
        // What was not completed has no name. If this fails, too, the cause is the one that the caller is told.
        let _ = fs::remove_file(to);
    }
    named.during(to, doing)
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

/// What was made on the way to a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Made {
    /// The topmost folder that was missing.
    pub(crate) folder: Option<PathBuf>,
}

/// Creates the file, and the folders above it, if it is not there. Its log inherits its permissions.
pub(crate) fn create_if_missing(path: &Path, mode: u32) -> Result<Made, Failure> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let made = create_folders(folder).during(path, "creating the folders above it")?;
    // Closing the new file would release the locks of a connection that is opened in between.
    let _guard = open_here::keep_closed();
    match create_new(path, mode) {
        Ok(_closed) => sync_folder(folder).during(path, "syncing the folder of the new file")?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        failed => failed.map(drop).during(path, "creating it")?,
    }
    Ok(Made { folder: made })
}

/// Whether this program may open as many files as a history takes.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a folder has no locks")]
pub(crate) fn are_descriptors_left(path: &Path) -> bool {
    const OF_A_HISTORY: usize = 8;
    const OF_THE_SYSTEM: i32 = 23; // ENFILE
    const OF_THE_PROGRAM: i32 = 24; // EMFILE
    let folder = path.parent().unwrap_or(Path::new("/"));
    let opened: io::Result<Vec<_>> = (0..OF_A_HISTORY).map(|_| File::open(folder)).collect();
    !opened.is_err_and(|error| matches!(error.raw_os_error(), Some(OF_THE_SYSTEM | OF_THE_PROGRAM)))
}

#[cfg(not(unix))]
pub(crate) fn are_descriptors_left(_path: &Path) -> bool {
    true
}

/// Creates the file, which must not be there, not even as a link.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    create_private(options.write(true).create_new(true), path, mode)
}

#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "nobody has a file open that is new"
)]
fn create_private(options: &mut OpenOptions, path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = options.mode(mode & 0o600).open(path)?;
    // The mode asked for, whatever the umask would have left of it.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(file)
}

#[cfg(not(unix))]
#[expect(
    clippy::disallowed_methods,
    reason = "nobody has a file open that is new"
)]
fn create_private(options: &mut OpenOptions, path: &Path, _mode: u32) -> io::Result<File> {
    options.open(path)
}

/// Like `create_dir_all`, but each new folder survives a power cut. Gives the topmost that was missing.
fn create_folders(folder: &Path) -> io::Result<Option<PathBuf>> {
    if folder.is_dir() {
        return Ok(None);
    }
    let Some(above) = folder.parent() else {
        return Ok(None);
    };
    let topmost = create_folders(above)?;
    let made = match fs::create_dir(folder) {
        Ok(()) => Some(folder.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
        Err(error) => return Err(error),
    };
    sync_folder(above)?;
    Ok(topmost.or(made))
}

/// A new folder for files that are being made, which nobody else may read.
pub(crate) fn create_folder_beside(path: &Path) -> io::Result<PathBuf> {
    let names = (1_u64..).map(|n| with_suffix(path, &format!(".working-{n}")));
    for name in names {
        match create_private_folder(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| name),
        }
    }
    unreachable!("one of endless names is free")
}

#[cfg(unix)]
fn create_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Makes a change of names in the file's folder durable.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    sync_folder(path.parent().unwrap_or(Path::new("/")))
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a folder has no locks")]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
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
