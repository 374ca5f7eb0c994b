//! The contract between AimDB's history and what stores it.
//!
//! A backend implements three methods and works through everything. The provided methods are where it may do
//! better: a batch in one transaction, pages instead of whole answers, retention per record, a real flush.

use std::borrow::Cow;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_lite::FutureExt;
use serde_json::Value;

use crate::contract::cursor::CursorError;
use crate::contract::error::PersistenceError;
use crate::contract::feature::Feature;
use crate::contract::health::BackendHealth;
use crate::contract::pattern::Pattern;
use crate::contract::quoted::Quoted;
use crate::contract::read::{Order, Page, ReadRequest};
use crate::contract::rows::Rows;
use crate::contract::scan;
use crate::contract::scan::{RowVisitor, ScanRest, Scanned};
use crate::contract::terms::{BatchOutcome, SeriesDeclaration, SweepReport, SweepRequest};

/// A boxed, sendable future: what an object-safe async method returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A stored row, its value parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredValue {
    /// The record's key.
    pub record_name: String,
    /// The value.
    pub value: Value,
    /// Unix milliseconds: when the value was recorded, or its own event time.
    pub stored_at: u64,
}

/// Which rows of the selected records a query returns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryParams {
    /// At most so many rows of each record, the newest first.
    pub limit_per_record: Option<usize>,
    /// Only rows at or after this time (Unix milliseconds).
    pub start_time: Option<u64>,
    /// Only rows at or before this time (Unix milliseconds).
    pub end_time: Option<u64>,
}

/// Stores and returns the rows of series.
///
/// # Concurrency
/// Every method may be called at any time, from several tasks, for several databases that share the backend. A
/// recorder has at most one [`store_batch`](Self::store_batch) under way. Futures may be dropped at any await.
/// None of them may block the thread that polls it.
///
/// # Errors
/// What a method answers decides what becomes of the rows. [`Unstorable`](PersistenceError::Unstorable),
/// [`InvalidKey`](PersistenceError::InvalidKey) and [`Serialization`](PersistenceError::Serialization) are about one
/// row: it counts as failed, and the others go on. A [`Storage`](PersistenceError::Storage) failure of the kinds
/// `Busy` and `DiskFull` is tried again for as long as it lasts; `ReadOnly`, `Corrupt`, `CannotOpen` and `TooNew` fail the rows
/// at once, as does [`BackendShutdown`](PersistenceError::BackendShutdown). Anything else, a
/// [`Backend`](PersistenceError::Backend) message above all, is tried again too; if other rows can be stored meanwhile,
/// the row that keeps failing counts as failed.
///
/// # Order
/// Rows come back by record name, in the order of its bytes, then newest first; of rows with the same time, the one
/// stored last comes first.
///
/// # Example
/// The three required methods are enough:
///
/// ```
/// use std::sync::Mutex;
/// use aimdb_persistence_backend::{BoxFuture, Pattern, PersistenceBackend, PersistenceError, QueryParams, StoredValue};
/// use serde_json::Value;
///
/// #[derive(Default)]
/// struct Scratch(Mutex<Vec<StoredValue>>);
///
/// impl PersistenceBackend for Scratch {
///     fn store<'a>(
///         &'a self,
///         record_name: &'a str,
///         value: &'a Value,
///         timestamp: u64,
///     ) -> BoxFuture<'a, Result<(), PersistenceError>> {
///         Box::pin(async move {
///             let row = StoredValue { record_name: record_name.into(), value: value.clone(), stored_at: timestamp };
///             self.0.lock().unwrap().push(row);
///             Ok(())
///         })
///     }
///
///     fn query<'a>(
///         &'a self,
///         record_pattern: &'a str,
///         params: QueryParams,
///     ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
///         Box::pin(async move {
///             let pattern = Pattern::parse(record_pattern)?;
///             let in_range = |row: &StoredValue| {
///                 params.start_time.is_none_or(|start| row.stored_at >= start)
///                     && params.end_time.is_none_or(|end| row.stored_at <= end)
///             };
///             let mut rows = self.0.lock().unwrap().clone();
///             rows.reverse(); // a stable sort then keeps the row stored last in front of its equals
///             rows.sort_by(|a, b| (&a.record_name, b.stored_at).cmp(&(&b.record_name, a.stored_at)));
///             rows.retain(|row| pattern.matches(&row.record_name) && in_range(row));
///             let (mut record, mut taken) = (String::new(), 0);
///             rows.retain(|row| {
///                 taken = if row.record_name == record { taken + 1 } else { 1 };
///                 record.clone_from(&row.record_name);
///                 params.limit_per_record.is_none_or(|limit| taken <= limit)
///             });
///             Ok(rows)
///         })
///     }
///
///     fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
///         Box::pin(async move {
///             let mut rows = self.0.lock().unwrap();
///             let before = rows.len();
///             rows.retain(|row| row.stored_at >= older_than);
///             Ok((before - rows.len()) as u64)
///         })
///     }
/// }
/// ```
pub trait PersistenceBackend: Send + Sync {
    /// Stores one row. When it resolves, the row is as durable as the backend promises.
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>>;

