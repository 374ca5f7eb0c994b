//! How many tasks of a recorder there are, and what those have left behind that a runtime dropped before they were done.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use aimdb_persistence_backend::BoxFuture;

type Work = BoxFuture<'static, ()>;

#[derive(Default)]
pub(crate) struct Tasks {
    alive: AtomicUsize,
    left: Mutex<Vec<Work>>,
}

impl Tasks {
    pub(crate) fn begin_one(&self) {
        self.alive.fetch_add(1, Ordering::AcqRel);
    }

    /// One task has ended, and has left this behind. Answers what all have left, if it was the last of them.
    pub(crate) fn end_one(&self, work: Option<Work>) -> Option<Vec<Work>> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.extend(work);
        let was_last = self.alive.fetch_sub(1, Ordering::AcqRel) == 1;
        (was_last && !left.is_empty()).then(|| std::mem::take(&mut *left))
    }
}
