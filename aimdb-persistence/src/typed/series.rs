//! The history of one record of a declared type.

#[cfg(feature = "recorder")]
use std::borrow::Borrow;
use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use aimdb_persistence_backend::{KeyError, Pattern, PersistenceError, Retention};

#[cfg(feature = "recorder")]
use crate::aimdb::builder::{AimDbBuilderPersistExt, RecordRegistrarPersistExt};
#[cfg(feature = "recorder")]
use crate::aimdb::database::AimDbQueryExt;
#[cfg(feature = "recorder")]
use crate::declaration::declared::DeclaredRecord;
use crate::declaration::declared::{BufferKind, Declared, Record};
use crate::declaration::policy::Policy;
use crate::query::ask::{Ask, history_of_type};
use crate::query::history::History;

/// The history of one record of type `T`: `Temperature::series("sf")`.
///
/// ```
/// use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceError, declare::BufferKind};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
/// #[persist(key = "temperature.{station}")]
/// struct Temperature {
///     celsius: f64,
/// }
///
/// fn add_stations(builder: &mut impl AimDbBuilderPersistExt) {
///     Temperature::series("sf").register(builder);
///     Temperature::series("lab").with_buffer(BufferKind::Ring(65_536)).register(builder);
/// }
///
/// async fn newest(db: &impl AimDbQueryExt) -> Result<Option<Temperature>, PersistenceError> {
///     Ok(Temperature::series("sf").query_latest(db, 1).await?.pop())
/// }
/// ```
#[must_use = "a series does nothing by itself: register it, or query it"]
pub struct Series<T> {
    key: Arc<str>,
    buffer: Option<BufferKind>,
    retention: Option<Retention>,
    policy: Option<Policy>,
    of: PhantomData<fn() -> T>,
}

impl<T: Declared> Series<T> {
    /// The series whose placeholders have these values, in order. The derive's `try_series` calls it.
    ///
    /// # Errors
    /// A value that is empty, or contains a separator or a wildcard, cannot stand in a key.
    #[doc(hidden)]
    pub fn from_values(values: &[&dyn Display]) -> Result<Self, KeyError> {
        T::DECLARATION
            .key(values)
            .map(|key| Self::with_key(key.into()))
    }

    pub(crate) fn with_key(key: Arc<str>) -> Self {
        Self {
            key,
            buffer: T::DECLARATION.buffer(),
            retention: None,
            policy: None,
            of: PhantomData,
        }
    }

    /// The record's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The same series with another buffer than the type declares.
    pub fn with_buffer(mut self, buffer: BufferKind) -> Self {
        self.buffer = Some(buffer);
        self
    }

    /// The same series with another retention than the type declares.
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Which of its values become rows, and how many rows are kept: the declared policy, or the one set since.
    pub fn policy(&self) -> Policy {
        self.policy.unwrap_or(T::DECLARATION.policy())
    }

    /// The same series with another policy than the type declares, in place of all of it. Start from the
    /// [declared one](Self::policy) to change a part.
    ///
    /// ```
    /// use aimdb_persistence::{Persist, Series};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    /// # #[persist(key = "temperature.{station}")]
    /// # struct Temperature {
    /// #     celsius: f64,
    /// # }
    ///
    /// fn short(series: Series<Temperature>) -> Series<Temperature> {
    ///     let policy = series.policy().max_rows(100);
    ///     series.with_policy(policy)
    /// }
    /// ```
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    #[cfg(feature = "recorder")]
    fn declared(&self) -> DeclaredRecord {
        let mut declaration = T::DECLARATION;
        if let Some(buffer) = self.buffer {
            declaration = declaration.with_buffer(buffer);
        }
        if let Some(retention) = self.retention {
            declaration = declaration.with_retention(retention);
        }
        if let Some(policy) = self.policy {
            declaration = declaration.with_policy(policy);
        }
        DeclaredRecord {
            key: Arc::clone(&self.key),
            declaration,
        }
    }
}

impl<T: Declared<Value: Record>> Series<T> {
    /// Adds the record to the builder with its buffer, and records it from the first value on. The buffer is a ring
    /// of 1,024 values unless declared otherwise. Registering a series twice has no further effect.
    ///
    /// For taps, links and sources of your own, go on with `builder.configure::<T>(series.key(), …)`.
    #[cfg(feature = "recorder")]
    pub fn register<B: AimDbBuilderPersistExt>(&self, builder: &mut B) {
        builder.register_declared::<T>(self.declared());
    }

    /// Records the record that a `configure` closure sets up, with everything its type declares.
    ///
    /// If the declaration names a buffer, it is set here, and recorded from the first value on. If it names none, the
    /// closure must set one. Values that a source produces while the database is being built may then be missed.
    #[cfg(feature = "recorder")]
    pub fn persist<R: RecordRegistrarPersistExt<Record = T::Value>>(&self, registrar: R) -> R {
        registrar.persist_declared::<T>(self.declared())
    }

    /// Asks the history of this series.
    pub fn history<D: Ask>(&self, db: &D) -> History<T::Value> {
        history_of_type::<T, D>(db, Pattern::exact(self.key()))
    }

