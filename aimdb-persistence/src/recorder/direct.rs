//! Storing values of a declared type that do not come through AimDB, awaited: for backfill, and for series that are found when
//! the database is running.

use std::borrow::Borrow;
use std::sync::Arc;

use aimdb_persistence_backend::PersistenceError;
use serde::Serialize;

use crate::archive::record::RecordState;
use crate::archive::stats::Outcome;
use crate::declaration::event_time::RowTime;
use crate::recorder::backlog::Batch;
use crate::recorder::read_back::ReadBack;
use crate::recorder::recording::Recorder;
use crate::recorder::subscriber::describe;
use crate::thinning::gate::Way;
use crate::time::now_ms;

/// Writes into one series, past its buffer and the backlog.
pub(crate) struct DirectWriter<T> {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) record: Arc<RecordState>,
    pub(crate) event_time: fn(&T) -> RowTime,
    pub(crate) read_back: Option<ReadBack<T>>,
    /// The last value waits for the end of its interval.
    pub(crate) is_held: bool,
}

impl<T: Serialize> DirectWriter<T> {
    /// Makes sure that the backend knows the series, and the recorder what is stored of it.
    ///
    /// # Errors
    /// If the declaration cannot be kept, recording was closed, or the backend fails.
    pub(crate) async fn begin(&self) -> Result<(), PersistenceError> {
        let (recorder, record) = (&self.recorder, &self.record);
        let not_recorded = |reason: &str| PersistenceError::NotRecorded {
            record_name: record.name.to_string(),
            reason: reason.to_owned(),
        };
        if recorder.is_stopped() {
            return Err(PersistenceError::Closed);
        }
        recorder.archive().prepare().await?;
        record
            .check(recorder.options())
            .map_err(|reason| not_recorded(&reason))?;
        make_known(record, recorder).await?;
        recorder.learn_last(record).await;
        Ok(())
    }

    pub(crate) fn batch(&self) -> DirectBatch {
        DirectBatch {
            recorder: Arc::clone(&self.recorder),
            batch: Batch::default(),
            way: self.recorder.another_way(),
        }
    }

    /// Takes values until the batch is full; says whether there may be more.
    ///
    /// # Errors
    /// At the first value that cannot be stored; it is counted. Those before it are in the batch.
    pub(crate) fn fill<V: Borrow<T>>(
        &mut self,
        DirectBatch { batch, way, .. }: &mut DirectBatch,
        values: &mut impl Iterator<Item = V>,
    ) -> Result<bool, PersistenceError> {
        let (record, mut scratch) = (&self.record, Vec::new());
        while !batch.is_full() {
            let Some(value) = values.next() else {
                // Whoever stores is told when it is durable: the last value does not wait for the end of its interval.
                if self.is_held {
                    let admit = |stored_at, json: &str, ticket| {
                        batch.push(record, stored_at, json, ticket);
                        true
                    };
                    self.recorder.end_interval_by(record, None, *way, admit);
                }
                return Ok(false);
            };
            record.counters.produced(1);
            match describe(value.borrow(), now_ms(), self.event_time, &mut scratch) {
                Ok(described) => {
                    if let Some(read_back) = &mut self.read_back {
                        let value = value.borrow();
                        read_back.try_first(&self.recorder, record, value, described.json);
                    }
                    let admit = |stored_at, json: &str, ticket| {
                        batch.push(record, stored_at, json, ticket);
                        true
                    };
                    self.is_held = self.recorder.judge(record, *way, &described, admit);
                }
                Err((outcome, reason)) => {
                    self.recorder.lose(record, outcome, 1, &reason);
                    let record_name = record.name.to_string();
                    return Err(PersistenceError::Unstorable {
                        record_name,
                        reason,
                    });
                }
            }
        }
        Ok(true)
    }

    /// Stores a batch, and says how many of it became rows.
    ///
    /// # Errors
    /// If the backend refuses a row, or fails; those that are not stored are counted.
    pub(crate) async fn store(&self, mut batch: DirectBatch) -> Result<u64, PersistenceError> {
        let len = batch.batch.rows.len();
        if len == 0 {
            return Ok(0);
        }
        let rows = Arc::clone(&batch.batch.rows);
        let mut outcome = self.recorder.attempt(rows).await;
        let batch = std::mem::take(&mut batch.batch);
        let settled = outcome.settled.min(len);
        self.recorder.settle(&batch, settled, &outcome);
        self.recorder.learn_again(&batch).await;
        self.recorder.archive().report_health();
        if settled < len {
            let error = outcome.stopped_by.take().unwrap_or_else(|| {
                PersistenceError::Backend("it did not settle every row".to_owned())
            });
            let (rest, reason) = (settled..len, error.to_string());
            self.recorder
                .give_up(&batch, rest, Outcome::Failed, &reason);
            return Err(error);
        }
        let stored = settled - outcome.refused.len() - outcome.left_out.len();
        match outcome.refused.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(stored as u64),
        }
    }
}

/// Values that were taken in and are not stored yet. If their caller gives up or panics, nobody learns what becomes
/// of them, so they count as dropped.
pub(crate) struct DirectBatch {
    recorder: Arc<Recorder>,
    batch: Batch,
    way: Way,
}

impl Drop for DirectBatch {
    fn drop(&mut self) {
        let (rows, reason) = (
            0..self.batch.rows.len(),
            "their caller did not wait for the backend",
        );
        self.recorder
            .give_up(&self.batch, rows, Outcome::Dropped, reason);
    }
}

/// A series that was first named after the database was built is declared to the backend now.
async fn make_known(record: &RecordState, recorder: &Recorder) -> Result<(), PersistenceError> {
    let declare = async || match record.declaration(recorder.options()) {
        Some(declaration) => recorder.backend().declare(&[declaration]).await,
        None => Ok(()),
    };
    record.introduced.get_or_try_init(declare).await?;
    Ok(())
}
