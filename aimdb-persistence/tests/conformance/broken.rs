//! A backend with one fault: what the suite is for.

mod reading;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aimdb_persistence::backend::{
    BatchOutcome, Feature, Page, ReadRequest, RowVisitor, Rows, ScanRest, Scanned,
    SeriesDeclaration, SweepReport, SweepRequest,
};
use aimdb_persistence::{
    BoxFuture, MemoryBackend, OnDuplicate, Pattern, PersistenceBackend, PersistenceError,
    QueryParams, StoredValue, report::BackendHealth,
};
use futures_lite::future;
use serde_json::Value;

use crate::faults::Fault;

/// A [`MemoryBackend`] that keeps every promise but one.
pub(crate) struct Broken {
    inner: MemoryBackend,
    fault: Fault,
    is_storing: AtomicBool,
    declared: Mutex<HashSet<Arc<str>>>,
    last_answer: Mutex<Vec<StoredValue>>,
}

impl Broken {
    /// A process that begins, on what an earlier one has left in `storage`.
    pub(crate) async fn start(fault: Fault, storage: MemoryBackend, is_first: bool) -> Self {
        let inner = match fault {
            Fault::RestartForgetsRows if !is_first => MemoryBackend::new(),
            Fault::RestartForgetsDeclarations if !is_first => {
                let undeclared = MemoryBackend::new();
                for row in storage.rows().into_iter().rev() {
                    let stored = undeclared.store(&row.record_name, &row.value, row.stored_at);
                    stored
                        .await
                        .expect("what was stored once can be stored again");
                }
                undeclared
            }
            _ => storage,
        };
        Self {
            inner,
            fault,
            is_storing: AtomicBool::new(false),
            declared: Mutex::default(),
            last_answer: Mutex::default(),
        }
    }

    async fn forget_rows(&self) -> Result<(), PersistenceError> {
        self.inner.cleanup(u64::MAX).await.map(drop)
    }

    async fn store(&self, name: &str, value: &Value, time: u64) -> Result<(), PersistenceError> {
        let stored = match self.fault {
            Fault::TimesWrapAround => {
                let wrapped = time & i64::MAX as u64;
                return self.inner.store(name, value, wrapped).await;
            }
            Fault::TimesLosePrecision if time <= i64::MAX as u64 => {
                let rounded = (time as f64 as u64).min(i64::MAX as u64);
                return self.inner.store(name, value, rounded).await;
            }
            Fault::FloatsLosePrecision if value.is_f64() => {
                let rounded = value.as_f64().map(|float| float as f32);
                return self.inner.store(name, &rounded.into(), time).await;
            }
            Fault::EqualRowsAreMerged if self.inner.rows().contains(&row(name, value, time)) => {
                return Ok(());
            }
            Fault::StoresMeetAndOneIsLost => {
                if self.is_storing.swap(true, Ordering::SeqCst) {
                    return Ok(());
                }
                future::yield_now().await;
                let stored = self.inner.store(name, value, time).await;
                self.is_storing.store(false, Ordering::SeqCst);
                stored
            }
            _ => self.inner.store(name, value, time).await,
        };
        match (self.fault, stored) {
            (Fault::StoresNullForWhatItRefuses, Err(_)) => {
                self.inner.store(name, &Value::Null, time).await
            }
            (Fault::InvalidKeysAreRepaired, Err(PersistenceError::InvalidKey(_))) => {
                self.inner.store("a", value, time).await
            }
            (Fault::RefusesWithoutSayingWhy, Err(error)) => {
                Err(PersistenceError::Backend(error.to_string()))
            }
            (_, stored) => stored,
        }
    }

    async fn store_batch(&self, rows: Arc<Rows>) -> BatchOutcome {
        match self.fault {
            Fault::BatchIsReversed => {
                let mut reversed = Rows::new();
                for index in (0..rows.len()).rev() {
                    let row = rows.get(index).expect("a row");
                    reversed.push_versioned(row.record_name, row.stored_at, row.json, row.version);
                }
                self.inner.store_batch(Arc::new(reversed)).await
            }
            Fault::EmptyBatchIsAnError if rows.is_empty() => {
                BatchOutcome::stopped(PersistenceError::Backend("nothing to store".to_owned()))
            }
            Fault::BatchStopsAtAnUnstorableRow => {
                for (index, row) in rows.iter().enumerate() {
                    let value = serde_json::from_str(row.json).expect("JSON");
                    let stored = self
                        .inner
                        .store(row.record_name, &value, row.stored_at)
                        .await;
                    if let Err(error) = stored {
                        return BatchOutcome {
                            settled: index,
                            stopped_by: Some(error),
                            ..BatchOutcome::default()
                        };
                    }
                }
                BatchOutcome {
                    settled: rows.len(),
                    ..BatchOutcome::default()
                }
            }
            Fault::VersionsAreForgotten => {
                let mut unversioned = Rows::new();
                for row in rows.iter() {
                    unversioned.push(row.record_name, row.stored_at, row.json);
                }
                self.inner.store_batch(Arc::new(unversioned)).await
            }
            Fault::DuplicatesAreLeftOutInSilence => {
                let mut outcome = self.inner.store_batch(rows).await;
                outcome.left_out.clear();
                outcome
            }
            _ => self.inner.store_batch(rows).await,
        }
    }

