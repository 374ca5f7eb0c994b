//! What the provided methods make of the three required ones.

use std::borrow::Cow;

use serde_json::Value;

use crate::contract::backend::{BoxFuture, PersistenceBackend, QueryParams, StoredValue};
use crate::contract::error::PersistenceError;

/// A backend by its three required methods, and its name: all others are as the trait provides them.
///
/// A backend that forwards to another one names every method, so that it forgets none. Where it wants what is provided (a
/// batch as one [`store`](PersistenceBackend::store) after another, say, because it does something at each), it asks this:
///
/// ```
/// use std::sync::Arc;
/// use aimdb_persistence_backend::{BatchOutcome, BoxFuture, PersistenceBackend, RequiredOnly, Rows};
///
/// fn store_batch(this: &dyn PersistenceBackend, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
///     Box::pin(async move { RequiredOnly(this).store_batch(rows).await })
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct RequiredOnly<'b, B: ?Sized>(pub &'b B);

impl<B: PersistenceBackend + ?Sized> PersistenceBackend for RequiredOnly<'_, B> {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        self.0.store(record_name, value, timestamp)
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        self.0.query(record_pattern, params)
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        self.0.cleanup(older_than)
    }

    fn name(&self) -> Cow<'_, str> {
        self.0.name()
    }
}
