//! Stored rows as values of a type, and what is said of those that do not decode.

use std::any::type_name;

use aimdb_persistence_backend::{PersistenceError, Row};

use crate::archive::Archive;
use crate::archive::event::PersistenceEvent;
use crate::declaration::versions::FromStored;

/// Decodes rows where they are shown, and keeps what is to be told of those that do not decode.
pub(crate) struct Decoder<T> {
    from_stored: FromStored<T>,
    strict: bool,
    /// Since the last report.
    skipped: u64,
    any_skipped: bool,
    /// To be told of the first one of all.
    news: Option<PersistenceEvent>,
    failed: Option<PersistenceError>,
}

pub(crate) enum Decoded<T> {
    Value(T),
    Skipped,
    /// The query is to end with an error.
    Failed,
}

impl<T> Decoder<T> {
    pub(crate) fn new(from_stored: FromStored<T>, strict: bool) -> Self {
        Self {
            from_stored,
            strict,
            skipped: 0,
            any_skipped: false,
            news: None,
            failed: None,
        }
    }

    pub(crate) fn decode(&mut self, row: Row<'_>) -> Decoded<T> {
        let source = match (self.from_stored)(row.version, row.json) {
            Ok(value) => return Decoded::Value(value),
            Err(error) => error,
        };
        let (record_name, stored_at) = (row.record_name.to_owned(), row.stored_at);
        let type_name = type_name::<T>();
        if self.strict {
            self.failed = Some(PersistenceError::Undecodable {
                record_name,
                stored_at,
                type_name,
                source,
            });
            return Decoded::Failed;
        }
        self.skipped += 1;
        if !std::mem::replace(&mut self.any_skipped, true) {
            self.news = Some(PersistenceEvent::Undecodable {
                record_name,
                stored_at,
                reason: format!("not a `{type_name}`: {source}"),
            });
        }
        Decoded::Skipped
    }

    /// Counts what was skipped since the last report; tells of the first row of all.
    ///
    /// # Errors
    /// If a row ended the query.
    pub(crate) fn report(&mut self, archive: &Archive) -> Result<(), PersistenceError> {
        archive.count_undecodable(std::mem::take(&mut self.skipped));
        if let Some(event) = self.news.take() {
            archive.report(&event);
        }
        self.failed.take().map_or(Ok(()), Err)
    }
}
