//! Copies of a history, of which the newest are kept.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::HistoryError;
use crate::location::OpenHistory;

/// A backup that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// The copy.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Older copies that were removed.
    pub removed: Vec<PathBuf>,
}

/// Copies the history to `to` while a program may go on recording.
///
/// With `keep`, the time goes into the name, `history-20261128T120000Z.db` for `history.db`, and of the copies with such
/// names the newest so many are kept. An older one is removed only after the new one is complete.
///
/// # Errors
/// [`HistoryError::Usage`] for what is no file; the backend's, if there is a file at `to`, or no room.
pub async fn backup(
    history: &OpenHistory,
    to: &Path,
    keep: Option<usize>,
    now: jiff::Timestamp,
) -> Result<Backup, HistoryError> {
    let Some(backend) = &history.file else {
        let reason = "`backup` copies a SQLite file; a server has its own tools for that";
        return Err(HistoryError::Usage(reason.to_owned()));
    };
    let file = match keep {
        None => to.to_owned(),
        Some(_) => dated(to, now),
    };
    backend.backup_to(&file).await?;
    let copied = fs::metadata(&file).map_err(HistoryError::of_file(&file, "looking at it"))?;
    let removed = match keep {
        None => Vec::new(),
        Some(keep) => remove_oldest(to, keep)?,
    };
    Ok(Backup {
        file,
        bytes: copied.len(),
        removed,
    })
}

const TIME: &str = "%Y%m%dT%H%M%SZ";

fn dated(to: &Path, now: jiff::Timestamp) -> PathBuf {
    let (stem, ending) = parts(to);
    to.with_file_name(format!("{stem}-{}{ending}", now.strftime(TIME)))
}

/// `history` and `.db`.
fn parts(to: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| {
        part.map_or_else(String::new, |part| part.to_string_lossy().into_owned())
    };
    let ending = match text(to.extension()) {
        ending if ending.is_empty() => ending,
        ending => format!(".{ending}"),
    };
    (text(to.file_stem()), ending)
}

/// By their names, which sort by time.
fn remove_oldest(to: &Path, keep: usize) -> Result<Vec<PathBuf>, HistoryError> {
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (stem, ending) = parts(to);
    let is_copy = |name: &str| {
        let middle = name
            .strip_prefix(&stem)
            .and_then(|rest| rest.strip_prefix('-'))
            .and_then(|rest| rest.strip_suffix(&*ending));
        middle.is_some_and(|time| jiff::civil::DateTime::strptime(TIME, time).is_ok())
    };
    let mut copies = Vec::new();
    for entry in fs::read_dir(folder).map_err(HistoryError::of_file(folder, "listing it"))? {
        let entry = entry.map_err(HistoryError::of_file(folder, "listing it"))?;
        if entry.file_name().to_str().is_some_and(is_copy) {
            copies.push(entry.path());
        }
    }
    copies.sort();
    copies.truncate(copies.len().saturating_sub(keep.max(1)));
    for copy in &copies {
        fs::remove_file(copy).map_err(HistoryError::of_file(copy, "removing it"))?;
    }
    Ok(copies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_older_copies_of_the_same_name_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "history-20261101T000000Z.db",
            "history-20261102T000000Z.db",
            "history-20261103T000000Z.db",
            "history-20261103T000000Z.db-wal",
            "history-old.db",
            "history.db",
            "other-20261101T000000Z.db",
        ];
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let removed = remove_oldest(&folder.path().join("history.db"), 2).unwrap();
        assert_eq!(removed, [folder.path().join(names[0])]);
        let now = jiff::Timestamp::from_second(1_795_867_200).unwrap();
        let dated = dated(Path::new("a/history.db"), now);
        assert_eq!(dated, Path::new("a/history-20261128T120000Z.db"));
    }
}
