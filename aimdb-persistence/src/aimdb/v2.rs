//! AimDB 2: `aimdb-core` 2, with whichever adapter. All that this major version needs is here.

#![cfg(feature = "aimdb-2")]

mod buffer;
mod taps;

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "metrics")]
use aimdb_core_2::buffer::BufferMetricsSnapshot;
use aimdb_core_2::buffer::{BufferCfg, BufferReader, DynBuffer, Reader};
use aimdb_core_2::remote::{QueryHandlerFn, QueryHandlerParams, QueryRecord};
use aimdb_core_2::{
    AimDb, AimDbBuilder, DbError, Extensions, RecordRegistrar, RuntimeContext, StringKey,
    topic_matches,
};
use aimdb_persistence_backend::{PersistenceError, QueryParams};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::unconstrained;

use self::buffer::ReaderBuffer;
use self::taps::{IsItsBuffer, LookAtTaps, TapOn};
use crate::aimdb::builder::{AimDbBuilderPersistExt, RecordRegistrarPersistExt};
use crate::aimdb::database::AimDbQueryExt;
use crate::aimdb::handle::PersistenceHandle;
use crate::archive::Archive;
use crate::archive::event::PersistenceEvent;
use crate::archive::options::PersistenceOptions;
use crate::archive::remote_access::RemoteLimits;
use crate::archive::reporter::warn;
use crate::declaration::declared::{BufferKind, Declared, DeclaredRecord, Record};
use crate::declaration::policy::Policy;
use crate::query::ask::Ask;
use crate::query::remote;
use crate::recorder::capture::{Capture, Received};
use crate::recorder::intake::{Intake, Owner, Persistence};
use crate::recorder::sleeping::Sleep;
use crate::recorder::subscriber::{Next, ValueSource};
use crate::recorder::sweep::sweep_at_intervals;
use crate::time::now_ms;

impl AimDbBuilderPersistExt for AimDbBuilder {
    fn with_persistence_options(mut self, options: PersistenceOptions) -> Self {
        let persistence = persistence_of(self.extensions_mut());
        let Some(recorder) = persistence.configure(options).cloned() else {
            return self;
        };
        self.extensions_mut()
            .insert(remote_query_handler(persistence));
        let handover = Persistence::hand_over(&recorder);
        let clock = recorder.clock().clone();
        self.on_start(move |runtime| {
            clock.begin(sleep_of(runtime));
            handover
        });
        self.on_start(move |_| sweep_at_intervals(recorder));
        let taps = LookAtTaps(persistence_of(self.extensions_mut()));
        self.with_connector(taps)
    }

    fn persistence(&self) -> PersistenceHandle {
        let owner = self.extensions().get::<Owner>();
        PersistenceHandle {
            persistence: owner.map(|owner| owner.0.clone()),
        }
    }

    fn register_declared<D: Declared<Value: Record>>(&mut self, declared: DeclaredRecord) {
        let persistence = persistence_of(self.extensions_mut());
        if persistence.register_once::<D::Value>(&declared) {
            let key = StringKey::intern(&*declared.key);
            let (declared, buffer) = declared.with_its_buffer();
            let intake = persistence.take_in_declared::<D>(&declared);
            self.configure::<D::Value>(key, |registrar| {
                record_with_buffer::<D>(registrar, intake, buffer);
            });
        }
    }
}

impl<T> RecordRegistrarPersistExt for &mut RecordRegistrar<'_, T>
where
    T: Send + Sync + Clone + Debug + 'static,
{
    type Record = T;

    fn persist_with(self, record_name: impl Into<String>, policy: Policy) -> Self
    where
        T: Serialize,
    {
        let record_name = record_name.into();
        let Some(persistence) = self
            .extensions()
            .get::<Owner>()
            .map(|owner| owner.0.clone())
        else {
            warn(&Persistence::missing(&record_name));
            return self;
        };
        match persistence.take_in_named(&record_name, policy) {
            Some(intake) => record_from_buffer(self, intake, None),
            None => self,
        }
    }

    fn persist_declared<D: Declared<Value = T>>(self, declared: DeclaredRecord) -> Self
    where
        T: Record,
    {
        let Some(persistence) = self
            .extensions()
            .get::<Owner>()
            .map(|owner| owner.0.clone())
        else {
            warn(&Persistence::missing(&declared.key));
            return self;
        };
        let intake = persistence.take_in_declared::<D>(&declared);
        match declared.declaration.buffer() {
            Some(buffer) if persistence.register_once::<T>(&declared) => {
                record_with_buffer::<D>(self, intake, buffer)
            }
            _ => record_from_buffer(self, intake, None),
        }
    }
}

