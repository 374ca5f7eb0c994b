//! The backend itself: a handle that is cheap to clone, and the threads behind it.

mod contract;
mod packing;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use aimdb_persistence_backend::{
    PersistenceBackend, PersistenceError, ReadRequest, StorageErrorKind,
};
use tokio::sync::oneshot;

use crate::error::Failure;
use crate::file::check::{CheckProgress, CheckReport};
use crate::file::version;
use crate::options::SqliteBackendBuilder;
use crate::read::cursor::After;
use crate::read::reading::{ReadAnswer, ReadJob};
use crate::threads::command::Command;
use crate::threads::lifecycle::Threads;
use crate::threads::queue::Queue;

const LEAST_MAX_BYTES: u64 = 1 << 20;

/// History in a SQLite file.
///
/// A clone is another handle on the same file. When the last one is dropped, the threads write what was handed over,
/// close the file and end; dropping does not wait for them. [`close`](Self::close) does the same, and resolves when it is
/// done.
///
/// Opening a file of the published `aimdb-persistence-sqlite` takes its rows over. The published crate cannot open the file
/// afterwards. Stop every program that still records into it first, and have more than twice its size free. A file with
/// further columns, with triggers, or with tables that refer to its rows is refused: they would be lost.
///
/// ```
/// use aimdb_persistence_backend::{PersistenceBackend, QueryParams};
/// use aimdb_persistence_sqlite::SqliteBackend;
/// use serde_json::json;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("history.db");
/// # runtime.block_on(async {
/// let backend = SqliteBackend::new(path)?;
/// backend.store("temperature.sf", &json!({ "celsius": 13.2 }), 1_000).await?;
/// let rows = backend.query("temperature.*", QueryParams::default()).await?;
/// assert_eq!(rows[0].value["celsius"], 13.2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteBackend {
    pub(crate) threads: Arc<Threads>,
}

impl SqliteBackend {
    /// Opens the file at `path`. If it is missing, it is created, and so are the folders above it;
    /// [`BackendHealth::new_history`](aimdb_persistence_backend::BackendHealth::new_history) then says so. `":memory:"` is a
    /// database without a file, private to this backend and its clones.
    ///
    /// Symbolic links in the path are followed once, here. The file and its log lie side by side: a file with a second name
    /// (a hard link) is refused, and so is a single file that is mounted, as into a container; mount its folder.
    ///
    /// This blocks while the file is opened. A file of the published crate is taken over first: that takes seconds for a
    /// million rows.
    ///
    /// # Errors
    /// [`PersistenceError::Storage`]. Its kind says whether the file cannot be opened (or belongs to another program), may
    /// only be read, is damaged, or was written by a newer version than this one knows. A program built without the feature
    /// `bundled` also fails on a SQLite that damages shared files, see [`only_writer`](SqliteBackendBuilder::only_writer).
    pub fn new(path: impl AsRef<Path>) -> Result<Self, PersistenceError> {
        Self::builder(path).open()
    }

    /// Opens a file with options.
    pub fn builder(path: impl AsRef<Path>) -> SqliteBackendBuilder {
        SqliteBackendBuilder::new(path.as_ref().to_owned())
    }

    /// The absolute path of the file, without links; `:memory:` if there is none.
    pub fn path(&self) -> &Path {
        self.threads.path()
    }

    /// Writes what was handed over, syncs it if the durability says so, and closes the file. Later calls, on clones too,
    /// fail with [`PersistenceError::BackendShutdown`].
    ///
    /// # Errors
    /// [`PersistenceError::Storage`] if the last sync failed; the file is closed nevertheless. Closing again is not an
    /// error.
    pub async fn close(&self) -> Result<(), PersistenceError> {
        let flushed = match self.flush().await {
            Err(PersistenceError::BackendShutdown) => Ok(()),
            flushed => flushed,
        };
        self.threads.close_queues();
        self.threads.ended().await;
        flushed
    }

    /// Takes a consistent copy while recording and queries continue.
    ///
    /// The copy holds every row that was stored before the call. It is a history like any other: open it, or replace a lost
    /// file with it. It appears at `path` when it is complete and synced. Until then it is `<path>.partial`, which is removed
    /// if copying fails or the future is dropped. While copying lasts, the log grows by what is recorded.
    ///
    /// ```
    /// # use aimdb_persistence_backend::PersistenceBackend;
    /// # use aimdb_persistence_sqlite::SqliteBackend;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// # runtime.block_on(async {
    /// let backend = SqliteBackend::new(folder.join("history.db"))?;
    /// backend.store("temperature.sf", &serde_json::json!(13.2), 1_000).await?;
    /// backend.backup_to(folder.join("monday.db")).await?;
    ///
    /// let monday = SqliteBackend::builder(folder.join("monday.db")).read_only().open()?;
    /// assert_eq!(monday.query("#", Default::default()).await?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PersistenceError::Storage`] if there is a file or a link at `path` already, if a log or a journal of another file lies
    /// beside it, or if there is no room for the copy.
    pub async fn backup_to(&self, path: impl AsRef<Path>) -> Result<(), PersistenceError> {
        let to = path.as_ref().to_owned();
        let Some(jobs) = &self.threads.jobs else {
            let file_mode = self.threads.options.file_mode;
            let back_up = |answer| Command::BackUp {
                to,
                file_mode,
                answer,
            };
            return self.ask(back_up).await?;
        };
        if jobs.is_closed() {
            return Err(PersistenceError::BackendShutdown);
        }
        let (answer, copied) = oneshot::channel();
        self.threads.back_up(jobs, to, answer)?;
        copied
            .await
            .map_err(|_| PersistenceError::BackendShutdown)?
    }

