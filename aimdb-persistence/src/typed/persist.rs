//! The declaration on the type: `Persist` and its generated helpers.

use std::future::Future;

use crate::aimdb::builder::AimDbBuilderPersistExt;
use crate::aimdb::database::{AimDbQueryExt, history_of};
use crate::contract::error::{DecodeError, PersistenceError};
use crate::contract::pattern::Pattern;
use crate::declaration::declared::{Declaration, Record};
use crate::declaration::event_time::RowTime;
use crate::declaration::field::HasFields;
use crate::declaration::versions::{Lift, decode_newest};
use crate::query::history::History;
use crate::query::selection::{Selection, declared_as};
use crate::typed::series::Series;

/// A type whose records have a history. Derive it: `#[derive(Persist)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares no history",
    label = "`Persist` is not implemented for `{Self}`",
    note = "add `#[derive(Persist)]` and `#[persist(key = \"…\")]` to the type"
)]
pub trait Persist: Record {
    /// What the attributes say.
    const DECLARATION: Declaration;

    /// When this value happened, if a field marked `#[persist(timestamp)]` says so.
    fn event_time(&self) -> RowTime {
        RowTime::Received
    }

    /// A value from a stored row, whose JSON was written as this version of the type; 0 where none was declared.
    ///
    /// As provided, rows of every version up to the declared one decode as this type. The derive's `migrate(…)` decodes
    /// older ones as the types that they were written as, and lifts them step by step.
    ///
    /// # Errors
    /// If the JSON is no such value, or a newer program has written it.
    fn from_stored(version: u32, json: &str) -> Result<Self, DecodeError> {
        decode_newest(version, json)
    }

    /// The fields of this type, each by where it lies in the stored JSON: what queries filter and aggregate by.
    ///
    /// ```
    /// use aimdb_persistence::{Field, Persist};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    /// #[persist(key = "temperature.{station}")]
    /// struct Temperature {
    ///     #[serde(rename = "degrees")]
    ///     celsius: f64,
    /// }
    ///
    /// let celsius: Field<Temperature, f64> = Temperature::fields().celsius;
    /// assert_eq!(celsius.to_string(), "degrees");
    /// ```
    fn fields() -> Self::Fields
    where
        Self: HasFields,
    {
        Self::FIELDS
    }

    /// A question to the history of every series of this type, and of this type alone.
    fn history<D: AimDbQueryExt>(db: &D) -> History<Self> {
        history_of_type(db, Self::DECLARATION.pattern())
    }

    /// Adds the one record of this type to the builder, with its buffer, and records it.
    ///
    /// For a key template, name the series: `Self::series(…).register(&mut builder)`.
    fn register<B: AimDbBuilderPersistExt>(builder: &mut B)
    where
        Self: LiteralKey,
    {
        Series::<Self>::with_key(Self::DECLARATION.template().into()).register(builder);
    }

    /// The newest `limit_per_series` values of each series of this type, by key and then newest first.
    ///
    /// # Errors
    /// As every query of [`AimDbQueryExt`].
    fn query_latest<D: AimDbQueryExt>(
        db: &D,
        limit_per_series: usize,
    ) -> impl Future<Output = Result<Vec<Self>, PersistenceError>> + Send {
        Self::history(db).latest(limit_per_series).values()
    }

    /// The values between two times (Unix milliseconds, both inclusive) of each series of this type; with a limit,
    /// the newest of them.
    ///
    /// # Errors
    /// As every query of [`AimDbQueryExt`].
    fn query_range<D: AimDbQueryExt>(
        db: &D,
        start_ms: u64,
        end_ms: u64,
        limit_per_series: Option<usize>,
    ) -> impl Future<Output = Result<Vec<Self>, PersistenceError>> + Send {
        let range = Self::history(db).between(start_ms, end_ms);
        range
            .latest(limit_per_series.unwrap_or(usize::MAX))
            .values()
    }
}

pub(crate) fn history_of_type<T: Persist, D: AimDbQueryExt>(
    db: &D,
    pattern: Pattern,
) -> History<T> {
    let selection = Selection::of_type(pattern, declared_as::<T>(&T::DECLARATION));
    history_of(db, selection, T::from_stored)
        .lifting(Lift::of::<T>())
        .declared_by(|| T::DECLARATION)
}

/// A [`Persist`] type with a literal key, which therefore has exactly one series.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has a key template: it has many series, not one",
    label = "name the series: `{Self}::series(…).register(&mut builder)`",
    note = "`{Self}::register` exists for literal keys only"
)]
pub trait LiteralKey: Persist {}
