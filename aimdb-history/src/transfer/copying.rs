//! Rows from one history into another.

use std::collections::BTreeMap;
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

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// The newest time that the source had, of one series.
    pub(crate) newest_ms: Option<u64>,
}

impl Copied {
    fn of(rows: &Rows) -> Self {
        Self {
            rows: rows.len() as u64,
            bytes: rows.text_bytes() as u64,
            newest_ms: None,
        }
    }

    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.bytes += other.bytes;
    }
}

/// Copies the series of which the target has nothing, many of them in one batch. The next page is read while one is stored.
/// Says up to which time each was copied.
pub(crate) async fn copy_new(
    source: &OpenHistory,
    target: &OpenHistory,
    pattern: &Pattern,
    is_new: impl Fn(&str) -> bool,
    mut on_batch: impl FnMut(&str, Copied),
) -> Result<BTreeMap<String, u64>, HistoryError> {
    let mut newest_ms = BTreeMap::<String, u64>::new();
    let mut pages = Selection::of(pattern.clone())
        .read(source)
        .sized(BATCH_ROWS, BATCH_BYTES);
    let mut page = pages.next().await?;
    while let Some(rows) = page {
        let rows = only(rows, &is_new);
        let copied = Copied::of(&rows);
        let mut last = String::new();
        for row in rows.iter() {
            // Within a series the last row is the newest.
            if last != row.record_name {
                row.record_name.clone_into(&mut last);
            }
            match newest_ms.get_mut(&last) {
                Some(newest_ms) => *newest_ms = row.stored_at.max(*newest_ms),
                None => {
                    newest_ms.insert(last.clone(), row.stored_at);
                }
            }
        }
        let (stored, next) = future::zip(store(target, rows), pages.next()).await;
        stored?;
        on_batch(&last, copied);
        page = next?;
    }
    Ok(newest_ms)
}

/// The rows of these series; most of the time, all of the rows are.
fn only(rows: Rows, is_wanted: impl Fn(&str) -> bool) -> Rows {
    if rows.names().iter().all(|name| is_wanted(name)) {
        return rows;
    }
    let mut wanted = Rows::new();
    for row in rows.iter().filter(|row| is_wanted(row.record_name)) {
        wanted.push_versioned(row.record_name, row.stored_at, row.json, row.version);
    }
    wanted
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
            let of_batch = Copied::of(&rows);
            store(target, rows).await?;
            copied.add(of_batch);
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