    /// Checks the whole file while recording and queries continue: SQLite's own structure (`integrity_check`), the checksum of
    /// every row, whether every long value is there, and whether each series has as many rows as were stored and not removed.
    ///
    /// It has a thread and a connection of its own, and calls `progress` after each step. The check of the structure is one
    /// step, during which the log grows by what is recorded; rows are checked in steps of some milliseconds. The check ends when
    /// the future is dropped.
    ///
    /// ```
    /// # use aimdb_persistence_backend::PersistenceBackend;
    /// # use aimdb_persistence_sqlite::SqliteBackend;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// # runtime.block_on(async {
    /// let backend = SqliteBackend::new(folder.join("history.db"))?;
    /// backend.store("temperature.sf", &serde_json::json!(13.2), 1_000).await?;
    /// let report = backend.check(|progress| println!("{} of {} rows", progress.rows, progress.of_rows)).await?;
    /// assert!(report.is_sound(), "{:?}", report.first);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PersistenceError::Storage`] if the file cannot be read, or so little of it that nothing can be checked. What is wrong
    /// with it otherwise stands in the report. There is nothing to check in a database in memory.
    pub async fn check(
        &self,
        progress: impl FnMut(CheckProgress) + Send + 'static,
    ) -> Result<CheckReport, PersistenceError> {
        let Some(jobs) = &self.threads.jobs else {
            return Ok(CheckReport::default());
        };
        if jobs.is_closed() {
            return Err(PersistenceError::BackendShutdown);
        }
        let (answer, checked) = oneshot::channel();
        self.threads.check(jobs, progress, answer)?;
        checked
            .await
            .map_err(|_| PersistenceError::BackendShutdown)?
    }

    pub(crate) fn only_reads(&self) -> bool {
        self.threads.commands.is_none()
    }

    fn commands(&self) -> Result<&Queue<Command>, PersistenceError> {
        self.threads.commands.as_deref().ok_or_else(|| {
            let what = "it was opened with `.read_only()`; open it without to write";
            Failure::new(StorageErrorKind::ReadOnly, self.threads.path(), what).into()
        })
    }

    /// Sends a command to the writer, and waits for the answer.
    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, PersistenceError> {
        let (sender, answer) = oneshot::channel();
        self.commands()?.send(command(sender)).await?;
        answer.await.map_err(|_| PersistenceError::BackendShutdown)
    }

    /// Sends a job to a reader, and waits for the answer in the form that is asked for.
    pub(crate) async fn ask_reader<T>(
        &self,
        request: ReadRequest,
        form: impl FnOnce(oneshot::Sender<T>) -> ReadAnswer,
    ) -> Result<T, PersistenceError> {
        let after = request.after.as_ref().map(After::of).transpose()?;
        let (sender, answer) = oneshot::channel();
        let job = ReadJob {
            request,
            after,
            answer: form(sender),
        };
        match &self.threads.jobs {
            Some(jobs) => jobs.send(job).await?,
            None => self.commands()?.send(Command::Read(job)).await?,
        }
        answer.await.map_err(|_| PersistenceError::BackendShutdown)
    }
}

impl fmt::Debug for SqliteBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteBackend")
            .field("path", &self.path())
            .field("read_only", &self.only_reads())
            .finish_non_exhaustive()
    }
}

impl SqliteBackendBuilder {
    /// Opens the file, as [`SqliteBackend::new`] does.
    ///
    /// # Errors
    /// As [`SqliteBackend::new`].
    pub fn open(self) -> Result<SqliteBackend, PersistenceError> {
        version::check(&self)?;
        if self.max_bytes.is_some_and(|bytes| bytes < LEAST_MAX_BYTES) {
            let what = "a history cannot be kept within less than 1 MiB; give `max_bytes` at least 1_048_576";
            let path = self.location.path();
            return Err(Failure::new(StorageErrorKind::CannotOpen, path, what).into());
        }
        Ok(SqliteBackend {
            threads: Arc::new(Threads::start(self)?),
        })
    }
}
