//! The rows of one series from one history into another.

use std::sync::Arc;

use aimdb_persistence_backend::{Pattern, Rows};
use futures_lite::future;

use crate::error::HistoryError;
use crate::location::OpenHistory;
use crate::question::Selection;
use crate::transfer::walk::{Entry, Walk};

/// So many rows, or bytes, are stored at once.
const BATCH_ROWS: usize = 16_384;
const BATCH_BYTES: usize = 4 << 20;

/// What was copied of one series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// The newest time that the source had.
    pub(crate) newest_ms: Option<u64>,
}

/// Copies a series of which the target has nothing. The next page is read while one is stored.
pub(crate) async fn copy_all(
    source: &OpenHistory,
    target: &OpenHistory,
    record_name: &str,
    mut on_batch: impl FnMut(Copied),
) -> Result<Copied, HistoryError> {
    let selection = Selection::of(Pattern::exact(record_name));
    let mut pages = selection.read(source).sized(BATCH_ROWS, BATCH_BYTES);
    let mut copied = Copied::default();
    let mut page = pages.next().await?;
    while let Some(rows) = page {
        let of_page = Copied {
            rows: rows.len() as u64,
            bytes: rows.text_bytes() as u64,
            newest_ms: rows.iter().last().map(|row| row.stored_at),
        };
        let (stored, next) = future::zip(store(target, rows), pages.next()).await;
        stored?;
        copied.rows += of_page.rows;
        copied.bytes += of_page.bytes;
        copied.newest_ms = copied.newest_ms.max(of_page.newest_ms);
        on_batch(of_page);
        page = next?;
    }
    Ok(copied)
}

/// Copies what the target has not, from a time on.
pub(crate) async fn copy_missing(
    source: &OpenHistory,
    target: &OpenHistory,
    record_name: &str,
    from_ms: Option<u64>,
    mut on_batch: impl FnMut(Copied),
) -> Result<Copied, HistoryError> {
    let mut walk = Walk::new(source, target, record_name, from_ms);
    let mut copied = Copied::default();
    let mut batch = Rows::new();
    loop {
        let difference = walk.next().await?;
        let is_over = difference.is_none();
        for entry in difference.map_or_else(Vec::new, |difference| difference.missing) {
            let Entry {
                stored_at,
                version,
                json,
            } = entry;
            batch.push_versioned(record_name, stored_at, &json, version);
        }
        let is_full = batch.len() >= BATCH_ROWS || batch.text_bytes() >= BATCH_BYTES;
        if is_full || (is_over && !batch.is_empty()) {
            let rows = std::mem::take(&mut batch);
            let of_batch = Copied {
                rows: rows.len() as u64,
                bytes: rows.text_bytes() as u64,
                newest_ms: None,
            };
            store(target, rows).await?;
            copied.rows += of_batch.rows;
            copied.bytes += of_batch.bytes;
            on_batch(of_batch);
        }
        if is_over {
            copied.newest_ms = walk.newest_ms;
            return Ok(copied);
        }
    }
}

/// All of the rows, or an error.
async fn store(target: &OpenHistory, rows: Rows) -> Result<(), HistoryError> {
    if rows.is_empty() {
        return Ok(());
    }
    let count = rows.len();
    let outcome = target.backend.store_batch(Arc::new(rows)).await;
    if let Some((_, error)) = outcome.refused.into_iter().next() {
        return Err(HistoryError::Unwell(format!(
            "the target cannot keep a row of the source: {error}"
        )));
    }
    match outcome.stopped_by {
        Some(error) => Err(error.into()),
        None if outcome.settled < count => Err(HistoryError::Unwell(
            "the target has stored only a part of a batch, and does not say why".to_owned(),
        )),
        None => Ok(()),
    }
}
