//! What the crate adds to a running database of either major version of AimDB: `AimDbQueryExt`.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::{BoxFuture, PersistenceError, QueryParams, StoredValue};
use serde::de::DeserializeOwned;

use crate::archive::stats::PersistenceStats;
use crate::query::answers::gathered::{
    Gathered, gather, question_of, stored_values, values_at_once,
};
use crate::query::ask::Ask;
use crate::query::selection::Selection;
use crate::recorder::flush::CloseReport;
use crate::recorder::intake::Persistence;
use crate::recorder::recording::Recorder;
use crate::recorder::restore::{RestoreReport, restore};

/// Asks the history, and watches over the recording: on a running database.
///
/// `pattern` is a record's key, or a [pattern](crate::Pattern) that selects several. Rows are sorted by record name,
/// then newest first. Rows that do not decode as `T` are skipped, reported and counted
/// ([`PersistenceStats::undecodable`]). The `_strict` methods fail on them.
///
/// ```
/// use aimdb_persistence::{AimDbQueryExt, PersistenceError};
///
/// /// The newest reading of each room, on whichever AimDB version.
/// async fn newest<Db: AimDbQueryExt>(db: &Db) -> Result<Vec<f64>, PersistenceError> {
///     db.flush_persistence().await?;
///     let newest = db.query_latest("temperature.*", 1).await?;
///     let stats = db.persistence_stats()?;
///     assert_eq!(stats.total.lost(), 0, "{:?}", stats.records);
///     Ok(newest)
/// }
/// ```
///
/// # Errors
/// Every method answers [`PersistenceError::NotConfigured`] on a database without `with_persistence`. Queries also
/// answer [`PersistenceError::NotRecorded`] if none of the records selected can be recorded,
/// [`InvalidPattern`](PersistenceError::InvalidPattern) if the pattern is malformed, and the backend's error if it
/// fails.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no history to ask",
    label = "not a running AimDB database",
    note = "ask the database that `builder.build().await?` returns",
    note = "a database of AimDB 1 needs the feature `aimdb-1` of `aimdb-persistence` (on by default), one of AimDB 2 `aimdb-2`"
)]
pub trait AimDbQueryExt: Ask {
    /// The history of this database, if it has one.
    #[doc(hidden)]
    fn persistence(&self) -> Option<&Persistence>;

    /// Itself, for the records that produce into it.
    #[doc(hidden)]
    fn as_any(&self) -> &(dyn Any + Sync);

