//! What the functions of a marker do: a local type that declares the history of a type of another crate.
//!
//! The derive generates them, since what [`Persist`](crate::Persist) provides is for types that are their own values.

#[cfg(feature = "recorder")]
pub use crate::aimdb::builder::AimDbBuilderPersistExt as RecordingBuilder;
use crate::declaration::declared::{Declared, Record};
use crate::query::ask::{Ask, history_of_type};
use crate::query::history::History;
#[cfg(feature = "recorder")]
use crate::typed::series::Series;

/// A builder of no AimDB.
#[cfg(not(feature = "recorder"))]
pub trait RecordingBuilder {}

/// Asks the history of every series of a declaration.
pub fn history<D: Declared<Value: Record>, A: Ask>(asked: &A) -> History<D::Value> {
    history_of_type::<D, A>(asked, D::DECLARATION.pattern())
}

/// Adds the one record of a declaration to the builder.
#[cfg(feature = "recorder")]
pub fn register<D: Declared<Value: Record>, B: RecordingBuilder>(builder: &mut B) {
    Series::<D>::with_key(D::DECLARATION.template().into()).register(builder);
}

/// Without a recorder there is nothing to register with.
#[cfg(not(feature = "recorder"))]
pub fn register<D: Declared<Value: Record>, B: RecordingBuilder>(_: &mut B) {}