    async fn declare(&self, declarations: &[SeriesDeclaration]) -> Result<(), PersistenceError> {
        if self.fault == Fault::DeclareForgetsRows {
            self.forget_rows().await?;
        }
        let mut taken = declarations.to_vec();
        if self.fault == Fault::FirstDeclarationWins {
            let mut declared = self.declared.lock().expect("no panic while locked");
            taken.retain(|declaration| declared.insert(Arc::clone(&declaration.record_name)));
        }
        for declaration in &mut taken {
            match self.fault {
                Fault::TemplateIsForgotten => {
                    declaration.template.get_or_insert("forgotten".into());
                }
                Fault::KeepLastIsIgnored => declaration.keep_last = 0,
                Fault::MaxRowsIsIgnored => declaration.max_rows = None,
                Fault::DuplicatesAreKept => declaration.on_duplicate = OnDuplicate::Keep,
                _ => {}
            }
        }
        self.inner.declare(&taken).await
    }
}

fn row(name: &str, value: &Value, time: u64) -> StoredValue {
    StoredValue {
        record_name: name.to_owned(),
        value: value.clone(),
        stored_at: time,
    }
}

#[deny(clippy::missing_trait_methods)]
impl PersistenceBackend for Broken {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(Broken::store(self, record_name, value, timestamp))
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        Box::pin(Broken::query(self, record_pattern, params))
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        Box::pin(async move {
            match self.fault {
                Fault::CleanupCountsOneMore => Ok(self.inner.cleanup(older_than).await? + 1),
                Fault::CleanupIsInclusive => self.inner.cleanup(older_than.saturating_add(1)).await,
                Fault::CleanupKeepsTheLast => {
                    let removed = self.inner.cleanup(older_than).await?;
                    Ok(removed.saturating_sub(1))
                }
                Fault::CleanupSaturates => {
                    self.inner.cleanup(older_than.min(i64::MAX as u64)).await
                }
                _ => self.inner.cleanup(older_than).await,
            }
        })
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{:?}", self.fault))
    }

    fn initialize(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        Box::pin(async move {
            match self.fault {
                Fault::InitializeForgetsRows => self.forget_rows().await,
                _ => Ok(()),
            }
        })
    }

    fn keeps_declarations(&self) -> bool {
        true
    }

    fn supports(&self, feature: Feature) -> bool {
        self.inner.supports(feature)
    }

    fn declare<'a>(
        &'a self,
        declarations: &'a [SeriesDeclaration],
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(Broken::declare(self, declarations))
    }

    fn declarations<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> BoxFuture<'a, Result<Vec<SeriesDeclaration>, PersistenceError>> {
        Box::pin(async move {
            if self.fault == Fault::DeclarationsIgnoreThePattern {
                let all = Pattern::parse("#")?;
                return self.inner.declarations(&all).await;
            }
            let mut declarations = self.inner.declarations(pattern).await?;
            if self.fault == Fault::DeclarationsLoseTheirFields {
                declarations.iter_mut().for_each(|d| d.fields.clear());
            }
            Ok(declarations)
        })
    }

    fn store_batch(&self, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
        Box::pin(Broken::store_batch(self, rows))
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        Box::pin(Broken::read(self, request))
    }

    fn scan(
        &self,
        request: ReadRequest,
        rest: Option<ScanRest>,
        visitor: Box<dyn RowVisitor>,
    ) -> BoxFuture<'_, Result<Scanned, PersistenceError>> {
        Box::pin(Broken::scan(self, request, rest, visitor))
    }

    fn sweep(&self, request: SweepRequest) -> BoxFuture<'_, Result<SweepReport, PersistenceError>> {
        Box::pin(async move {
            match self.fault {
                Fault::SweepIgnoresOwnRetention => {
                    let cutoff_ms = request.default_retention.cutoff_ms(request.now_ms);
                    let removed = self.inner.cleanup(cutoff_ms.unwrap_or(0)).await?;
                    Ok(SweepReport {
                        removed,
                        ..SweepReport::default()
                    })
                }
                Fault::KeepLastCountsTheFuture => {
                    let request = SweepRequest {
                        max_ahead_ms: u64::MAX,
                        ..request
                    };
                    self.inner.sweep(request).await
                }
                _ => self.inner.sweep(request).await,
            }
        })
    }

    fn last_stored<'a>(
        &'a self,
        record_name: &'a str,
    ) -> BoxFuture<'a, Result<Rows, PersistenceError>> {
        Box::pin(async move {
            if self.fault == Fault::LastStoredIsTheNewest {
                let newest = ReadRequest::new(Pattern::exact(record_name)).with_limit(1);
                return Ok(self.inner.read(newest).await?.rows);
            }
            self.inner.last_stored(record_name).await
        })
    }

    fn erase<'a>(
        &'a self,
        record_name: &'a str,
        start_ms: u64,
        end_ms: u64,
    ) -> BoxFuture<'a, Result<u64, PersistenceError>> {
        match self.fault {
            Fault::EraseIgnoresTheEnd => self.inner.erase(record_name, start_ms, u64::MAX),
            _ => self.inner.erase(record_name, start_ms, end_ms),
        }
    }

    fn rename<'a>(
        &'a self,
        from: &'a str,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            self.inner.rename(from, to).await?;
            match self.fault {
                Fault::RenameForgetsRows => drop(self.inner.erase(to, 0, 100).await?),
                Fault::RenameForgetsTheDeclaration => {
                    self.inner.declare(&[SeriesDeclaration::new(to)]).await?;
                }
                _ => {}
            }
            Ok(())
        })
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        Box::pin(async move {
            match self.fault {
                Fault::FlushForgetsRows => self.forget_rows().await,
                _ => Ok(()),
            }
        })
    }
    fn health(&self) -> BackendHealth {
        self.inner.health()
    }
}