    /// The newest `limit_per_record` values of each selected record.
    ///
    /// All values are decoded in one go at the end. For many values, use the typed queries of
    /// [`Series`](crate::Series) and [`Persist`](crate::Persist): they let other tasks of the executor have a turn.
    ///
    /// # Errors
    /// As every query of this trait.
    fn query_latest<T: DeserializeOwned>(
        &self,
        pattern: &str,
        limit_per_record: usize,
    ) -> BoxFuture<'_, Result<Vec<T>, PersistenceError>> {
        query_values(self, pattern, latest(limit_per_record), false)
    }

    /// The values between two times (Unix milliseconds, both inclusive) of each selected record; with a limit, the
    /// newest of them.
    ///
    /// # Errors
    /// As every query of this trait.
    fn query_range<T: DeserializeOwned>(
        &self,
        pattern: &str,
        start_ms: u64,
        end_ms: u64,
        limit_per_record: Option<usize>,
    ) -> BoxFuture<'_, Result<Vec<T>, PersistenceError>> {
        query_values(
            self,
            pattern,
            range(start_ms, end_ms, limit_per_record),
            false,
        )
    }

    /// [`query_latest`](Self::query_latest) that fails on a row which does not decode as `T`.
    ///
    /// # Errors
    /// [`PersistenceError::Undecodable`] with the row's record and time; otherwise as every query of this trait.
    fn query_latest_strict<T: DeserializeOwned>(
        &self,
        pattern: &str,
        limit_per_record: usize,
    ) -> BoxFuture<'_, Result<Vec<T>, PersistenceError>> {
        query_values(self, pattern, latest(limit_per_record), true)
    }

    /// [`query_range`](Self::query_range) that fails on a row which does not decode as `T`.
    ///
    /// # Errors
    /// [`PersistenceError::Undecodable`] with the row's record and time; otherwise as every query of this trait.
    fn query_range_strict<T: DeserializeOwned>(
        &self,
        pattern: &str,
        start_ms: u64,
        end_ms: u64,
        limit_per_record: Option<usize>,
    ) -> BoxFuture<'_, Result<Vec<T>, PersistenceError>> {
        query_values(
            self,
            pattern,
            range(start_ms, end_ms, limit_per_record),
            true,
        )
    }

    /// The rows themselves, with record name and time, their values as JSON.
    ///
    /// # Errors
    /// As every query of this trait.
    fn query_raw(
        &self,
        pattern: &str,
        params: QueryParams,
    ) -> BoxFuture<'_, Result<Vec<StoredValue>, PersistenceError>> {
        let selection = Selection::by_pattern(pattern);
        Box::pin(async move {
            let question = question_of(self.archive()?, selection, &params);
            let gathered = Gathered::default();
            gather(&question, &gathered).await?;
            stored_values(&question, &gathered).await
        })
    }

    /// Publishes the last stored value of every series whose type declares `restore`. A restarted program then
    /// continues from there. Call it once, after `build()` and before anything is produced.
    ///
    /// A series that has a value already keeps it. Readers never see the restored value after a live one. The
    /// recorder does not store a restored value again, does not take it for a change, and counts it as
    /// [`restored`](crate::report::Counts::restored). Taps, links and consumers that have subscribed see it like any other
    /// value. A row of an older version of the type is lifted.
    ///
    /// The buffer must be the declaration's, as `register` sets it. In a buffer of your own, a restored value could
    /// not be told from a live one. AimDB 1 keeps a record's newest value for remote clients beside its buffer. A
    /// value produced in the very moment of restoring may be shadowed there, until the next one.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, PersistenceError, report::RestoreOutcome};
    ///
    /// async fn go_on<Db: AimDbQueryExt>(db: &Db) -> Result<(), PersistenceError> {
    ///     for series in db.restore_persistence().await?.series {
    ///         if let RestoreOutcome::Undecodable { reason, .. } = series.outcome {
    ///             eprintln!("{} begins without a value: {reason}", series.record_name);
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`PersistenceError::NotConfigured`], and the backend's error if it cannot be read. What was published before
    /// that stays, and another call continues with the rest.
    fn restore_persistence(
        &self,
    ) -> impl Future<Output = Result<RestoreReport, PersistenceError>> + Send {
        async { restore(recorder_of(self)?, self.as_any()).await }
    }

    /// Resolves when every value produced before the call is durable or counted as lost. The backend's settings say
    /// what durable means. A value that waits for the end of its
    /// interval (`keep = "last"`) goes on waiting, and is `pending`.
    ///
    /// # Errors
    /// [`PersistenceError::NotRunning`] if nothing drives the recorder. [`PersistenceError::Timeout`] after the
    /// [deadline](crate::PersistenceOptions::flush_deadline), with the number of values still pending. The backend's
    /// error if it cannot make rows durable.
    fn flush_persistence(&self) -> impl Future<Output = Result<(), PersistenceError>> + Send {
        async {
            let recorder = recorder_of(self)?;
            recorder.flush(recorder.options().flush_deadline).await
        }
    }

    /// Flushes for at most `deadline`, then stops recording. Values produced afterwards are counted as dropped.
    /// Queries still work.
    ///
    /// # Errors
    /// Only [`PersistenceError::NotConfigured`]. The report says if the flush did not complete.
    fn close_persistence(
        &self,
        deadline: Duration,
    ) -> impl Future<Output = Result<CloseReport, PersistenceError>> + Send {
        async move { Ok(recorder_of(self)?.close(deadline).await) }
    }

    /// What became of every value, per record and in total, as one consistent snapshot.
    ///
    /// # Errors
    /// Only [`PersistenceError::NotConfigured`].
    fn persistence_stats(&self) -> Result<PersistenceStats, PersistenceError> {
        Ok(recorder_of(self)?.archive().stats())
    }
}

#[diagnostic::do_not_recommend]
impl<D: AimDbQueryExt + ?Sized> AimDbQueryExt for &D {
    fn persistence(&self) -> Option<&Persistence> {
        (**self).persistence()
    }

    fn as_any(&self) -> &(dyn Any + Sync) {
        (**self).as_any()
    }
}

/// Handlers of a server share their database so.
#[diagnostic::do_not_recommend]
impl<D: AimDbQueryExt + Send + ?Sized> AimDbQueryExt for Arc<D> {
    fn persistence(&self) -> Option<&Persistence> {
        (**self).persistence()
    }

    fn as_any(&self) -> &(dyn Any + Sync) {
        (**self).as_any()
    }
}

/// # Errors
/// On a database without `with_persistence`.
pub(crate) fn recorder_of<D: AimDbQueryExt + ?Sized>(
    db: &D,
) -> Result<&Arc<Recorder>, PersistenceError> {
    db.persistence()
        .ok_or(PersistenceError::NotConfigured)?
        .recorder()
}

fn query_values<'a, T: DeserializeOwned, D: AimDbQueryExt + ?Sized>(
    db: &'a D,
    pattern: &str,
    params: QueryParams,
    strict: bool,
) -> BoxFuture<'a, Result<Vec<T>, PersistenceError>> {
    let selection = Selection::by_pattern(pattern);
    Box::pin(async move {
        let mut question = question_of(db.archive()?, selection, &params);
        question.strict = strict;
        values_at_once(question).await
    })
}

fn latest(limit_per_record: usize) -> QueryParams {
    QueryParams {
        limit_per_record: Some(limit_per_record),
        ..QueryParams::default()
    }
}

fn range(start_ms: u64, end_ms: u64, limit_per_record: Option<usize>) -> QueryParams {
    QueryParams {
        limit_per_record,
        start_time: Some(start_ms),
        end_time: Some(end_ms),
    }
}