impl Ask for AimDb {
    fn archive(&self) -> Result<&Archive, PersistenceError> {
        let owner = self.extensions().get::<Owner>();
        let persistence = owner.ok_or(PersistenceError::NotConfigured)?;
        Ok(persistence.0.recorder()?.archive())
    }
}

impl AimDbQueryExt for AimDb {
    fn persistence(&self) -> Option<&Persistence> {
        self.extensions().get::<Owner>().map(|owner| &owner.0)
    }

    fn as_any(&self) -> &(dyn Any + Sync) {
        self
    }
}

/// The builder's history, begun if this is the first to ask for it.
fn persistence_of(extensions: &mut Extensions) -> Persistence {
    if extensions.get::<Owner>().is_none() {
        extensions.insert(Owner::default());
    }
    extensions
        .get::<Owner>()
        .map(|owner| owner.0.clone())
        .unwrap_or_default()
}

fn sleep_of(runtime: RuntimeContext) -> Sleep {
    Arc::new(move |duration| runtime.ops().sleep(duration))
}

fn produce_at_once<T>(db: &dyn Any, key: &str, value: T) -> Result<(), String>
where
    T: Send + Clone + Debug + 'static,
{
    let db = db.downcast_ref::<AimDb>().ok_or(ANOTHER_DATABASE)?;
    db.produce(key, value).map_err(|error| error.to_string())
}

const ANOTHER_DATABASE: &str =
    "it is a record of another database, or this is a handle: ask the database itself to restore";

/// Gives the record a buffer that feeds the recorder as well, and records it.
fn record_with_buffer<'r, 'a, D>(
    registrar: &'r mut RecordRegistrar<'a, D::Value>,
    intake: Intake<D::Value>,
    buffer: BufferKind,
) -> &'r mut RecordRegistrar<'a, D::Value>
where
    D: Declared<Value: Record>,
{
    let config = match buffer {
        BufferKind::Ring(capacity) => BufferCfg::SpmcRing {
            capacity: capacity.max(1),
        },
        BufferKind::Latest => BufferCfg::SingleLatest,
    };
    let capture = intake.capture(buffer);
    // A constant: for other types, no code is made that publishes and decodes.
    if const { D::DECLARATION.restore().is_some() } {
        intake.give_back_to::<D>(&capture, produce_at_once::<D::Value>);
    }
    let recorded = RecordedBuffer {
        inner: ReaderBuffer::new(buffer),
        capture: Arc::clone(&capture),
    };
    record_from_buffer(
        registrar.buffer_with_cfg(Box::new(recorded), config),
        intake,
        Some(capture),
    )
}

/// Taps the record: by the queue its buffer fills, or else by a reader of the buffer it has.
fn record_from_buffer<'r, 'a, T>(
    registrar: &'r mut RecordRegistrar<'a, T>,
    intake: Intake<T>,
    capture: Option<Arc<Capture<T>>>,
) -> &'r mut RecordRegistrar<'a, T>
where
    T: Serialize + Send + Sync + Clone + Debug + 'static,
{
    // A consumer of AimDB 2 does not say of which record it is. So a name is recorded from one record only, and which one that
    // is is looked at when all taps have begun.
    registrar.tap(move |_, consumer| {
        let captured = capture.clone().filter(|capture| capture.is_open());
        intake.note_tap(|| Box::new(TapOn::<T>::new(captured.map(is_its_buffer))));
        let subscribe = || {
            Some(ReaderSource {
                reader: consumer.subscribe(),
                received: None,
            })
        };
        // Under Tokio's cooperative budget `try_recv` may report an empty buffer that is not empty. The subscriber yields
        // by itself.
        unconstrained(intake.begin(None, capture, subscribe))
    })
}

/// Says whether a buffer is the one that fills this queue.
fn is_its_buffer<T: Clone + Send + Sync + 'static>(capture: Arc<Capture<T>>) -> IsItsBuffer {
    Box::new(move |buffer| {
        let recorded = buffer.downcast_ref::<RecordedBuffer<T>>();
        recorded.is_some_and(|recorded| Arc::ptr_eq(&recorded.capture, &capture))
    })
}

