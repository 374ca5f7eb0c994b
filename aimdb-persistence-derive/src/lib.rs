//! `#[derive(Persist)]`, which [`aimdb-persistence`](https://docs.rs/aimdb-persistence) re-exports: depend on that
//! crate, and write `use aimdb_persistence::Persist;`.
//!
//! A type goes through three stages: its attributes as they are written (`entries`, `settings`), the checked
//! `model`, and what it expands to (`expand`). Mistakes are gathered on the way and reported together.

mod buffer;
mod case;
mod choice;
mod deadband;
mod entries;
mod errors;
mod event_time;
mod expand;
mod fields;
mod key;
mod model;
mod policy;
mod round_trip;
mod serde_attributes;
mod setting;
mod settings;
mod suggest;
mod timestamp;
mod unit;
mod versions;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Code;
use quote::quote;
use syn::{Data, DeriveInput, parse_macro_input};

use crate::entries::attributes_named;
use crate::errors::Errors;
use crate::fields::Shape;
use crate::model::Model;
use crate::setting::Place;
use crate::settings::Settings;

/// Gives the records of a type a history.
///
#[doc = include_str!("../declarations.md")]
#[proc_macro_derive(Persist, attributes(persist))]
pub fn derive_persist(input: TokenStream) -> TokenStream {
    persist(&parse_macro_input!(input as DeriveInput)).into()
}

fn persist(input: &DeriveInput) -> Code {
    let mut errors = Errors::default();
    let model = Model::read(input, &mut errors);
    // A union can implement none of the traits that a record needs: code for it would only add messages.
    let code = match input.data {
        Data::Union(_) => None,
        _ => Some(expand::expand(&model)),
    };
    let errors = errors.into_compile_errors();
    quote!(#errors #code)
}

/// Makes the fields of a struct that is part of a record addressable, as `#[derive(Persist)]` does for the record's own.
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
/// It generates `impl HasFields`, and the function `fields()`, as visible as the type. `#[fields(crate = "path")]`
/// says where `aimdb_persistence` is found, if it is renamed.
#[proc_macro_derive(Fields, attributes(fields))]
pub fn derive_fields(input: TokenStream) -> TokenStream {
    fields(&parse_macro_input!(input as DeriveInput)).into()
}

fn fields(input: &DeriveInput) -> Code {
    let name = &input.ident;
    let mut errors = Errors::default();
    if attributes_named("persist", &input.attrs).next().is_some() {
        errors.add(
            name,
            format!(
                "`{name}` derives `Persist`, which makes its fields addressable; remove `Fields`"
            ),
        );
        return errors.into_compile_errors();
    }
    let settings = Settings::read(&input.attrs, Place::Part, &mut errors);
    let library = model::read_library(&settings, &mut errors);
    let shape = Shape::read(input, &mut errors);
    let owner = expand::fields::Owner {
        visibility: &input.vis,
        name,
        generics: &input.generics,
        library: &library,
    };
    let code = match input.data {
        Data::Union(_) => None,
        _ => expand::fields::expand_part(&owner, &shape, &mut errors),
    };
    let errors = errors.into_compile_errors();
    quote!(#errors #code)
}
