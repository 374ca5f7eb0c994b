//! One batch at the backend, and what has become of its rows.

use std::ops::Range;
use std::sync::Arc;

use crate::archive::stats::Outcome;
use crate::recorder::backlog::Batch;
use crate::recorder::recording::Recorder;
use aimdb_persistence_backend::{BatchOutcome, Rows};

impl Recorder {
    pub(crate) async fn attempt(&self, rows: Arc<Rows>) -> BatchOutcome {
        let store = async || Ok(self.backend().store_batch(rows).await);
        match self.call(store).await {
            Ok(mut outcome) => {
                outcome.refused.sort_by_key(|(index, _)| *index);
                outcome.refused.dedup_by_key(|(index, _)| *index);
                outcome.left_out.sort_unstable();
                outcome
            }
            Err(error) => BatchOutcome::stopped(error),
        }
    }

    /// Counts the first rows of the batch as the backend has settled them.
    pub(crate) fn settle(&self, batch: &Batch, settled: usize, outcome: &BatchOutcome) {
        let mut refused = outcome.refused.iter().peekable();
        let left_out = |index| outcome.left_out.binary_search(&index).is_ok();
        for index in 0..settled {
            let record = batch.record(index);
            if let Some((_, error)) = refused.next_if(|(refused, _)| *refused == index) {
                batch.settle(index, false);
                self.lose(record, Outcome::Failed, 1, &error.to_string());
            } else if left_out(index) {
                batch.settle(index, false);
                record.counters.settle(Outcome::Suppressed, 1);
            } else {
                batch.settle(index, true);
                record.counters.settle(Outcome::Stored, 1);
            }
        }
    }

    /// Counts rows of the batch as lost.
    pub(crate) fn give_up(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        outcome: Outcome,
        reason: &str,
    ) {
        for index in rows {
            batch.settle(index, false);
            self.lose(batch.record(index), outcome, 1, reason);
        }
    }
}
