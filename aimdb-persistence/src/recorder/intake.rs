//! What a database carries of its history from the first declaration to its end.

#[cfg(feature = "aimdb-2")]
use std::any::Any;
use std::any::{TypeId, type_name};
use std::future::ready;
use std::sync::{Arc, OnceLock};

use aimdb_persistence_backend::{BoxFuture, PersistenceError, Quoted, validate_key};
use serde::Serialize;

use crate::archive::event::PersistenceEvent;
use crate::archive::options::PersistenceOptions;
use crate::archive::record::{DeclaredAs, RecordState};
use crate::archive::registry::Registry;
use crate::archive::reporter::{Reporter, warn};
use crate::declaration::declared::{BufferKind, Declared, DeclaredRecord, Record};
use crate::declaration::event_time::RowTime;
use crate::declaration::policy::Policy;
use crate::recorder::capture::Capture;
use crate::recorder::direct::DirectWriter;
use crate::recorder::handover::hand_over;
use crate::recorder::intakes::Intakes;
#[cfg(feature = "aimdb-2")]
use crate::recorder::places::{BegunTap, Place, Tapped, misplaced};
use crate::recorder::read_back::ReadBack;
use crate::recorder::recording::Recorder;
use crate::recorder::restoring::{CapturedRecord, ProduceAtOnce};
use crate::recorder::subscriber::{CaptureSource, Subscriber, ValueSource};
use crate::recorder::subscription::Subscription;
use crate::recorder::task::Task;
use crate::thinning::rules::VersionOf;

/// The history of one database. It begins with the first declared record, or with `with_persistence`. Cheap to clone;
/// only the [`Owner`] keeps recording alive.
#[doc(hidden)]
#[derive(Clone, Default)]
pub struct Persistence {
    registry: Arc<Registry>,
    intakes: Arc<Intakes>,
    recorder: Arc<OnceLock<Arc<Recorder>>>,
}

/// Kept by the database itself: when it is dropped, recording ends.
#[derive(Default)]
pub(crate) struct Owner(pub(crate) Persistence);

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(recorder) = self.0.recorder.get() {
            recorder.release();
            recorder.tell_what_is_missing();
        }
    }
}

/// A record that is going to be recorded: what the AimDB modules need to subscribe to it.
pub(crate) struct Intake<T> {
    pub(crate) persistence: Persistence,
    record: Arc<RecordState>,
    subscription: Arc<Subscription>,
    event_time: fn(&T) -> RowTime,
    read_back: Option<ReadBack<T>>,
}

impl Persistence {
    /// Sets how to record. `None` if that was done before: the first call counts.
    pub(crate) fn configure(&self, options: PersistenceOptions) -> Option<&Arc<Recorder>> {
        let recorder = Arc::new(Recorder::new(
            options,
            Arc::clone(&self.registry),
            Arc::clone(&self.intakes),
        ));
        if self.recorder.set(recorder).is_err() {
            warn("`with_persistence` was called twice on one builder: the first backend is kept");
            return None;
        }
        self.recorder.get()
    }

    /// # Errors
    /// [`PersistenceError::NotConfigured`] without `with_persistence`.
    pub(crate) fn recorder(&self) -> Result<&Arc<Recorder>, PersistenceError> {
        self.recorder.get().ok_or(PersistenceError::NotConfigured)
    }

    /// The task that hands rows to the backend. It is there from now on: a runner that is never run drops it.
    pub(crate) fn hand_over(recorder: &Arc<Recorder>) -> Task {
        Task::new(
            Arc::clone(recorder),
            Box::pin(hand_over(Arc::clone(recorder))),
        )
    }

    /// The message if a record is to be persisted and no history was begun.
    pub(crate) fn missing(record_name: &str) -> String {
        format!(
            "record `{}` is not recorded: `.with_persistence(backend, retention)` must stand before `.persist(…)`",
            Quoted(record_name)
        )
    }

