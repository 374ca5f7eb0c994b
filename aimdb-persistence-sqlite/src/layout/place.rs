//! Where a row lies: among the rows of its series, and in the clustered table.

use aimdb_persistence_backend::Order;
use rusqlite::Row;

/// A row's place within its series; a greater one is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) stored_at: i64,
    pub(crate) sequence: i64,
}

impl Place {
    /// No row is older.
    pub(crate) const OLDEST: Self = Self {
        stored_at: i64::MIN,
        sequence: i64::MIN,
    };

    /// No row is newer.
    pub(crate) const NEWEST: Self = Self {
        stored_at: i64::MAX,
        sequence: i64::MAX,
    };

    /// Older than every row of this time.
    pub(crate) fn first_at(stored_at: i64) -> Self {
        Self {
            stored_at,
            sequence: i64::MIN,
        }
    }

    /// Newer than every row of this time.
    pub(crate) fn last_at(stored_at: i64) -> Self {
        Self {
            stored_at,
            sequence: i64::MAX,
        }
    }

    /// From a statement whose first two columns are `stored_at` and `sequence`.
    pub(crate) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            stored_at: row.get(0)?,
            sequence: row.get(1)?,
        })
    }

    /// The newest place that is older.
    pub(crate) fn before(self) -> Self {
        match self.sequence.checked_sub(1) {
            Some(sequence) => Self { sequence, ..self },
            None => Self::last_at(self.stored_at.saturating_sub(1)),
        }
    }

    /// The oldest place that is newer.
    pub(crate) fn after(self) -> Self {
        match self.sequence.checked_add(1) {
            Some(sequence) => Self { sequence, ..self },
            None => Self::first_at(self.stored_at.saturating_add(1)),
        }
    }

    pub(crate) fn comes_before(self, other: Self, order: Order) -> bool {
        match order {
            Order::NewestFirst => self > other,
            Order::OldestFirst => self < other,
        }
    }
}

/// The key of a row in the clustered table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowKey {
    pub(crate) series: i64,
    pub(crate) place: Place,
}

impl RowKey {
    /// No row comes before it.
    pub(crate) const BEFORE_ALL: Self = Self {
        series: 0,
        place: Place {
            stored_at: 0,
            sequence: 0,
        },
    };

    pub(crate) fn new(series: i64, stored_at: i64, sequence: i64) -> Self {
        let place = Place {
            stored_at,
            sequence,
        };
        Self { series, place }
    }
}
