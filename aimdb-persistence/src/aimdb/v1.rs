//! AimDB 1: `aimdb-core` 1.1 with `aimdb-tokio-adapter` 0.6. All that this major version needs is here.

#![cfg(feature = "aimdb-1")]

use std::any::Any;
use std::fmt::Debug;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[cfg(feature = "metrics")]
use aimdb_core_1::buffer::BufferMetricsSnapshot;
use aimdb_core_1::buffer::{Buffer, BufferCfg, BufferReader, DynBuffer};
use aimdb_core_1::remote::{QueryHandlerFn, QueryHandlerParams};
use aimdb_core_1::{
    AimDb, AimDbBuilder, DbError, Extensions, RecordRegistrar, Runtime, Spawn, StringKey,
};
use aimdb_persistence_backend::{PersistenceError, QueryParams};
use aimdb_tokio_adapter_1::TokioBuffer;
use futures_lite::future::{or, yield_now};
use serde::Serialize;
use serde_json::{Value, json};

use crate::aimdb::builder::{AimDbBuilderPersistExt, RecordRegistrarPersistExt};
use crate::aimdb::database::AimDbQueryExt;
use crate::aimdb::handle::PersistenceHandle;
use crate::archive::Archive;
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

#[diagnostic::do_not_recommend]
impl<R: Runtime> AimDbBuilderPersistExt for AimDbBuilder<R> {
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
        self
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
                record_with_buffer::<D, R>(registrar, intake, buffer);
            });
        }
    }
}

impl<'a, T, R> RecordRegistrarPersistExt for &'a mut RecordRegistrar<'a, T, R>
where
    T: Send + Sync + Clone + Debug + 'static,
    R: Spawn + 'static,
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
                record_with_buffer::<D, R>(self, intake, buffer)
            }
            _ => record_from_buffer(self, intake, None),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<R: Spawn + 'static> Ask for AimDb<R> {
    fn archive(&self) -> Result<&Archive, PersistenceError> {
        let owner = self.extensions().get::<Owner>();
        let persistence = owner.ok_or(PersistenceError::NotConfigured)?;
        Ok(persistence.0.recorder()?.archive())
    }
}

#[diagnostic::do_not_recommend]
impl<R: Spawn + 'static> AimDbQueryExt for AimDb<R> {
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

fn sleep_of<R: Runtime>(runtime: Arc<R>) -> Sleep {
    Arc::new(move |duration| {
        let runtime = Arc::clone(&runtime);
        Box::pin(async move {
            let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            runtime.sleep(runtime.micros(micros)).await;
        })
    })
}

/// The database takes the value in when it is first polled.
fn produce_at_once<T, R>(db: &dyn Any, key: &str, value: T) -> Result<(), String>
where
    T: Send + Clone + Debug + 'static,
    R: Spawn + 'static,
{
    let db = db.downcast_ref::<AimDb<R>>().ok_or(ANOTHER_DATABASE)?;
    let produced = pin!(db.produce(key, value));
    match produced.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(produced) => produced.map_err(|error| error.to_string()),
        Poll::Pending => Err("its database did not take the value in at once".to_owned()),
    }
}

const ANOTHER_DATABASE: &str =
    "it is a record of another database, or this is a handle: ask the database itself to restore";

/// Gives the record a buffer that feeds the recorder as well, and records it.
fn record_with_buffer<'a, D, R>(
    registrar: &'a mut RecordRegistrar<'a, D::Value, R>,
    intake: Intake<D::Value>,
    buffer: BufferKind,
) -> &'a mut RecordRegistrar<'a, D::Value, R>
where
    D: Declared<Value: Record>,
    R: Spawn + 'static,
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
        intake.give_back_to::<D>(&capture, produce_at_once::<D::Value, R>);
    }
    let recorded = RecordedBuffer {
        inner: TokioBuffer::new(&config),
        capture: Arc::clone(&capture),
    };
    record_from_buffer(
        registrar.buffer_with_cfg(Box::new(recorded), config),
        intake,
        Some(capture),
    )
}

