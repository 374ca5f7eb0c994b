//! Giving a series another name.

use aimdb_persistence_backend::{PersistenceError, check_rename, validate_key};
use rusqlite::OptionalExtension;

use crate::layout::sql;
use crate::write::connection::{Sync, WriteConnection};

impl WriteConnection {
    /// Renames the series, or says why it cannot be.
    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Result<(), PersistenceError> {
        validate_key(to)?;
        self.transaction(Sync::WithCommit, "renaming a series", |writer| {
            writer.rename_within(from, to)
        })?
    }

    /// The outer result is that of the transaction.
    fn rename_within(
        &mut self,
        from: &str,
        to: &str,
    ) -> rusqlite::Result<Result<(), PersistenceError>> {
        let (source, target) = (self.id_and_rows(from)?, self.id_and_rows(to)?);
        let has_rows = |found: Option<(i64, bool)>| found.is_some_and(|(_, has_rows)| has_rows);
        if let Err(error) = check_rename(from, to, has_rows(source), has_rows(target)) {
            return Ok(Err(error));
        }
        let Some((source, _)) = source else {
            return Ok(Ok(()));
        };
        let connection = &self.connection;
        if let Some((target, _)) = target {
            connection.execute(sql::TAKE_DECLARATION, [source, target])?;
            connection.execute(sql::REMOVE_SERIES, [target])?;
        }
        connection.execute(sql::RENAME_SERIES, (source, to))?;
        connection.execute(sql::RENEW_SERIES_GENERATION, [])?;
        self.forget();
        Ok(Ok(()))
    }

    fn id_and_rows(&self, record_name: &str) -> rusqlite::Result<Option<(i64, bool)>> {
        let mut id = self.connection.prepare_cached(sql::SERIES_ID)?;
        let Some(id) = id.query_row([record_name], |r| r.get(0)).optional()? else {
            return Ok(None);
        };
        let mut has_rows = self.connection.prepare_cached(sql::HAS_ROWS)?;
        Ok(Some((id, has_rows.query_row([id], |r| r.get(0))?)))
    }
}
