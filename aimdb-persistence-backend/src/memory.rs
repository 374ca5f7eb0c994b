//! A backend that keeps its rows in memory: for tests, and the model that other backends are held
//! against.

mod shelf;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::contract::backend::{
    BoxFuture, PersistenceBackend, QueryParams, StoredValue, check_rename,
};
use crate::contract::by_read::query_by_read;
use crate::contract::error::PersistenceError;
use crate::contract::feature::Feature;
use crate::contract::key::validate_key;
use crate::contract::pattern::Pattern;
use crate::contract::read::{Page, ReadRequest};
use crate::contract::rows::{Row, Rows};
use crate::contract::terms::{BatchOutcome, SeriesDeclaration, SweepReport, SweepRequest};
use crate::memory::shelf::{Content, History, Shelf, Stored};

/// A [`PersistenceBackend`] whose rows live as long as it and its clones do, which share them.
///
/// It implements the whole contract natively: pages, declarations, retention per series, every [`Feature`]. Like every
/// backend it refuses keys that [`validate_key`] refuses, and times beyond `i64::MAX`.
///
/// ```
/// use aimdb_persistence_backend::{MemoryBackend, PersistenceBackend, QueryParams};
/// use futures_lite::future::block_on;
/// use serde_json::json;
///
/// let backend = MemoryBackend::new();
/// block_on(async {
///     backend.store("temperature.sf", &json!({ "celsius": 13.2 }), 1_000).await?;
///     backend.store("temperature.sf", &json!({ "celsius": 13.4 }), 2_000).await?;
///
///     let newest = QueryParams { limit_per_record: Some(1), ..QueryParams::default() };
///     let rows = backend.query("temperature.*", newest).await?;
///     assert_eq!(rows[0].value, json!({ "celsius": 13.4 }));
///     Ok::<_, aimdb_persistence_backend::PersistenceError>(())
/// })?;
/// assert_eq!(backend.len(), 2);
/// # Ok::<(), aimdb_persistence_backend::PersistenceError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryBackend {
    shelf: Arc<Mutex<Shelf>>,
}

impl MemoryBackend {
    /// A backend without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        let shelf = self.shelf();
        shelf.histories.values().map(|h| h.rows.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every row, by record name, then newest first.
    pub fn rows(&self) -> Vec<StoredValue> {
        let shelf = self.shelf();
        let rows_of = |(name, history): (&String, &History)| {
            let newest_first = history.rows.iter().rev();
            newest_first
                .map(|(position, content)| stored_value(name, position.stored_at, &content.json))
                .collect::<Vec<_>>()
        };
        shelf.histories.iter().flat_map(rows_of).collect()
    }

    /// Rows come and go whole, so a panic while the lock was held left nothing half done.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PersistenceBackend for MemoryBackend {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            let json = serde_json::to_string(value)?;
            let row = Row {
                record_name,
                stored_at: timestamp,
                json: &json,
                version: 0,
            };
            self.shelf().store(row).map(drop)
        })
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        query_by_read(self, record_pattern, params)
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        Box::pin(async move {
            let mut shelf = self.shelf();
            let histories = shelf.histories.values_mut();
            Ok(histories.map(|h| h.remove_before(older_than)).sum())
        })
    }

    fn keeps_declarations(&self) -> bool {
        true
    }

    fn supports(&self, _: Feature) -> bool {
        true
    }

    /// The latest declaration of a series counts. One invalid key, and none of them is taken over.
    fn declare<'a>(
        &'a self,
        declarations: &'a [SeriesDeclaration],
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            for declaration in declarations {
                validate_key(&declaration.record_name)?;
            }
            let mut shelf = self.shelf();
            for declaration in declarations {
                shelf
                    .history_of(&declaration.record_name)
                    .declare(declaration);
            }
            Ok(())
        })
    }

    fn declarations<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> BoxFuture<'a, Result<Vec<SeriesDeclaration>, PersistenceError>> {
        Box::pin(async move {
            let shelf = self.shelf();
            let selected = shelf
                .histories
                .iter()
                .filter(|(name, _)| pattern.matches(name));
            Ok(selected
                .filter_map(|(_, history)| history.declared.clone())
                .collect())
        })
    }

    fn store_batch(&self, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
        Box::pin(async move {
            let mut shelf = self.shelf();
            let mut outcome = BatchOutcome::default();
            for (index, row) in rows.iter().enumerate() {
                match shelf.store(row) {
                    Ok(Stored::AsRow) => {}
                    Ok(Stored::Replaced) => outcome.replaced.push(index),
                    Ok(Stored::LeftOut) => outcome.left_out.push(index),
                    Err(error) => outcome.refused.push((index, error)),
                }
            }
            outcome.settled = rows.len();
            outcome
        })
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        Box::pin(async move { Ok(self.shelf().read(&request)?) })
    }

    fn last_stored<'a>(
        &'a self,
        record_name: &'a str,
    ) -> BoxFuture<'a, Result<Rows, PersistenceError>> {
        Box::pin(async move {
            let shelf = self.shelf();
            let history = shelf.histories.get(record_name);
            let last = history.and_then(History::last_stored);
            let mut rows = Rows::new();
            if let Some((position, content)) = last {
                let Content { json, version } = content;
                rows.push_versioned(record_name, position.stored_at, json, *version);
            }
            Ok(rows)
        })
    }

    fn erase<'a>(
        &'a self,
        record_name: &'a str,
        start_ms: u64,
        end_ms: u64,
    ) -> BoxFuture<'a, Result<u64, PersistenceError>> {
        Box::pin(async move {
            let mut shelf = self.shelf();
            let Some(history) = shelf.histories.get_mut(record_name) else {
                return Ok(0);
            };
            let before = history.rows.len();
            let range = start_ms..=end_ms;
            history
                .rows
                .retain(|position, _| !range.contains(&position.stored_at));
            Ok((before - history.rows.len()) as u64)
        })
    }

    fn rename<'a>(
        &'a self,
        from: &'a str,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            validate_key(to)?;
            let mut shelf = self.shelf();
            let has_rows = |name: &str| {
                let history = shelf.histories.get(name);
                history.is_some_and(|history| !history.rows.is_empty())
            };
            check_rename(from, to, has_rows(from), has_rows(to))?;
            let source = shelf.history_of(from);
            let rows = std::mem::take(&mut source.rows);
            let copy = source.declared.clone().map(|declared| SeriesDeclaration {
                record_name: to.into(),
                ..declared
            });
            let target = shelf.history_of(to);
            target.rows = rows;
            target.declared = target.declared.take().or(copy);
            Ok(())
        })
    }

    fn sweep(&self, request: SweepRequest) -> BoxFuture<'_, Result<SweepReport, PersistenceError>> {
        Box::pin(async move {
            let mut shelf = self.shelf();
            let expired = |history: &mut History| history.remove_expired(&request);
            Ok(SweepReport {
                removed: shelf.histories.values_mut().map(expired).sum(),
                ..SweepReport::default()
            })
        })
    }
}

fn stored_value(record_name: &str, stored_at: u64, json: &str) -> StoredValue {
    StoredValue {
        record_name: record_name.to_owned(),
        value: serde_json::from_str(json).expect("only what parses is admitted"),
        stored_at,
    }
}
