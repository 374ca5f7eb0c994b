//! The query of a backend that reads natively, and the scan of one that wraps another's pages.

use futures_lite::future::yield_now;

use crate::contract::backend::{BoxFuture, PersistenceBackend, QueryParams, StoredValue};
use crate::contract::error::PersistenceError;
use crate::contract::pattern::Pattern;
use crate::contract::read::{Page, ReadRequest};
use crate::contract::scan::{RowVisitor, ScanRest, Scanned, over_pages};

/// A page takes so many rows and bytes: parsing it does not keep an executor busy for long.
const PAGE_ROWS: usize = 1_000;
const PAGE_BYTES: usize = 256 * 1024;

/// [`PersistenceBackend::query`] over the pages of [`read`](PersistenceBackend::read): one line for a backend that
/// implements `read` itself. (As provided, `read` asks `query`.)
///
/// Rows whose text is not JSON are left out: only storage that another program writes to can hold any. A malformed pattern
/// is taken for the name of a series if there are rows of that very name.
///
/// ```
/// use aimdb_persistence_backend::{
///     BoxFuture, MemoryBackend, PersistenceBackend, PersistenceError, QueryParams, StoredValue, query_by_read,
/// };
///
/// fn query<'a>(
///     this: &'a MemoryBackend,
///     record_pattern: &'a str,
///     params: QueryParams,
/// ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
///     query_by_read(this, record_pattern, params)
/// }
/// ```
///
/// # Errors
/// The backend's own, and [`InvalidPattern`](PersistenceError::InvalidPattern).
pub fn query_by_read<'a, B: PersistenceBackend + ?Sized>(
    backend: &'a B,
    record_pattern: &'a str,
    params: QueryParams,
) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
    Box::pin(async move {
        let (pattern, malformed) = match Pattern::parse(record_pattern) {
            Ok(pattern) => (pattern, None),
            Err(error) => (Pattern::exact(record_pattern), Some(error)),
        };
        if let Some(error) = malformed {
            let any = ReadRequest::new(pattern.clone()).with_limit(1);
            if backend.read(any).await?.rows.is_empty() {
                return Err(error.into());
            }
        }
        let mut request = ReadRequest::new(pattern)
            .with_limit(params.limit_per_record)
            .with_times(params.start_time, params.end_time)
            .with_page(PAGE_ROWS, PAGE_BYTES);
        let mut rows = Vec::new();
        loop {
            let page = backend.read(request.clone()).await?;
            rows.extend(values_of(&page));
            match page.next {
                Some(next) => request.after = Some(next),
                None => return Ok(rows),
            }
            yield_now().await;
        }
    })
}

/// [`PersistenceBackend::scan`] over the pages of [`read`](PersistenceBackend::read), as it is provided: for a backend that
/// forwards to another one and wants to see every page.
///
/// # Errors
/// The backend's own.
pub fn scan_by_read<B: PersistenceBackend + ?Sized>(
    backend: &B,
    request: ReadRequest,
    rest: Option<ScanRest>,
    visitor: Box<dyn RowVisitor>,
) -> BoxFuture<'_, Result<Scanned, PersistenceError>> {
    let read = |request| backend.read(request);
    Box::pin(over_pages(read, request, rest, visitor))
}

fn values_of(page: &Page) -> impl Iterator<Item = StoredValue> + '_ {
    page.rows.iter().filter_map(|row| {
        Some(StoredValue {
            record_name: row.record_name.to_owned(),
            value: serde_json::from_str(row.json).ok()?,
            stored_at: row.stored_at,
        })
    })
}
