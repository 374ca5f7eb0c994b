//! A history in a text file, one JSON object a line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aimdb_persistence_backend::{
    BoxFuture, Pattern, PersistenceBackend, PersistenceError, QueryParams, StorageError,
    StorageErrorKind, StoredValue,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::spawn_blocking;

/// A backend that appends a line for each row.
///
/// Every query reads the whole file, which suits some thousand rows. A stored row survives a crash of the process; a
/// power cut may cost the last ones. `tests/custom_backend.rs` holds it against every promise of the contract.
pub(crate) struct JsonLines {
    log: Arc<Mutex<Log>>,
}

impl JsonLines {
    /// Opens the file, or creates it.
    pub(crate) fn open(path: &Path) -> Result<Self, PersistenceError> {
        let log = Log::open(path).map_err(|error| failure(path, error))?;
        Ok(Self {
            log: Arc::new(Mutex::new(log)),
        })
    }

    /// Works on the file on a thread that may block: the one that polls a future must not wait for a disk.
    fn on_log<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Log) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, PersistenceError>> {
        let log = Arc::clone(&self.log);
        Box::pin(async move {
            let worked = spawn_blocking(move || {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                work(&mut log).map_err(|error| failure(&log.path, error))
            });
            worked
                .await
                .map_err(|error| PersistenceError::Backend(error.to_string()))?
        })
    }
}

impl PersistenceBackend for JsonLines {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            let mut line = serde_json::to_vec(&Line {
                record: record_name.to_owned(),
                at: timestamp,
                value: value.clone(),
            })?;
            // A value nests one level deeper in its line: one that cannot be read back there is refused here.
            serde_json::from_slice::<Line>(&line)?;
            line.push(b'\n');
            self.on_log(move |log| log.append(&line)).await
        })
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        Box::pin(async move {
            let pattern = Pattern::parse(record_pattern)?;
            let lines = self.on_log(|log| log.lines()).await?;
            Ok(select(lines, &pattern, &params))
        })
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        self.on_log(move |log| log.remove_before(older_than))
    }
}

/// The rows of a query, by record name and then newest first.
fn select(lines: Vec<Line>, pattern: &Pattern, params: &QueryParams) -> Vec<StoredValue> {
    let mut rows: Vec<StoredValue> = lines
        .into_iter()
        .rev() // so that of two rows with one time the one stored last comes first: the sort is stable
        .filter(|line| pattern.matches(&line.record))
        .filter(|line| params.start_time.is_none_or(|start| line.at >= start))
        .filter(|line| params.end_time.is_none_or(|end| line.at <= end))
        .map(|line| StoredValue {
            record_name: line.record,
            value: line.value,
            stored_at: line.at,
        })
        .collect();
    rows.sort_by(|a, b| (&a.record_name, b.stored_at).cmp(&(&b.record_name, a.stored_at)));
    match params.limit_per_record {
        None => rows,
        Some(limit) => rows
            .chunk_by(|a, b| a.record_name == b.record_name)
            .flat_map(|record| record.iter().take(limit).cloned())
            .collect(),
    }
}

/// A row as it stands in the file.
#[derive(Serialize, Deserialize)]
struct Line {
    record: String,
    at: u64,
    value: Value,
}

struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let log = Self {
            path: path.to_owned(),
            file,
        };
        log.cut_unfinished_line()?;
        Ok(log)
    }

    /// A crash may leave half a line, which was never confirmed to anybody.
    fn cut_unfinished_line(&self) -> io::Result<()> {
        let content = fs::read(&self.path)?;
        let end = content.iter().rposition(|byte| *byte == b'\n');
        self.file.set_len(end.map_or(0, |end| end as u64 + 1))
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let written = self.file.write_all(line);
        if written.is_err() {
            // A full disk leaves half a line, and the next one must not continue it.
            self.file.set_len(length)?;
        }
        written
    }

    fn lines(&self) -> io::Result<Vec<Line>> {
        let reader = BufReader::new(File::open(&self.path)?);
        let mut lines = Vec::new();
        for (index, text) in reader.lines().enumerate() {
            let line = serde_json::from_str(&text?).map_err(|error| {
                let reason = format!("line {} is not a row: {error}", index + 1);
                io::Error::new(io::ErrorKind::InvalidData, reason)
            })?;
            lines.push(line);
        }
        Ok(lines)
    }

    /// Writes the rows that stay beside the file and then puts them in its place: a crash leaves the one or the other.
    fn remove_before(&mut self, older_than: u64) -> io::Result<u64> {
        let mut lines = self.lines()?;
        let before = lines.len();
        lines.retain(|line| line.at >= older_than);
        let removed = before - lines.len();
        if removed > 0 {
            let beside = self.path.with_extension("new");
            let mut writer = BufWriter::new(File::create(&beside)?);
            for line in &lines {
                serde_json::to_writer(&mut writer, line)?;
                writer.write_all(b"\n")?;
            }
            writer.into_inner()?.sync_all()?;
            fs::rename(&beside, &self.path)?;
            self.file = OpenOptions::new().append(true).open(&self.path)?;
        }
        Ok(removed as u64)
    }
}

/// An error that a recorder can act upon: it waits for a full disk, and tries again what may be passing.
fn failure(path: &Path, error: io::Error) -> PersistenceError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull => StorageErrorKind::DiskFull,
        io::ErrorKind::InvalidData => StorageErrorKind::Corrupt,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StorageErrorKind::ReadOnly
        }
        _ => StorageErrorKind::Io,
    };
    StorageError::new(kind, format!("{}: {error}", path.display()))
        .with_source(error)
        .into()
}
