//! What a backend holds of a series. A policy learns it before the first value.

use std::time::Duration;

use aimdb_persistence_backend::Page;
use futures_lite::future::or;
use futures_timer::Delay;

use crate::archive::changes::newest_row_of;
use crate::archive::record::RecordState;
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
            let page = or(async { Some(self.last_page(record).await) }, give_up).await;
            let last = page.as_ref().and_then(|page| page.rows.get(0));
            rules.go_on_after(last);
        };
        record.learnt.get_or_init(learn).await;
    }

    /// A page of the newest row, as soon as the backend answers.
    async fn last_page(&self, record: &RecordState) -> Page {
        let request = newest_row_of(&record.name);
        let read = async || {
            self.archive().prepare().await?;
            self.backend().read(request.clone()).await
        };
        loop {
            match self.call(read).await {
                Ok(page) => return page,
                Err(_) => Delay::new(PAUSE).await,
            }
        }
    }
}
