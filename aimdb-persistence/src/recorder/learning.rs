//! What a backend holds of a series. A policy learns it before the first value.

use std::time::Duration;

use aimdb_persistence_backend::Rows;
use futures_lite::future::or;
use futures_timer::Delay;

use crate::archive::record::RecordState;
use crate::recorder::backlog::Batch;
use crate::recorder::recording::Recorder;

/// How long the first value of a series waits for a backend that cannot say what it holds of it. Then the value is
/// stored, as the first of a series is.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

impl Recorder {
    /// Reads what the backend holds of the record, once, before its first value is judged.
    pub(crate) async fn learn_last(&self, record: &RecordState) {
        let Some(rules) = record.gated() else { return };
        let learn = async || {
            let give_up = async {
                Delay::new(PATIENCE).await;
                None
            };
            let last = or(async { Some(self.last_stored(record).await) }, give_up).await;
            rules.learn(last.as_ref().and_then(|last| last.get(0)));
        };
        record.learnt.get_or_init(learn).await;
    }

    /// The row that the backend has stored last, as soon as it answers.
    async fn last_stored(&self, record: &RecordState) -> Rows {
        let read = async || {
            self.archive().prepare().await?;
            self.backend().last_stored(&record.name).await
        };
        loop {
            match self.call(read).await {
                Ok(rows) => return rows,
                Err(_) => Delay::new(PAUSE).await,
            }
        }
    }

    /// Asks the backend again where it is not known any more which row of a record it has stored last: values have come to it
    /// by several ways at once. Where it does not answer, the next value is stored, and asks again.
    pub(crate) async fn learn_again(&self, batch: &Batch) {
        for record in &batch.records {
            let Some(rules) = record.gated().filter(|rules| rules.are_to_learn()) else {
                continue;
            };
            let read = async || self.backend().last_stored(&record.name).await;
            if let Ok(last) = self.call(read).await {
                rules.learn(last.get(0));
            }
        }
    }
}
