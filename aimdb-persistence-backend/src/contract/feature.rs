//! What a backend may support beyond what every one does.

use std::fmt;

/// What a declaration may ask of a backend beyond keeping rows by their age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// [`Row::version`](crate::Row::version) comes back with the row.
    SchemaVersions,
    /// A sweep leaves the newest rows of a series, however old: [`SeriesDeclaration::keep_last`](crate::SeriesDeclaration::keep_last).
    KeepLast,
    /// A sweep removes the oldest rows of a series beyond so many: [`SeriesDeclaration::max_rows`](crate::SeriesDeclaration::max_rows).
    MaxRows,
    /// Of two rows of one series with the same time one is kept: [`SeriesDeclaration::on_duplicate`](crate::SeriesDeclaration::on_duplicate).
    OnDuplicate,
    /// Which row of a series was stored last, whatever its time: [`PersistenceBackend::last_stored`](crate::PersistenceBackend::last_stored).
    LastStored,
    /// Rows of a series between two times can be removed: [`PersistenceBackend::erase`](crate::PersistenceBackend::erase).
    Erasing,
    /// What was declared of series can be asked back:
    /// [`PersistenceBackend::declarations`](crate::PersistenceBackend::declarations).
    Declarations,
    /// A series can get another name: [`PersistenceBackend::rename`](crate::PersistenceBackend::rename).
    Renaming,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SchemaVersions => "a schema version",
            Self::KeepLast => "rows to be kept however old (`keep_last`)",
            Self::MaxRows => "a greatest number of rows (`max_rows`)",
            Self::OnDuplicate => "what becomes of rows with the same time (`on_duplicate`)",
            Self::LastStored => "which row of a series was stored last",
            Self::Erasing => "removing the rows of a series",
            Self::Declarations => "giving back what is declared of series",
            Self::Renaming => "renaming a series",
        })
    }
}
