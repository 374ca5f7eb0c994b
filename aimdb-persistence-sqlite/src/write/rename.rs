//! Giving a series another name.

use aimdb_persistence_backend::{PersistenceError, check_rename, validate_key};
use rusqlite::OptionalExtension;

use crate::layout::declared::Declared;
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
        let of_source = Declared::read(connection, from)?;
        let of_target = Declared::read(connection, to)?;
        if let Some((target, _)) = target {
            connection.execute(sql::REMOVE_SERIES, [target])?;
            connection.execute(sql::FORGET_LAST_STORED, [target])?;
        }
        connection.execute(sql::RENAME_SERIES, (source, to))?;
        // What is declared of the old name stays with it; the rows get what is declared of the new one, or a copy.
        let declared = |of: &Option<Declared>| of.clone().filter(Declared::is_declared);
        if let Some(stays) = declared(&of_source) {
            stays.write(connection, from)?;
        }
        if let Some(holds) = declared(&of_target) {
            holds.write(connection, to)?;
        }
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