    /// Returns the rows of the records that `record_pattern` selects, in the trait's order.
    /// [`Pattern`] implements the grammar. A backend that implements [`read`](Self::read) answers with
    /// [`query_by_read`](crate::query_by_read).
    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>>;

    /// Removes every row whose time lies before `older_than` (Unix milliseconds), literally, and says how many:
    /// `u64::MAX` removes every row that can be.
    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>>;

    /// What errors and events call it, such as `SQLite history.db`. As provided, the name of its type.
    fn name(&self) -> Cow<'_, str> {
        let path = std::any::type_name::<Self>();
        let without_generics = path.split('<').next().unwrap_or(path);
        let name = without_generics.rsplit("::").next();
        Cow::Borrowed(name.unwrap_or(path))
    }

    /// Called once by each database before its first row is stored or read.
    fn initialize(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        Box::pin(async { Ok(()) })
    }

    /// Whether the backend remembers what [`declare`](Self::declare) tells it, across restarts too.
    ///
    /// Where it does not, the database answers for the series that it declared itself in this run.
    fn keeps_declarations(&self) -> bool {
        false
    }

    /// Whether the backend can keep what this feature asks of it. A record that declares more than that is not recorded,
    /// and is reported when its database is built.
    fn supports(&self, feature: Feature) -> bool {
        let _ = feature;
        false
    }

    /// Learns what is declared of series.
    fn declare<'a>(
        &'a self,
        declarations: &'a [SeriesDeclaration],
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        let _ = declarations;
        Box::pin(async { Ok(()) })
    }

    /// What is declared of the series that the pattern selects, whether they have rows or not: the latest declaration of
    /// each, as far as the backend keeps it, by record name. Series that nobody has declared are left out.
    ///
    /// A number of rows or milliseconds beyond `i64::MAX` may come back as that.
    ///
    /// As provided, [unsupported](PersistenceError::Unsupported).
    fn declarations<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> BoxFuture<'a, Result<Vec<SeriesDeclaration>, PersistenceError>> {
        let _ = pattern;
        Box::pin(async { Err(PersistenceError::Unsupported(Feature::Declarations)) })
    }

    /// Stores rows in order. Provided as one [`store`](Self::store) after another.
    fn store_batch(&self, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
        Box::pin(async move {
            let mut refused = Vec::new();
            for (index, row) in rows.iter().enumerate() {
                let store = async {
                    let value = serde_json::from_str(row.json)?;
                    self.store(row.record_name, &value, row.stored_at).await
                };
                // A panic must not make forget which rows are stored already: they would be stored again.
                let stored = AssertUnwindSafe(store)
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_| Err(PersistenceError::panicked(&self.name())));
                match stored {
                    Ok(()) => {}
                    Err(error) if error.is_about_the_row() => refused.push((index, error)),
                    Err(error) => {
                        return BatchOutcome {
                            settled: index,
                            refused,
                            stopped_by: Some(error),
                            ..BatchOutcome::default()
                        };
                    }
                }
            }
            BatchOutcome {
                settled: rows.len(),
                refused,
                ..BatchOutcome::default()
            }
        })
    }

    /// Reads one page. Provided by [`query`](Self::query), which makes a single page of the whole answer.
    ///
    /// Rows outside the pattern are left out even where `query` returns them. The request's order may differ from
    /// the trait's.
    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        Box::pin(async move {
            if request.after.is_some() {
                return Err(CursorError::new("this backend makes none").into());
            }
            let newest_first = request.order == Order::NewestFirst;
            let params = QueryParams {
                limit_per_record: request.limit_per_record.filter(|_| newest_first),
                start_time: request.start_time,
                end_time: request.end_time,
            };
            let mut rows = self.query(request.pattern.as_str(), params).await?;
            rows.retain(|row| request.pattern.matches(&row.record_name));
            let mut page = Page::default();
            let limit = request.limit_per_record.unwrap_or(usize::MAX);
            for series in rows.chunk_by_mut(|one, next| one.record_name == next.record_name) {
                if !newest_first {
                    series.reverse();
                }
                for row in series.iter().take(limit) {
                    let json = serde_json::to_string(&row.value)?;
                    page.rows.push(&row.record_name, row.stored_at, &json);
                }
            }
            Ok(page)
        })
    }

    /// Shows `visitor` the rows of the request in order, without making pages of them, until it wants no more; the
    /// request's page size does not count. Goes on from the `rest` of an earlier scan, if there is one.
    ///
    /// All of a scan, and of those that go on from it, shows the rows that were there when it began, less what was
    /// removed meanwhile. Provided over the pages of [`read`](Self::read). A backend that overrides it must not
    /// hold a lock or a transaction for as long as a scan may take, and ends it early when the future is dropped.
    fn scan(
        &self,
        request: ReadRequest,
        rest: Option<ScanRest>,
        visitor: Box<dyn RowVisitor>,
    ) -> BoxFuture<'_, Result<Scanned, PersistenceError>> {
        let read = |request| self.read(request);
        Box::pin(scan::over_pages(read, request, rest, visitor))
    }

    /// The row of a series that was stored last: what its next value is compared with. A row that has
    /// [replaced](crate::OnDuplicate::Replace) another one is as old as that one. No rows where the series has none.
    ///
    /// Provided by [`read`](Self::read) as the newest row by its time, which is another one after the clock was set back, or
    /// after a backfill. A backend that tells the two apart says so: [`Feature::LastStored`].
    fn last_stored<'a>(
        &'a self,
        record_name: &'a str,
    ) -> BoxFuture<'a, Result<Rows, PersistenceError>> {
        Box::pin(async move {
            let newest = ReadRequest::new(Pattern::exact(record_name)).with_limit(1);
            Ok(self.read(newest).await?.rows)
        })
    }

    /// Removes expired rows. Provided by [`cleanup`](Self::cleanup) at the longest retention of all.
    fn sweep(&self, request: SweepRequest) -> BoxFuture<'_, Result<SweepReport, PersistenceError>> {
        Box::pin(async move {
            let removed = match request.longest_retention.cutoff_ms(request.now_ms) {
                Some(cutoff) => self.cleanup(cutoff).await?,
                None => 0,
            };
            Ok(SweepReport {
                removed,
                ..SweepReport::default()
            })
        })
    }

    /// Resolves when every row whose storing was answered before is as durable as the backend can make it.
    fn flush(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        Box::pin(async { Ok(()) })
    }

    /// Removes the rows of one series whose times lie between two, both inclusive; says how many. Rows that are stored
    /// meanwhile may stay. What is declared of the series stays, too.
    ///
    /// As provided, [unsupported](PersistenceError::Unsupported).
    fn erase<'a>(
        &'a self,
        record_name: &'a str,
        start_ms: u64,
        end_ms: u64,
    ) -> BoxFuture<'a, Result<u64, PersistenceError>> {
        let _ = (record_name, start_ms, end_ms);
        Box::pin(async { Err(PersistenceError::Unsupported(Feature::Erasing)) })
    }

    /// Gives the rows of a series another name, under which there must be none. What is declared of the old name stays
    /// with it, since a record of that name may go on. What is declared of the new name holds for the rows from then on; where
    /// nothing is, a copy of what is declared of the old one.
    ///
    /// As provided, [unsupported](PersistenceError::Unsupported).
    fn rename<'a>(
        &'a self,
        from: &'a str,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        let _ = (from, to);
        Box::pin(async { Err(PersistenceError::Unsupported(Feature::Renaming)) })
    }

    /// What the backend has done of its own accord since it was opened. Asked after each batch, so it must be quick.
    fn health(&self) -> BackendHealth {
        BackendHealth::default()
    }
}

/// Whether a series can be [renamed](PersistenceBackend::rename), for backends to ask.
///
/// # Errors
/// [`PersistenceError::InvalidQuery`] where there is nothing to rename, or rows in the way.
pub fn check_rename(
    from: &str,
    to: &str,
    from_has_rows: bool,
    to_has_rows: bool,
) -> Result<(), PersistenceError> {
    let reason = if !from_has_rows {
        format!("there are no rows of `{}` to be renamed", Quoted(from))
    } else if to_has_rows {
        format!(
            "there are rows of `{}` already, which those of `{}` would get lost among: delete them first, or choose another name",
            Quoted(to),
            Quoted(from)
        )
    } else {
        return Ok(());
    };
    Err(PersistenceError::InvalidQuery { reason })
}