    /// A record persisted under a name alone. `None` if the name cannot be a key, which is reported.
    pub(crate) fn take_in_named<T: 'static>(
        &self,
        name: &str,
        policy: Policy,
    ) -> Option<Intake<T>> {
        let record = self.registry.record(name, None);
        let _ = record.rust_type.set((TypeId::of::<T>(), type_name::<T>()));
        let version = VersionOf {
            declared: 0,
            field: None,
        };
        record.set_policy(self.registry.policy(policy), &[], version);
        let intake = self.intake(record, |_| RowTime::Received, None);
        match validate_key(name) {
            Ok(()) => Some(intake),
            Err(error) => {
                intake.not_recorded(&error.to_string());
                None
            }
        }
    }

    /// A record of a declared type.
    pub(crate) fn take_in_declared<D: Declared<Value: Record>>(
        &self,
        declared: &DeclaredRecord,
    ) -> Intake<D::Value> {
        let declared_as = DeclaredAs::as_in::<D>(&declared.declaration);
        let record = self.declared_record(declared, declared_as);
        self.intake(record, D::event_time_of, Some(ReadBack::new::<D>()))
    }

    /// Apart, so that it is compiled once and not for each type.
    fn declared_record(
        &self,
        DeclaredRecord { key, declaration }: &DeclaredRecord,
        declared_as: DeclaredAs,
    ) -> Arc<RecordState> {
        let record = self.registry.record(key, Some(declared_as));
        // Of several types the first holds, as of declarations.
        let _ = record
            .rust_type
            .set((declared_as.value_id, declared_as.type_name));
        let version = VersionOf {
            declared: declaration.version(),
            field: declaration.version_field(),
        };
        let policy = self.registry.policy(declaration.policy());
        record.set_policy(policy, declaration.event_time_fields(), version);
        record
    }

    /// Writes into a series of a declared type, which need not be a record of the database.
    ///
    /// # Errors
    /// Without `with_persistence`, or if the record is of another type.
    pub(crate) fn direct_writer<D: Declared<Value: Record>>(
        &self,
        declared: &DeclaredRecord,
    ) -> Result<DirectWriter<D::Value>, PersistenceError> {
        let recorder = Arc::clone(self.recorder()?);
        let Intake {
            record,
            event_time,
            read_back,
            ..
        } = self.take_in_declared::<D>(declared);
        let is_of_the_type = record
            .declared
            .get()
            .is_some_and(|known| known.type_id == TypeId::of::<D>());
        if !is_of_the_type {
            return Err(PersistenceError::NotRecorded {
                record_name: record.name.to_string(),
                reason: "another type declares it in this program".to_owned(),
            });
        }
        Ok(DirectWriter {
            recorder,
            record,
            event_time,
            read_back,
            is_held: false,
        })
    }

    /// Whether this is the first time that the record is to get its buffer from a declaration.
    pub(crate) fn register_once<T: 'static>(&self, declared: &DeclaredRecord) -> bool {
        self.intakes.register_once(&declared.key, TypeId::of::<T>())
    }

    /// Tells of declared series that are recorded from records of other keys.
    #[cfg(feature = "aimdb-2")]
    pub(crate) fn report_misplaced(&self, db: &dyn Any, places: &[Place<'_>]) {
        let taps = self.intakes.take_taps();
        for (record, keys) in misplaced(&taps, db, places) {
            let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
            let reason = match &keys[..] {
                [] => another_key("of another key"),
                keys => another_key(&keys.join(" or ")),
            };
            self.report_misdeclared(record, &reason);
        }
    }

    fn report_misdeclared(&self, record: &RecordState, reason: &str) {
        let event = PersistenceEvent::Misdeclared {
            record_name: record.name.to_string(),
            reason: reason.to_owned(),
        };
        match self.recorder.get() {
            Some(recorder) => recorder.archive().reporter().report(&event),
            None => warn(&event.to_string()),
        }
    }

    fn intake<T>(
        &self,
        record: Arc<RecordState>,
        event_time: fn(&T) -> RowTime,
        read_back: Option<ReadBack<T>>,
    ) -> Intake<T> {
        let subscription = Arc::new(Subscription::default());
        Intake {
            persistence: self.clone(),
            record,
            subscription,
            event_time,
            read_back,
        }
    }
}

impl<T> Intake<T> {
    /// A queue for a buffer of the record to fill, from now on.
    pub(crate) fn capture(&self, buffer: BufferKind) -> Arc<Capture<T>> {
        let (record, subscription) = (Arc::clone(&self.record), Arc::clone(&self.subscription));
        Arc::new(Capture::new(buffer, record, subscription))
    }

    /// The record is given its last stored value back, by way of `produce` and the buffer that fills this queue.
    pub(crate) fn give_back_to<D: Declared<Value = T>>(
        &self,
        capture: &Arc<Capture<T>>,
        produce: ProduceAtOnce<T>,
    ) where
        T: Record,
    {
        let publisher = CapturedRecord {
            capture: Arc::clone(capture),
            from_stored: D::from_stored,
            produce,
        };
        let intakes = &self.persistence.intakes;
        intakes.add_publisher(&self.record.name, Arc::new(publisher));
    }

