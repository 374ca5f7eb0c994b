//! Intervals that have begun and have no timer yet.

use std::sync::{Arc, Mutex, PoisonError};

use crate::archive::record::RecordState;

/// Records that need a timer: each has one at most.
#[derive(Debug, Default)]
pub(crate) struct Begun(Mutex<Vec<Arc<RecordState>>>);

impl Begun {
    pub(crate) fn push(&self, record: &Arc<RecordState>) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(Arc::clone(record));
    }

    pub(crate) fn take(&self) -> Vec<Arc<RecordState>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
