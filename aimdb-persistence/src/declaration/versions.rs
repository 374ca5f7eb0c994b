//! Rows of older versions of a type, lifted to the newest step by step.

use std::borrow::Cow;

use aimdb_persistence_backend::{DecodeError, Row, json};
use serde::de::DeserializeOwned;

/// An older version of a type, which only has to be read.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a stored row",
    label = "`Deserialize` is not implemented for `{Self}`, or borrows from what it reads",
    note = "write `#[derive(Deserialize)]` above it"
)]
pub trait OlderVersion: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> OlderVersion for T {}

/// How a value is made of a row's version and JSON: `Declared::from_stored`, or [`whatever_version`].
pub(crate) type FromStored<T> = fn(u32, &str) -> Result<T, DecodeError>;

/// Rewrites rows of older versions as the declared version writes them, for whoever looks at fields by their names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lift {
    to_version: u32,
    rewrite: fn(u32, &str) -> Option<String>,
}

impl Lift {
    /// `None` where there is no older version.
    pub(crate) fn to(to_version: u32, rewrite: fn(u32, &str) -> Option<String>) -> Option<Self> {
        (to_version > 1).then_some(Self {
            to_version,
            rewrite,
        })
    }

    /// The row's JSON as the declared version has it; empty where it cannot be lifted, so that no field is there.
    pub(crate) fn json_of<'r>(self, row: Row<'r>) -> Cow<'r, str> {
        if row.version.max(1) == self.to_version {
            return Cow::Borrowed(row.json);
        }
        Cow::Owned((self.rewrite)(row.version, row.json).unwrap_or_default())
    }
}

/// What any type does that declares nothing.
pub(crate) fn whatever_version<T: DeserializeOwned>(_: u32, json: &str) -> Result<T, DecodeError> {
    json::decode(json)
}

/// One version of a type from its JSON.
///
/// # Errors
/// If the JSON is no such value.
#[doc(hidden)]
pub fn decode<T: OlderVersion>(json: &str) -> Result<T, DecodeError> {
    json::decode(json)
}

/// Rows of every version up to the known one decode as the type.
pub(crate) fn decode_up_to<T: DeserializeOwned>(
    known: u32,
    version: u32,
    json: &str,
) -> Result<T, DecodeError> {
    if version > known {
        return Err(DecodeError::TooNew {
            stored: version,
            known,
        });
    }
    json::decode(json)
}

/// A type that can be made from its version before. Whatever is `From` that version is.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from `{Old}`, the version before it",
    label = "write `impl From<{Old}> for {Self}`",
    note = "`migrate(…)` names the older versions, the oldest first; each is lifted to the next by `From`, and the last \
            to the record's type"
)]
pub trait NextVersion<Old> {
    fn lift(old: Old) -> Self;
}

#[diagnostic::do_not_recommend]
impl<Old, New: From<Old>> NextVersion<Old> for New {
    fn lift(old: Old) -> Self {
        Self::from(old)
    }
}

/// One step of a `migrate(…)`.
#[doc(hidden)]
pub fn lift<Old, New: NextVersion<Old>>(old: Old) -> New {
    New::lift(old)
}
