//! What every declared type can be asked.

use std::future::Future;

use aimdb_persistence_backend::PersistenceError;

#[cfg(feature = "recorder")]
use crate::aimdb::builder::AimDbBuilderPersistExt;
use crate::declaration::declared::{Declared, Record};
use crate::declaration::field::HasFields;
use crate::query::ask::{Ask, history_of_type};
use crate::query::history::History;
#[cfg(feature = "recorder")]
use crate::typed::series::Series;

/// A type whose records have a history. Derive it: `#[derive(Persist)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares no history",
    label = "`Persist` is not implemented for `{Self}`",
    note = "add `#[derive(Persist)]` and `#[persist(key = \"…\")]` to the type"
)]
pub trait Persist: DeclaresItself {
    /// The fields of this type, each by its place in the stored JSON. Queries filter and aggregate by them.
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

    /// Asks the history of every series of this type, and of no other type.
    fn history<D: Ask>(db: &D) -> History<Self> {
        history_of_type::<Self, D>(db, Self::DECLARATION.pattern())
    }

    /// Adds the one record of this type to the builder, with its buffer, and records it.
    ///
    /// For a key template, name the series: `Self::series(…).register(&mut builder)`.
    #[cfg(feature = "recorder")]
    fn register<B: AimDbBuilderPersistExt>(builder: &mut B)
    where
        Self: LiteralKey,
    {
        Series::<Self>::with_key(Self::DECLARATION.template().into()).register(builder);
    }

    /// The newest `limit_per_series` values of each series of this type, sorted by key, then newest first.
    ///
    /// # Errors
    /// As every query of [`Ask`].
    fn query_latest<D: Ask>(
        db: &D,
        limit_per_series: usize,
    ) -> impl Future<Output = Result<Vec<Self>, PersistenceError>> + Send {
        Self::history(db).latest(limit_per_series).values()
    }

    /// The values between two times (Unix milliseconds, both inclusive) of each series of this type. With a limit,
    /// the newest of them.
    ///
    /// # Errors
    /// As every query of [`Ask`].
    fn query_range<D: Ask>(
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

#[diagnostic::do_not_recommend]
impl<T: DeclaresItself> Persist for T {}

/// A type that declares the history of its own values. It stands for the two bounds, so that the compiler names one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares no history",
    label = "`Persist` is not implemented for `{Self}`",
    note = "add `#[derive(Persist)]` and `#[persist(key = \"…\")]` to the type"
)]
pub trait DeclaresItself: Declared<Value = Self> + Record {}

#[diagnostic::do_not_recommend]
impl<T: Declared<Value = T> + Record> DeclaresItself for T {}

/// A declaration with a literal key, which therefore has exactly one series.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has a key template: it has many series, not one",
    label = "name the series: `{Self}::series(…).register(&mut builder)`",
    note = "`{Self}::register` exists for literal keys only"
)]
pub trait LiteralKey {}
