//! Rows as values of their type, and what becomes of those that are none.

use std::any::{TypeId, type_name};
use std::sync::Arc;

use aimdb_persistence_backend::{DecodeError, PersistenceError, Row};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::archive::Archive;
use crate::archive::event::PersistenceEvent;
use crate::declaration::versions::{FromStored, whatever_version};

/// Says whether a row's version and JSON decode.
pub(crate) type Decodes = dyn Fn(u32, &str) -> Result<(), DecodeError> + Send + Sync;

/// Whether rows are values of a type, for answers that look at their fields alone.
pub(crate) struct Check {
    pub(crate) decodes: Arc<Decodes>,
    pub(crate) type_name: &'static str,
}

impl Check {
    /// As the type's values are decoded. Whatever is JSON is a `Value`; none is made of it for that.
    pub(crate) fn of<T: 'static>(from_stored: FromStored<T>) -> Self {
        let decodes: Arc<Decodes> = match TypeId::of::<T>() == TypeId::of::<Value>() {
            true => {
                Arc::new(|version, json| whatever_version::<IgnoredAny>(version, json).map(drop))
            }
            false => Arc::new(move |version, json| from_stored(version, json).map(drop)),
        };
        Self {
            decodes,
            type_name: type_name::<T>(),
        }
    }
}

/// Decodes rows where they are shown.
pub(crate) struct Decoder<T> {
    from_stored: FromStored<T>,
    failures: Failures,
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
            failures: Failures::new(strict),
        }
    }

    pub(crate) fn decode(&mut self, row: Row<'_>) -> Decoded<T> {
        match (self.from_stored)(row.version, row.json) {
            Ok(value) => Decoded::Value(value),
            Err(source) => match self.failures.add(row, type_name::<T>(), source) {
                true => Decoded::Failed,
                false => Decoded::Skipped,
            },
        }
    }

    /// As [`Failures::report`].
    pub(crate) fn report(&mut self, archive: &Archive) -> Result<(), PersistenceError> {
        self.failures.report(archive)
    }
}

/// What is to be told of rows that do not decode.
pub(crate) struct Failures {
    strict: bool,
    /// Since the last report.
    skipped: u64,
    any_skipped: bool,
    /// To be told of the first one of all.
    first: Option<PersistenceEvent>,
    failed: Option<PersistenceError>,
}

impl Failures {
    pub(crate) fn new(strict: bool) -> Self {
        Self {
            strict,
            skipped: 0,
            any_skipped: false,
            first: None,
            failed: None,
        }
    }

    /// Whether the first one ends the query.
    pub(crate) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Says whether the query is to end.
    pub(crate) fn add(
        &mut self,
        row: Row<'_>,
        type_name: &'static str,
        source: DecodeError,
    ) -> bool {
        let (record_name, stored_at) = (row.record_name.to_owned(), row.stored_at);
        if self.strict {
            self.failed = Some(PersistenceError::Undecodable {
                record_name,
                stored_at,
                type_name,
                source,
            });
            return true;
        }
        self.skipped += 1;
        if !std::mem::replace(&mut self.any_skipped, true) {
            self.first = Some(PersistenceEvent::Undecodable {
                record_name,
                stored_at,
                reason: format!("not a `{type_name}`: {source}"),
            });
        }
        false
    }

    /// Counts what was skipped since the last report; tells of the first row of all.
    ///
    /// # Errors
    /// If a row ended the query.
    pub(crate) fn report(&mut self, archive: &Archive) -> Result<(), PersistenceError> {
        archive.count_undecodable(std::mem::take(&mut self.skipped));
        if let Some(event) = self.first.take() {
            archive.report(&event);
        }
        self.failed.take().map_or(Ok(()), Err)
    }
}
