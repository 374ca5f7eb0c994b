//! Rows as they are stored, gathered in pages before the first is decoded: for answers whose type need not be `Send`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence_backend::json::Scalar;
use aimdb_persistence_backend::{PersistenceError, QueryParams, Row, Rows, StoredValue, Visit};
use futures_lite::future::yield_now;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::archive::Archive;
use crate::declaration::versions::whatever_version;
use crate::query::decoding::{Decoded, Decoder};
use crate::query::history::{History, Question};
use crate::query::look::Look;
use crate::query::selection::Selection;

/// A page is handed over, or decoded, in one go: small enough to give other tasks of the executor their turn in between.
const PAGE_ROWS: usize = 1_000;
const PAGE_BYTES: usize = 256 * 1024;

/// What was gathered so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gathered(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    full: Vec<Rows>,
    page: Rows,
}

impl Gathered {
    fn take(&self) -> Vec<Rows> {
        let mut pages = self.lock();
        let last = std::mem::take(&mut pages.page);
        pages.full.push(last);
        std::mem::take(&mut pages.full)
    }

    /// A row is there as a whole or not at all.
    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The question that the seed's parameters ask.
pub(crate) fn question_of(
    archive: &Archive,
    selection: Selection,
    params: &QueryParams,
) -> Question {
    let mut history = History::<Value>::new(Some(archive.clone()), selection, whatever_version);
    if let Some(limit) = params.limit_per_record {
        history = history.latest(limit);
    }
    let mut question = history.question;
    (question.start_ms, question.end_ms) = (params.start_time, params.end_time);
    question
}

/// Gathers every row of the question.
pub(crate) async fn gather(question: &Question, into: &Gathered) -> Result<(), PersistenceError> {
    let (order, limit_per_series) = question.reading();
    let gatherer = Gatherer {
        gathered: into.clone(),
    };
    let reading = question.read_as(order, limit_per_series);
    let mut looking = question.begin(reading, gatherer).await?;
    while looking.go_on().await? {
        yield_now().await;
    }
    looking.end().map(|_| ())
}

/// Every row of the question as a `T`.
pub(crate) async fn values_at_once<T: DeserializeOwned>(
    question: Question,
) -> Result<Vec<T>, PersistenceError> {
    let gathered = Gathered::default();
    gather(&question, &gathered).await?;
    let mut decoder = Decoder::new(whatever_version::<T>, question.strict);
    let pages = gathered.take();
    let rows = pages.iter().flat_map(Rows::iter);
    let mut values = Vec::new();
    for row in rows {
        match decoder.decode(row) {
            Decoded::Value(value) => values.push(value),
            Decoded::Skipped => {}
            Decoded::Failed => break,
        }
    }
    decoder.report(question.archive()?)?;
    Ok(values)
}

/// Every row that was gathered, its JSON parsed.
pub(crate) async fn stored_values(
    question: &Question,
    gathered: &Gathered,
) -> Result<Vec<StoredValue>, PersistenceError> {
    let mut decoder = Decoder::new(whatever_version::<Value>, question.strict);
    let mut values = Vec::new();
    for page in gathered.take() {
        for row in page.iter() {
            if let Decoded::Value(value) = decoder.decode(row) {
                values.push(StoredValue {
                    record_name: row.record_name.to_owned(),
                    value,
                    stored_at: row.stored_at,
                });
            }
        }
        yield_now().await;
    }
    decoder.report(question.archive()?)?;
    Ok(values)
}

/// Copies rows until the page is full.
struct Gatherer {
    gathered: Gathered,
}

impl Look for Gatherer {
    fn row(&mut self, row: Row<'_>, _: &[Scalar<'_>]) -> Visit {
        let mut pages = self.gathered.lock();
        let page = &mut pages.page;
        page.push_versioned(row.record_name, row.stored_at, row.json, row.version);
        if page.len() < PAGE_ROWS && page.text_bytes() < PAGE_BYTES {
            return Visit::Continue;
        }
        let full = std::mem::take(page);
        pages.full.push(full);
        Visit::Stop
    }
}
