//! One batch at the backend, and what has become of its rows.

use std::ops::Range;
use std::sync::Arc;

use crate::archive::event::PersistenceEvent;
use crate::archive::odd_times::Clock;
use crate::archive::record::RecordState;
use crate::archive::stats::Outcome;
use crate::recorder::backlog::Batch;
use crate::recorder::recording::Recorder;
use crate::thinning::gate::Settled;
use aimdb_persistence_backend::{BatchOutcome, Rows};

impl Recorder {
    pub(crate) async fn attempt(&self, rows: Arc<Rows>) -> BatchOutcome {
        let store = async || Ok(self.backend().store_batch(rows).await);
        match self.call(store).await {
            Ok(mut outcome) => {
                outcome.refused.sort_by_key(|(index, _)| *index);
                outcome.refused.dedup_by_key(|(index, _)| *index);
                outcome.left_out.sort_unstable();
                outcome.replaced.sort_unstable();
                outcome
            }
            Err(error) => BatchOutcome::stopped(error),
        }
    }

    /// Counts the first rows of the batch as the backend has settled them.
    pub(crate) fn settle(&self, batch: &Batch, settled: usize, outcome: &BatchOutcome) {
        let mut refused = outcome.refused.iter().peekable();
        let left_out = |index| outcome.left_out.binary_search(&index).is_ok();
        let replaced = |index| outcome.replaced.binary_search(&index).is_ok();
        let clock = self.archive().clock();
        for index in 0..settled {
            let record = batch.record(index);
            if let Some((_, error)) = refused.next_if(|(refused, _)| *refused == index) {
                batch.settle(index, Settled::NotStored);
                self.lose(record, Outcome::Failed, 1, &error.to_string());
            } else if left_out(index) {
                batch.settle(index, Settled::NotStored);
                record.counters.settle(Outcome::Suppressed, 1);
            } else {
                let is_added = !replaced(index);
                batch.settle(
                    index,
                    if is_added {
                        Settled::Added
                    } else {
                        Settled::Replaced
                    },
                );
                record.counters.settle(Outcome::Stored, 1);
                let stored_at = batch.rows.get(index).map(|row| row.stored_at);
                self.note_time(record, stored_at.unwrap_or(clock.now_ms), clock);
            }
        }
    }

    /// Counts a row whose time is far from the clock, and reports the first.
    fn note_time(&self, record: &RecordState, stored_at: u64, clock: Clock) {
        let declared = record.declared.get();
        let retention = declared.and_then(|declared| declared.retention);
        let retention = retention.unwrap_or(self.options().retention);
        let Some(odd) = clock.judge(stored_at, retention) else {
            return;
        };
        record.counters.note_odd_time(odd);
        if record.odd_times.is_first(odd) {
            let event = PersistenceEvent::of_odd_time(clock, &record.name, stored_at, odd);
            self.report(&event);
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
            batch.settle(index, Settled::NotStored);
            self.lose(batch.record(index), outcome, 1, reason);
        }
    }
}