/// A buffer for the application's readers, and the recorder's queue beside it.
struct RecordedBuffer<T: Clone + Send + Sync + 'static> {
    inner: ReaderBuffer<T>,
    capture: Arc<Capture<T>>,
}

impl<T: Clone + Send + Sync + 'static> DynBuffer<T> for RecordedBuffer<T> {
    fn push(&self, value: T) {
        self.capture.push(value, |value| self.inner.push(value));
    }

    fn subscribe_boxed(&self) -> Box<dyn BufferReader<T> + Send> {
        Box::new(self.inner.subscribe())
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn peek(&self) -> Option<T> {
        self.inner.peek()
    }

    #[cfg(feature = "metrics")]
    fn metrics_snapshot(&self) -> Option<BufferMetricsSnapshot> {
        Some(self.inner.metrics())
    }

    #[cfg(feature = "metrics")]
    fn reset_metrics(&self) {
        self.inner.reset_metrics();
    }
}

impl<T: Clone + Send + Sync + 'static> Drop for RecordedBuffer<T> {
    fn drop(&mut self) {
        self.capture.close();
    }
}

/// A reader of a buffer that is not ours.
struct ReaderSource<T: Clone + Send> {
    reader: Reader<T>,
    received: Option<Next<T>>,
}

impl<T: Clone + Send> ReaderSource<T> {
    fn next_of(received: Result<T, DbError>) -> Next<T> {
        match received {
            Ok(value) => Next::Value(Received::now(value)),
            Err(DbError::BufferLagged { lag_count, .. }) => Next::Missed(lag_count),
            Err(DbError::BufferEmpty) => Next::Empty,
            Err(_) => Next::Closed,
        }
    }
}

impl<T: Clone + Send> ValueSource<T> for ReaderSource<T> {
    const COUNTED: bool = false;

    fn try_next(&mut self) -> Next<T> {
        self.received
            .take()
            .unwrap_or_else(|| Self::next_of(self.reader.try_recv()))
    }

    async fn wait(&mut self) {
        self.received = Some(Self::next_of(self.reader.recv().await));
    }
}

/// Answers AimX `record.query` as AimDB 2's clients expect it.
fn remote_query_handler(persistence: Persistence) -> QueryHandlerFn {
    let failures = Arc::new(FailedQueries::default());
    Box::new(move |params: QueryHandlerParams| {
        let (persistence, failures) = (persistence.clone(), Arc::clone(&failures));
        Box::pin(async move {
            answer(&persistence, params).await.map_err(|error| {
                // AimDB 2 tells its client that the query failed, and not why.
                failures.report(&persistence, &error);
                error.to_string()
            })
        })
    })
}

/// When a failed query was reported last: clients may ask more often than anybody reads.
#[derive(Default)]
struct FailedQueries {
    last_ms: AtomicU64,
}

impl FailedQueries {
    fn report(&self, persistence: &Persistence, error: &PersistenceError) {
        const BETWEEN_MS: u64 = 1_000;
        let (now, last) = (now_ms(), self.last_ms.load(Ordering::Relaxed));
        let is_due = now.abs_diff(last) >= BETWEEN_MS;
        if is_due
            && self.last_ms.swap(now, Ordering::Relaxed) == last
            && let Ok(recorder) = persistence.recorder()
        {
            let error = error.to_string();
            recorder.report(&PersistenceEvent::RemoteQueryFailed { error });
        }
    }
}

async fn answer(
    persistence: &Persistence,
    params: QueryHandlerParams,
) -> Result<Value, PersistenceError> {
    let query = QueryParams {
        limit_per_record: params.limit,
        start_time: params.start,
        end_time: params.end,
    };
    let mut found = remote::answer(
        persistence.recorder()?.archive(),
        &params.name,
        query,
        topic_matches,
        RemoteLimits::AIMDB_2,
    )
    .await?;
    let mut rows = std::mem::take(&mut found.rows);
    // Oldest first; of rows with the same time, the one stored first.
    rows.reverse();
    rows.sort_by(|a, b| (a.stored_at, &a.record_name).cmp(&(b.stored_at, &b.record_name)));
    let records: Vec<QueryRecord> = rows
        .into_iter()
        .map(|row| QueryRecord {
            topic: row.record_name,
            payload: row.value,
            ts: row.stored_at,
        })
        .collect();
    let mut answer = json!({ "total": records.len(), "records": records });
    found.annotate(&mut answer);
    Ok(answer)
}
