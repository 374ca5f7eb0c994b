//! Backends with the three required methods and nothing else.

use std::sync::Mutex;

use aimdb_persistence::{
    BoxFuture, MemoryBackend, Pattern, PersistenceBackend, PersistenceError, QueryParams,
    StoredValue,
};
use futures_lite::future;
use serde_json::Value;

/// Refuses what the contract lets it refuse, and is never ready at the first poll.
#[derive(Default)]
pub(crate) struct RequiredOnly(MemoryBackend);

impl PersistenceBackend for RequiredOnly {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            future::yield_now().await;
            let stored = self.0.store(record_name, value, timestamp).await;
            future::yield_now().await;
            stored.map_err(|error| PersistenceError::Backend(error.to_string()))
        })
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        Box::pin(async move {
            future::yield_now().await;
            self.0.query(record_pattern, params).await
        })
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        Box::pin(async move {
            future::yield_now().await;
            self.0.cleanup(older_than).await
        })
    }
}

/// Stores whatever it is given: any key, any time.
#[derive(Default)]
pub(crate) struct Undemanding(Mutex<Vec<StoredValue>>);

impl Undemanding {
    fn select(&self, pattern: &Pattern, params: &QueryParams) -> Vec<StoredValue> {
        let stored = self.0.lock().expect("no panic while locked");
        let bounds = params.start_time.unwrap_or(0)..=params.end_time.unwrap_or(u64::MAX);
        let mut selected: Vec<_> = stored
            .iter()
            .rev() // the stable sort below keeps the row stored last in front of its equals
            .filter(|row| pattern.matches(&row.record_name) && bounds.contains(&row.stored_at))
            .cloned()
            .collect();
        selected.sort_by(|a, b| (&a.record_name, b.stored_at).cmp(&(&b.record_name, a.stored_at)));
        let of_each_record = selected.chunk_by(|a, b| a.record_name == b.record_name);
        let limit = params.limit_per_record.unwrap_or(usize::MAX);
        of_each_record
            .flat_map(|rows| rows.iter().take(limit).cloned())
            .collect()
    }
}

impl PersistenceBackend for Undemanding {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            let row = StoredValue {
                record_name: record_name.to_owned(),
                value: value.clone(),
                stored_at: timestamp,
            };
            self.0.lock().expect("no panic while locked").push(row);
            Ok(())
        })
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        Box::pin(async move { Ok(self.select(&Pattern::parse(record_pattern)?, &params)) })
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        Box::pin(async move {
            let mut rows = self.0.lock().expect("no panic while locked");
            let before = rows.len();
            rows.retain(|row| row.stored_at >= older_than);
            Ok((before - rows.len()) as u64)
        })
    }
}
