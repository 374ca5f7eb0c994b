//! What every history can be asked, and how it is managed: `Ask`, on a running database and on an archive.

use std::future::Future;
use std::sync::Arc;

use aimdb_persistence_backend::{Pattern, PersistenceError, check_rename, validate_key};
use serde_json::Value;

use crate::archive::Archive;
use crate::archive::record::DeclaredAs;
use crate::declaration::declared::{Declared, Record, lift_of};
use crate::declaration::versions::{FromStored, whatever_version};
use crate::query::answers::extent::SeriesExtent;
use crate::query::answers::listing::{PersistedSeries, persisted_series};
use crate::query::history::History;
use crate::query::selection::Selection;

/// Asks and manages a history: an [`Archive`], or the one of a running database.
///
/// The typed questions go through it: `Temperature::history(&asked)`, `Temperature::query_latest(&asked, 1)`.
///
/// ```
/// use aimdb_persistence::prelude::*;
/// use aimdb_persistence::PersistenceError;
///
/// async fn rows_of_the_last_day(asked: &impl Ask) -> Result<u64, PersistenceError> {
///     asked.history("temperature.*").past("24h").count().await
/// }
/// ```
///
/// # Errors
/// Every answer is [`PersistenceError::NotConfigured`] on a database without `with_persistence`;
/// [`NotRecorded`](PersistenceError::NotRecorded) where only records are selected that are persisted but cannot be recorded;
/// [`InvalidPattern`](PersistenceError::InvalidPattern) where the pattern is malformed; and the backend's error where it fails.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no history to ask",
    label = "neither a running AimDB database nor an `Archive`",
    note = "ask the database that `builder.build().await?` returns, or what `Archive::open(backend).await?` returns",
    note = "a database of AimDB 1 needs the feature `aimdb-1` of `aimdb-persistence` (on by default), one of AimDB 2 `aimdb-2`"
)]
pub trait Ask: Sync {
    /// The history, if there is one.
    #[doc(hidden)]
    fn archive(&self) -> Result<&Archive, PersistenceError>;

    /// A question to the history of the records that `pattern` selects, whatever their type: the [builder](History) of every
    /// query there is.
    fn history(&self, pattern: &str) -> History<Value> {
        history_of(self, Selection::by_pattern(pattern), whatever_version)
    }

    /// Every series that this program has declared, by key: its type, retention, policy and buffer, what became of its
    /// values, and what is stored of it, from earlier runs too. Series that only the backend knows are listed by
    /// [`history("#").series()`](History::series).
    ///
    /// The rows are counted, which takes a look at each. For what changes by the second there is
    /// [`persistence_stats`](crate::AimDbQueryExt::persistence_stats).
    ///
    /// ```
    /// use aimdb_persistence::prelude::*;
    /// use aimdb_persistence::PersistenceError;
    ///
    /// async fn overview(db: &impl Ask) -> Result<(), PersistenceError> {
    ///     for series in db.persisted_series().await? {
    ///         println!("{:<30} {:>9} rows, kept for {:?}", series.record_name, series.rows, series.retention);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`PersistenceError::NotConfigured`], and the backend's error where it cannot be read.
    fn persisted_series(
        &self,
    ) -> impl Future<Output = Result<Vec<PersistedSeries>, PersistenceError>> + Send {
        async { persisted_series(self.archive()?).await }
    }

    /// What [`rename_series`](Self::rename_series) would rename: how many rows, and how far they reach. Nothing is changed.
    ///
    /// # Errors
    /// As [`rename_series`](Self::rename_series).
    fn would_rename_series(
        &self,
        from: &str,
        to: &str,
    ) -> impl Future<Output = Result<SeriesExtent, PersistenceError>> + Send {
        async move {
            validate_key(to)?;
            let archive = self.archive()?;
            let of = async |key: &str| {
                let selection = Selection::by_exact_key(key).even_if_not_recorded();
                let history =
                    History::<Value>::new(Some(archive.clone()), selection, whatever_version);
                history.counted_series().await.map(|mut found| found.pop())
            };
            let (source, target) = (of(from).await?, of(to).await?);
            check_rename(from, to, source.is_some(), target.is_some())?;
            source.ok_or(PersistenceError::NotConfigured)
        }
    }

    /// Gives a series, rows and all, another key: a sensor was swapped, a room was renamed. There must be no rows under the new key.
    ///
    /// What this program declares of the new key holds from then on. A record that goes on producing under the old key
    /// begins a new series there.
    ///
    /// ```
    /// use aimdb_persistence::prelude::*;
    /// use aimdb_persistence::PersistenceError;
    ///
    /// async fn retire(db: &impl Ask) -> Result<(), PersistenceError> {
    ///     let (from, to) = ("temperature.cellar", "temperature.cellar-2024");
    ///     println!("{:?} rows", db.would_rename_series(from, to).await?.rows);
    ///     db.rename_series(from, to).await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`PersistenceError::InvalidKey`] where the new key cannot be one; [`InvalidQuery`](PersistenceError::InvalidQuery) where there is nothing to
    /// rename, or rows under the new key; [`Unsupported`](PersistenceError::Unsupported) by backends that cannot rename.
    fn rename_series(
        &self,
        from: &str,
        to: &str,
    ) -> impl Future<Output = Result<(), PersistenceError>> + Send {
        async move {
            validate_key(to)?;
            let archive = self.archive()?;
            archive.prepare().await?;
            let renamed = archive.backend().rename(from, to);
            let renamed = archive.change_rows(to, 0..=u64::MAX, renamed);
            archive.change_rows(from, 0..=u64::MAX, renamed).await
        }
    }
}

impl Ask for Archive {
    fn archive(&self) -> Result<&Archive, PersistenceError> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<A: Ask + ?Sized> Ask for &A {
    fn archive(&self) -> Result<&Archive, PersistenceError> {
        (**self).archive()
    }
}

/// Handlers of a server share their database so.
#[diagnostic::do_not_recommend]
impl<A: Ask + Send + ?Sized> Ask for Arc<A> {
    fn archive(&self) -> Result<&Archive, PersistenceError> {
        (**self).archive()
    }
}

/// A question to the series of one type that the pattern selects.
pub(crate) fn history_of_type<D, A>(asked: &A, pattern: Pattern) -> History<D::Value>
where
    D: Declared<Value: Record>,
    A: Ask,
{
    let selection = Selection::of_type(pattern, DeclaredAs::of::<D>());
    history_of(asked, selection, D::from_stored)
        .lifting(lift_of::<D>())
        .declared_by(|| D::DECLARATION)
}

fn history_of<T: Send + 'static, A: Ask + ?Sized>(
    asked: &A,
    selection: Selection,
    from_stored: FromStored<T>,
) -> History<T> {
    History::new(asked.archive().ok().cloned(), selection, from_stored)
}
