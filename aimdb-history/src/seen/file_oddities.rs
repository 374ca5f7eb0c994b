//! What is odd about the file of a history and the place where it lies.

use std::fs;
use std::path::Path;

use aimdb_persistence::Ask;
use indicatif::BinaryBytes;

use crate::error::HistoryError;
use crate::location::OpenHistory;
use crate::question::show_length;
use crate::seen::oddities::Oddity;

/// A log that is larger has a reader that does not end, or a writer that has none of our care.
const LARGE_LOG: u64 = 64 << 20;
const DAY_MS: u64 = 86_400_000;
/// A disk that is full within that time is odd.
const SOON_MS: u64 = 90 * DAY_MS;
/// What was recorded in less time says nothing about growth.
const LEAST_SPAN_MS: u64 = DAY_MS;

/// What is odd about a file: links, permissions, a large log, that its disk will be full soon, that there is no backup.
///
/// # Errors
/// The backend's, and the file system's.
pub async fn file_oddities(
    history: &OpenHistory,
    path: &Path,
    now_ms: u64,
) -> Result<Vec<Oddity>, HistoryError> {
    let about = path.display().to_string();
    let mut found = Vec::new();
    let looking = "looking at it";
    let link = fs::symlink_metadata(path).map_err(HistoryError::of_file(path, looking))?;
    if link.file_type().is_symlink() {
        found.push(Oddity::new(
            &about,
            "it is a link; the file lies elsewhere",
            "give programs the path of the file itself: who replaces the link leaves them with the old file",
        ));
    }
    let file = fs::metadata(path).map_err(HistoryError::of_file(path, looking))?;
    found.extend(permissions(&about, &file));
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log_bytes = fs::metadata(&log).map_or(0, |log| log.len());
    if log_bytes > LARGE_LOG {
        found.push(Oddity::new(
            &about,
            format!("its log has {}", BinaryBytes(log_bytes)),
            "a program reads it without an end, or has the file open and does nothing: end it",
        ));
    }
    found.extend(growth(history, path, file.len() + log_bytes, now_ms).await?);
    if !has_backup(path) {
        found.push(Oddity::new(
            &about,
            "there is no backup in its folder, nor in a folder `backup` or `backups` beside it",
            "`backup FILE --keep 7`, best onto another disk; if you have one elsewhere, all is well",
        ));
    }
    Ok(found)
}

#[cfg(unix)]
fn permissions(about: &str, file: &fs::Metadata) -> Option<Oddity> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.permissions().mode() & 0o777;
    (mode & 0o002 != 0).then(|| {
        Oddity::new(
            about,
            format!("everybody may write it (mode {mode:03o})"),
            "chmod o-w, and its folder too",
        )
    })
}

#[cfg(not(unix))]
fn permissions(_: &str, _: &fs::Metadata) -> Option<Oddity> {
    None
}

/// What it grows by, if it goes on as over the time that its rows span, and when its disk is full then.
async fn growth(
    history: &OpenHistory,
    path: &Path,
    bytes: u64,
    now_ms: u64,
) -> Result<Option<Oddity>, HistoryError> {
    let Some(free) = free_bytes(path) else {
        return Ok(None);
    };
    let series = history.archive.history("#").series().await?;
    let within = series.iter().filter(|series| series.last_ms <= now_ms);
    let (first_ms, last_ms) = within.fold((u64::MAX, 0), |ends, series| {
        (ends.0.min(series.first_ms), ends.1.max(series.last_ms))
    });
    let span_ms = last_ms.saturating_sub(first_ms);
    // What records no longer grows no longer.
    let is_recording = now_ms.saturating_sub(last_ms) < DAY_MS;
    if span_ms < LEAST_SPAN_MS || !is_recording {
        return Ok(None);
    }
    let a_day = bytes as f64 * DAY_MS as f64 / span_ms as f64;
    let full_ms = (free as f64 / a_day * DAY_MS as f64) as u64;
    Ok((full_ms < SOON_MS).then(|| {
        Oddity::new(
            path.display().to_string(),
            format!(
                "it grows by {} a day, {} are free: its disk is full in {}",
                BinaryBytes(a_day as u64),
                BinaryBytes(free),
                show_length(full_ms)
            ),
            "a shorter retention, `max_bytes`, or a larger disk",
        )
    }))
}

#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// Whether another file that may be a copy lies where one would look.
fn has_backup(path: &Path) -> bool {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let (Some(stem), Some(name)) = (stem, path.file_name()) else {
        return false;
    };
    let is_copy = |entry: fs::DirEntry| {
        let entry_name = entry.file_name().to_string_lossy().into_owned();
        let is_of_it = entry_name.starts_with(&stem) && entry.file_name() != name;
        let is_beside = ["-wal", "-shm", "-journal", ".partial"]
            .iter()
            .any(|ending| entry_name.ends_with(ending));
        is_of_it && !is_beside && entry.metadata().is_ok_and(|file| file.is_file())
    };
    let folders = [
        folder.to_owned(),
        folder.join("backup"),
        folder.join("backups"),
    ];
    folders.iter().enumerate().any(|(index, folder)| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| match index {
            0 => is_copy(entry),
            _ => entry
                .metadata()
                .is_ok_and(|file| file.is_file() && file.len() > 0),
        })
    })
}
