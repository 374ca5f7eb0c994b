//! Our side of every comparison: a database with a history, and rows handed to the backend directly.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aimdb_core::{AimDb, AimDbBuilder};
use aimdb_persistence::backend::{Rows, SeriesDeclaration};
use aimdb_persistence::{
    AimDbBuilderPersistExt, Declared, Persist, PersistenceBackend, PersistenceOptions, Series,
};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_workload::{Reading, SERIES, series_key};
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

use crate::bench::Outcome;

/// Selects every series of [`Temperature`].
pub(crate) const PATTERN: &str = "temperature.*";

pub(crate) type Builder = AimDbBuilder<TokioAdapter>;
pub(crate) type Db = AimDb<TokioAdapter>;

/// A [`Reading`] with a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
#[serde(transparent)]
pub(crate) struct Temperature {
    reading: Reading,
}

impl Temperature {
    /// The value of row `n`.
    pub(crate) fn nth(n: u64) -> Self {
        let reading = Reading::nth(n);
        Self { reading }
    }
}

/// Series `index`: its key is [`series_key`]'s.
pub(crate) fn series(index: u64) -> Series<Temperature> {
    Temperature::series(format!("s{index:05}"))
}

/// The backend as it is by default.
pub(crate) fn open(path: &Path) -> Outcome<SqliteBackend> {
    Ok(SqliteBackend::new(path)?)
}

/// Options that keep everything.
pub(crate) fn options(backend: &SqliteBackend) -> PersistenceOptions {
    PersistenceOptions::new(Arc::new(backend.clone()), Duration::MAX)
        .flush_deadline(Duration::from_secs(600))
}

pub(crate) fn builder(options: PersistenceOptions) -> Builder {
    AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter))
        .with_persistence_options(options)
}

/// A database that only asks.
pub(crate) async fn asking(backend: &SqliteBackend) -> Outcome<Db> {
    Ok(builder(options(backend)).build().await?)
}

/// Tells the backend that the series are of [`Temperature`], as a database that registers them does.
pub(crate) async fn declare_series(backend: &SqliteBackend) -> Outcome {
    let declaration = |index| {
        SeriesDeclaration::new(series_key(index)).with_template(Temperature::DECLARATION.template())
    };
    let declarations: Vec<_> = (0..SERIES).map(declaration).collect();
    Ok(backend.declare(&declarations).await?)
}

/// Stores rows `n` of the range in batches, as `row` makes them: series, time and value. Serialises each on the way.
pub(crate) async fn store_rows<T: Serialize>(
    backend: &SqliteBackend,
    rows: Range<u64>,
    rows_per_batch: u64,
    row: impl Fn(u64) -> (u64, u64, T),
) -> Outcome {
    let keys: Vec<_> = (0..SERIES).map(series_key).collect();
    let mut json = Vec::new();
    let mut start = rows.start;
    while start < rows.end {
        let end = rows.end.min(start + rows_per_batch);
        let mut batch = Rows::new();
        for n in start..end {
            let (series, stored_at, value) = row(n);
            json.clear();
            serde_json::to_writer(&mut json, &value)?;
            batch.push(
                &keys[series as usize],
                stored_at,
                std::str::from_utf8(&json)?,
            );
        }
        store_batch(backend, batch).await?;
        start = end;
    }
    Ok(())
}

async fn store_batch(backend: &SqliteBackend, batch: Rows) -> Outcome {
    let rows = batch.len();
    let outcome = backend.store_batch(Arc::new(batch)).await;
    match outcome.stopped_by {
        Some(error) => Err(error.into()),
        None if outcome.settled == rows && outcome.refused.is_empty() => Ok(()),
        None => Err(format!("of {rows} rows {} were stored", outcome.settled).into()),
    }
}