    /// Nothing of the record will be recorded, for this reason.
    pub(crate) fn not_recorded(&self, reason: &str) {
        self.record.refuse(self.reporter(), reason);
    }

    fn report_misdeclared(&self, reason: &str) {
        self.persistence.report_misdeclared(&self.record, reason);
    }

    /// A tap that is not told its record has begun. It is looked at when the database stands.
    #[cfg(feature = "aimdb-2")]
    pub(crate) fn note_tap(&self, tapped: impl FnOnce() -> Box<dyn Tapped>) {
        if self.read_back.is_some() {
            self.persistence.intakes.note_tap(BegunTap {
                record: Arc::clone(&self.record),
                tapped: tapped(),
            });
        }
    }

    fn report_not_recorded(&self, reason: &str) {
        self.record.report_not_recorded(self.reporter(), reason);
    }

    fn reporter(&self) -> Option<&Reporter> {
        let recorder = self.persistence.recorder.get()?;
        Some(recorder.archive().reporter())
    }
}

impl<T: Serialize + Send + 'static> Intake<T> {
    /// Begins to record, and returns the subscriber's task. Values come from the queue that the record's buffer
    /// fills. Without that queue, `subscribe` reads the record's own buffer.
    ///
    /// `key` is the AimDB record's, if it is known. Several records may be recorded under one name, but each only
    /// once. AimDB calls this while it builds the database. From here on nothing is missed.
    pub(crate) fn begin<S: ValueSource<T> + 'static>(
        self,
        key: Option<&str>,
        capture: Option<Arc<Capture<T>>>,
        subscribe: impl FnOnce() -> Option<S>,
    ) -> BoxFuture<'static, ()> {
        let name = &self.record.name;
        let (is_known, key) = (key.is_some(), key.unwrap_or(name));
        if self.read_back.is_some() && key != &**name {
            self.report_misdeclared(&another_key(&format!("`{key}`")));
        }
        if capture.as_ref().is_some_and(|capture| !capture.is_open()) {
            self.report_misdeclared(BUFFER_REPLACED);
        }
        // Of two taps on one record, the one whose buffer feeds the recorder has seen every value.
        let is_captured = capture.is_none() && key == &**name && self.record.is_captured();
        if is_captured || !self.persistence.intakes.claim(name, key) {
            // AimDB 1 tells which record it is: the same one again has no further effect.
            if !is_known {
                self.report_not_recorded(SECOND_TAP);
            }
            return Box::pin(ready(()));
        }
        match capture.filter(|capture| capture.is_open()) {
            Some(capture) => self.record(CaptureSource::new(capture)),
            None => match subscribe() {
                Some(reader) => self.record(reader),
                None => {
                    self.not_recorded(NO_BUFFER);
                    Box::pin(ready(()))
                }
            },
        }
    }

    fn record(self, source: impl ValueSource<T> + 'static) -> BoxFuture<'static, ()> {
        let recorder = match self.persistence.recorder() {
            Ok(recorder) => Arc::clone(recorder),
            Err(error) => {
                self.not_recorded(&error.to_string());
                return Box::pin(ready(()));
            }
        };
        if let Err(reason) = self.record.check(recorder.options()) {
            self.not_recorded(&reason);
            return Box::pin(ready(()));
        }
        self.record.is_recorded_by(recorder.archive().reporter());
        self.persistence
            .intakes
            .add_subscription(Arc::clone(&self.subscription));
        let Self {
            record,
            subscription,
            event_time,
            read_back,
            ..
        } = self;
        let subscriber = Subscriber {
            recorder: Arc::clone(&recorder),
            record,
            subscription,
            event_time,
            read_back,
        };
        Box::pin(Task::new(recorder, Box::pin(subscriber.run(source))))
    }
}

const SECOND_TAP: &str = "this name is recorded already: a second `.persist(…)` under it has no effect; give another \
                          record another name";

const NO_BUFFER: &str =
    "it has no buffer: add `.buffer(…)` to its configuration, or use `register`";

const BUFFER_REPLACED: &str = "the buffer that its `configure` closure sets after `Series::persist` takes the place of the declared one: \
                               values that come while the database is built may be missed, and none is restored; remove one of the two";

fn another_key(key: &str) -> String {
    format!(
        "its values are those of AimDB's record {key}: `Series::persist` stands in the `configure` closure of another key than its own"
    )
}
