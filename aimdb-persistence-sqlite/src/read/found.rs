//! Damage that a reading has come upon: told of before the answer is given.

use std::path::{Path, PathBuf};

use aimdb_persistence_backend::{Quoted, StorageErrorKind};

use crate::error::Failure;
use crate::health::Health;
use crate::layout::place::Place;

/// Tells the backend's health of damage, and keeps it for the thread that may set the file aside.
pub(crate) struct Found {
    path: PathBuf,
    health: Health,
    /// Of rows that were left out, since it was last taken.
    damage: Option<Failure>,
}

impl Found {
    pub(crate) fn new(path: &Path, health: &Health) -> Self {
        Self {
            path: path.to_owned(),
            health: health.clone(),
            damage: None,
        }
    }

    /// So many rows were left out.
    pub(crate) fn rows(&mut self, rows: u64, what: &str) {
        let failure = Failure::new(StorageErrorKind::Corrupt, &self.path, what);
        self.health.note_damage(rows, &failure);
        self.damage = Some(failure);
    }

    /// Rows are missing. Another program may have deleted them: that is no reason to set the file aside.
    pub(crate) fn missing(&mut self, record_name: &str, noted: i64, seen: i64) {
        let what = format!(
            "of {noted} rows of record `{}` only {seen} are found: damage hides the others, or another program has \
             deleted them",
            Quoted(record_name)
        );
        let failure = Failure::new(StorageErrorKind::Corrupt, &self.path, what);
        self.health.note_damage(0, &failure);
    }

    pub(crate) fn take_damage(&mut self) -> Option<Failure> {
        self.damage.take()
    }
}

/// Of a row whose checksum does not fit.
pub(crate) fn row_is_damaged(record_name: &str, place: Place) -> String {
    format!(
        "the row of record `{}` at {} ms is damaged: its checksum does not fit",
        Quoted(record_name),
        place.stored_at
    )
}

/// Of a row whose place is known and that is not there.
pub(crate) fn row_is_gone(record_name: &str, place: Place) -> String {
    format!(
        "the row of record `{}` at {} ms is not where it was stored: damage hides it, or another program has deleted it",
        Quoted(record_name),
        place.stored_at
    )
}

/// Of a row that comes where it should not.
pub(crate) fn rows_are_out_of_order(record_name: &str, place: Place) -> String {
    format!(
        "the rows of record `{}` are out of order at {} ms: the structure of the file is damaged",
        Quoted(record_name),
        place.stored_at
    )
}
