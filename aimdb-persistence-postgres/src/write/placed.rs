//! A row on its way in: which series it belongs to, and where it goes.

use std::sync::Arc;

use aimdb_persistence_backend::{OnDuplicate, Row, Rows};

use crate::write::recording::Place;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) series: i32,
    pub(crate) place: Place,
    /// Whose table it goes to.
    pub(crate) class: i16,
    /// It lies before what is visible of its series, and nothing says yet that such rows are.
    pub(crate) is_late: bool,
    pub(crate) on_duplicate: OnDuplicate,
    /// Which row of which batch it is.
    pub(crate) batch: usize,
    pub(crate) index: usize,
}

impl Placed {
    pub(crate) fn row<'a>(&self, batches: &'a [Arc<Rows>]) -> Row<'a> {
        let row = batches[self.batch].get(self.index);
        row.expect("its index was one of the batch")
    }
}

/// Rows of one batch that were not added, by their index in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolved {
    pub(crate) left_out: Vec<usize>,
    /// They have taken the place of others.
    pub(crate) replaced: Vec<usize>,
}

/// NULL where no version is declared. The upper half of the versions is stored as negative numbers.
pub(crate) fn version(row: Row<'_>) -> Option<i32> {
    (row.version != 0).then_some(row.version.cast_signed())
}
