//! Rows of the batches that are being stored, and where in the file each of them goes.

use std::sync::Arc;

use aimdb_persistence_backend::{OnDuplicate, Row, Rows};

use crate::layout::place::RowKey;

pub(crate) struct Placed {
    pub(crate) key: RowKey,
    pub(crate) on_duplicate: OnDuplicate,
    pub(crate) batch: usize,
    pub(crate) index: usize,
}

impl Placed {
    /// The row itself.
    pub(crate) fn row<'a>(&self, batches: &'a [Arc<Rows>]) -> Row<'a> {
        let row = batches[self.batch].get(self.index);
        row.expect("the index came from this batch")
    }
}