/// Taps the record: by the queue its buffer fills, or else by a reader of the buffer it has.
fn record_from_buffer<'a, T, R>(
    registrar: &'a mut RecordRegistrar<'a, T, R>,
    intake: Intake<T>,
    capture: Option<Arc<Capture<T>>>,
) -> &'a mut RecordRegistrar<'a, T, R>
where
    T: Serialize + Send + Sync + Clone + Debug + 'static,
    R: Spawn + 'static,
{
    let persistence = intake.persistence.clone();
    // The consumer ends with this call. A consumer that is kept keeps the database alive.
    registrar.tap_raw(move |consumer, _| {
        let subscribe = || {
            Some(ReaderSource {
                reader: consumer.subscribe().ok()?,
                received: None,
                persistence,
            })
        };
        intake.begin(Some(consumer.key()), capture, subscribe)
    })
}

/// The adapter's buffer for the application's readers, and the recorder's queue beside it.
struct RecordedBuffer<T: Clone + Send + Sync + 'static> {
    inner: TokioBuffer<T>,
    capture: Arc<Capture<T>>,
}

impl<T: Clone + Send + Sync + 'static> DynBuffer<T> for RecordedBuffer<T> {
    fn push(&self, value: T) {
        self.capture
            .push(value, |value| Buffer::push(&self.inner, value));
    }

    fn subscribe_boxed(&self) -> Box<dyn BufferReader<T> + Send> {
        Box::new(Buffer::subscribe(&self.inner))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    #[cfg(feature = "metrics")]
    fn metrics_snapshot(&self) -> Option<BufferMetricsSnapshot> {
        DynBuffer::<T>::metrics_snapshot(&self.inner)
    }

    #[cfg(feature = "metrics")]
    fn reset_metrics(&self) {
        DynBuffer::<T>::reset_metrics(&self.inner);
    }
}

impl<T: Clone + Send + Sync + 'static> Drop for RecordedBuffer<T> {
    fn drop(&mut self) {
        self.capture.close();
    }
}

/// A reader of a buffer that is not ours.
struct ReaderSource<T: Clone + Send> {
    reader: Box<dyn BufferReader<T> + Send>,
    received: Option<Next<T>>,
    persistence: Persistence,
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
        let next = self.received.take();
        next.unwrap_or_else(|| match Self::next_of(self.reader.try_recv()) {
            // A latest buffer says this while its last value is still there. `recv` knows better.
            Next::Closed => Next::Empty,
            next => next,
        })
    }

    async fn wait(&mut self) {
        let received = async { Self::next_of(self.reader.recv().await) };
        // A mailbox never says that it is closed. Producers keep the database alive, so nothing comes after its end.
        let ended = async {
            match self.persistence.recorder() {
                Ok(recorder) => recorder.released().await,
                Err(_) => pending().await,
            }
            // `recv` gets another turn, and the whole of Tokio's budget for it.
            yield_now().await;
            Next::Closed
        };
        self.received = Some(or(received, ended).await);
    }
}

/// Answers AimX `record.query` as AimDB 1's clients expect it.
fn remote_query_handler(persistence: Persistence) -> QueryHandlerFn {
    Box::new(move |params: QueryHandlerParams| {
        let persistence = persistence.clone();
        Box::pin(async move {
            answer(&persistence, params)
                .await
                .map_err(|error| error.to_string())
        })
    })
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
        |_, _| true,
        RemoteLimits::AIMDB_1,
    )
    .await?;
    let values: Vec<Value> = std::mem::take(&mut found.rows)
        .into_iter()
        .map(|row| json!({ "record": row.record_name, "value": row.value, "stored_at": row.stored_at }))
        .collect();
    let mut answer = json!({ "count": values.len(), "values": values });
    found.annotate(&mut answer);
    Ok(answer)
}
