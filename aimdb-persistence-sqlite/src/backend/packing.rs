//! Packing by hand, undoing it, and what is packed.

use aimdb_persistence_backend::{Pattern, PersistenceError, ReadRequest};

use crate::backend::SqliteBackend;
use crate::pack::now::{PackingNow, Unpacking};
use crate::read::packed_series::PackedSeries;
use crate::read::reading::ReadAnswer;
use crate::threads::command::Command;

impl SqliteBackend {
    /// Packs the rows of all series that the pattern selects, whatever their age; gives their number.
    ///
    /// What is declared never to be packed stays as it is, and so do series that do not gain, and a few of the newest rows
    /// of each. This happens in small steps while recording and queries continue, and ends when the future is dropped.
    ///
    /// ```
    /// # use aimdb_persistence_sqlite::SqliteBackend;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let backend = SqliteBackend::new(folder.path().join("history.db"))?;
    /// # runtime.block_on(async {
    /// let rows = backend.pack_now("temperature.*").await?;
    /// println!("{rows} rows take a few bytes each");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PersistenceError::InvalidPattern`] if the pattern is malformed, [`PersistenceError::Storage`] if the file cannot be written.
    pub async fn pack_now(&self, pattern: &str) -> Result<u64, PersistenceError> {
        let packing = PackingNow::new(Pattern::parse(pattern)?, &self.threads.options);
        let pack = |answer| Command::Work(Box::new(packing), answer);
        Ok(self.ask(pack).await??.removed)
    }

    /// Puts the packed rows of all series that the pattern selects back among the others, so that plain SQL finds them; gives
    /// their number. `"#"` is every series.
    ///
    /// It calls `progress` with the number of rows so far. Where packing is on, old rows are packed again later: open the
    /// file without [`pack_after`](crate::SqliteBackendBuilder::pack_after) to keep them as they are.
    ///
    /// # Errors
    /// As [`pack_now`](Self::pack_now). What was unpacked until then stays so.
    pub async fn unpack(
        &self,
        pattern: &str,
        progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<u64, PersistenceError> {
        let unpacking = Unpacking::new(Pattern::parse(pattern)?, Box::new(progress));
        let unpack = |answer| Command::Work(Box::new(unpacking), answer);
        Ok(self.ask(unpack).await??.removed)
    }

    /// How much is packed, of the series that the pattern selects and that have packed rows.
    ///
    /// # Errors
    /// [`PersistenceError::InvalidPattern`] if the pattern is malformed, [`PersistenceError::Storage`] if the file cannot be read.
    pub async fn packed(&self, pattern: &str) -> Result<Vec<PackedSeries>, PersistenceError> {
        let request = ReadRequest::new(Pattern::parse(pattern)?);
        self.ask_reader(request, ReadAnswer::Packed).await?
    }
}