    /// The newest `limit` values, newest first.
    ///
    /// # Errors
    /// As every query of [`Ask`].
    pub fn query_latest<D: Ask>(
        &self,
        db: &D,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<T::Value>, PersistenceError>> + Send {
        self.history(db).latest(limit).values()
    }

    /// The values between two times (Unix milliseconds, both inclusive), newest first. With a limit, the newest.
    ///
    /// # Errors
    /// As every query of [`Ask`].
    pub fn query_range<D: Ask>(
        &self,
        db: &D,
        start_ms: u64,
        end_ms: u64,
        limit: Option<usize>,
    ) -> impl Future<Output = Result<Vec<T::Value>, PersistenceError>> + Send {
        let range = self.history(db).between(start_ms, end_ms);
        range.latest(limit.unwrap_or(usize::MAX)).values()
    }

    /// Declares the series to the backend, as registering it does: for rows that are the type's by their key, and were stored
    /// when it had another template. Queries of the type find them from then on.
    ///
    /// # Errors
    /// [`NotRecorded`](PersistenceError::NotRecorded) where the declaration cannot be kept;
    /// [`Closed`](PersistenceError::Closed) after `close_persistence`; [`NotConfigured`](PersistenceError::NotConfigured); the backend's.
    #[cfg(feature = "recorder")]
    pub fn declare<D: AimDbQueryExt>(
        &self,
        db: &D,
    ) -> impl Future<Output = Result<(), PersistenceError>> + Send + use<T, D> {
        let writer = db
            .persistence()
            .ok_or(PersistenceError::NotConfigured)
            .and_then(|history| history.direct_writer::<T>(&self.declared()));
        async move { writer?.begin().await }
    }

    /// Stores one value past AimDB, and resolves when it is as durable as the backend promises. Use it for values
    /// that were measured earlier, and for devices that are found when the database is running. See
    /// [`store_all`](Self::store_all).
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, Persist, PersistenceError};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    /// #[persist(key = "temperature.{station}")]
    /// struct Temperature {
    ///     celsius: f64,
    ///     #[persist(timestamp)]
    ///     at: u64,
    /// }
    ///
    /// async fn backfill<Db: AimDbQueryExt>(db: &Db, logger: &[Temperature]) -> Result<u64, PersistenceError> {
    ///     Temperature::series("found.later").store_all(db, logger).await
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`store_all`](Self::store_all).
    #[cfg(feature = "recorder")]
    pub fn store<D: AimDbQueryExt>(
        &self,
        db: &D,
        value: &T::Value,
    ) -> impl Future<Output = Result<(), PersistenceError>> + Send {
        let stored = self.store_all(db, [value]);
        async move { stored.await.map(|_| ()) }
    }

    /// Stores values past AimDB in batches. Resolves when the last is as durable as the backend promises, and answers
    /// how many rows they have become.
    ///
    /// The type's declaration holds as it does for produced values: key, event time, version, units, retention,
    /// `on_duplicate` and policy. The policy compares each value with the one stored before it, in order of arrival.
    /// What it leaves out is counted as `suppressed`. The last value does not wait for
    /// the end of its interval: it is the row of that. Every value is counted in the statistics of the record, even if the database has no
    /// such record. AimDB's taps and links do not see it.
    ///
    /// # Errors
    /// [`Unstorable`](PersistenceError::Unstorable) for the first value that cannot be turned into a row, or that the
    /// backend refuses; the backend's failure, which is not tried again;
    /// [`NotRecorded`](PersistenceError::NotRecorded) if the declaration cannot be kept;
    /// [`Closed`](PersistenceError::Closed) after `close_persistence`;
    /// [`NotConfigured`](PersistenceError::NotConfigured). The batches before a failure stay stored. The statistics
    /// tell the rest.
    #[cfg(feature = "recorder")]
    pub fn store_all<D, I>(
        &self,
        db: &D,
        values: I,
    ) -> impl Future<Output = Result<u64, PersistenceError>> + Send + use<T, D, I>
    where
        D: AimDbQueryExt,
        I: IntoIterator<Item: Borrow<T::Value>, IntoIter: Send>,
    {
        let writer = db
            .persistence()
            .ok_or(PersistenceError::NotConfigured)
            .and_then(|history| history.direct_writer::<T>(&self.declared()));
        let mut values = values.into_iter();
        async move {
            let (mut writer, mut stored) = (writer?, 0);
            writer.begin().await?;
            loop {
                let mut batch = writer.batch();
                let filled = writer.fill(&mut batch, &mut values);
                stored += writer.store(batch).await?;
                if !filled? {
                    return Ok(stored);
                }
            }
        }
    }
}

impl<T> Clone for Series<T> {
    fn clone(&self) -> Self {
        Self {
            key: Arc::clone(&self.key),
            buffer: self.buffer,
            retention: self.retention,
            policy: self.policy,
            of: PhantomData,
        }
    }
}

impl<T> Debug for Series<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Series").field(&self.key).finish()
    }
}
