//! `#[derive(Persist)]`, which [`aimdb-persistence`](https://docs.rs/aimdb-persistence) re-exports: depend on that
//! crate, and write `use aimdb_persistence::Persist;`.
//!
//! A type goes through three stages: its attributes as they are written (`attributes`, `serde_model`), the checked
//! `model`, and what it expands to (`expand`). Mistakes are gathered on the way and reported together. The folders are
//! layers, and none imports what stands above it:
//!
//! ```text
//! derive        the two derives, from a type to its code
//! expand        the code that is generated
//! model         what is to be generated, checked
//! shape         the fields of a type, and where each lies in the stored JSON
//! round_trip    what serde would write and could not read again
//! serde_model   what serde is told about a type
//! attributes    what stands in `#[persist(…)]`
//! grammar       what the text of a setting may say
//! errors        the mistakes of one type
//! ```

mod attributes;
mod derive;
mod errors;
mod expand;
mod grammar;
mod model;
mod round_trip;
mod serde_model;
mod shape;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Gives the records of a type a history.
///
#[doc = include_str!("../declarations.md")]
#[proc_macro_derive(Persist, attributes(persist, serde))]
pub fn derive_persist(input: TokenStream) -> TokenStream {
    derive::persist(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes the fields of a struct addressable that is part of a record. `#[derive(Persist)]` does so for the record itself.
///
/// ```
/// use aimdb_persistence::{Field, Fields, Persist};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
/// #[persist(key = "weather")]
/// struct Weather {
///     wind: Wind,
/// }
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Fields)]
/// struct Wind {
///     #[serde(rename = "gust_kmh")]
///     gust: f64,
/// }
///
/// let gust: Field<Weather, f64> = Weather::fields().wind.then(Wind::fields().gust);
/// assert_eq!(gust.to_string(), "wind.gust_kmh");
/// ```
///
/// It generates `impl HasFields`, and the function `fields()`, which is as visible as the type. If `aimdb_persistence`
/// is renamed, `#[fields(crate = "path")]` says where it is.
#[proc_macro_derive(Fields, attributes(fields))]
pub fn derive_fields(input: TokenStream) -> TokenStream {
    derive::fields(&parse_macro_input!(input as DeriveInput)).into()
}
