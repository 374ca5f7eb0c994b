//! `#[derive(Persist)]`, which [`aimdb-persistence`](https://docs.rs/aimdb-persistence) re-exports: depend on that
//! crate, and write `use aimdb_persistence::Persist;`.
//!
//! A type goes through three stages: its attributes as they are written (`entries`, `settings`), the checked
//! `model`, and what it expands to (`expand`). Mistakes are gathered on the way and reported together.

mod buffer;
mod case;
mod entries;
mod errors;
mod event_time;
mod expand;
mod fields;
mod key;
mod model;
mod retention;
mod round_trip;
mod serde_attributes;
mod setting;
mod settings;
mod suggest;
mod timestamp;

use proc_macro::TokenStream;
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
/// The type, a struct or an enum, also derives `Clone`, `Debug` and serde's `Serialize` and `Deserialize`:
///
/// ```ignore (the crate that this expands to depends on this one; the example is compiled there)
/// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
/// #[persist(key = "temperature.{station}", retention = "7d", buffer = "ring(4096)")]
/// struct Temperature {
///     celsius: f64,
///     #[persist(timestamp)]
///     at: u64, // Unix milliseconds
/// }
///
/// let sf: Series<Temperature> = Temperature::series("sf");
/// assert_eq!(sf.key(), "temperature.sf");
/// ```
///
/// # Attributes of the type
///
/// | attribute | meaning | if left out |
/// |---|---|---|
/// | `key = "weather"` | the key of the one record of this type | an error |
/// | `key = "temperature.{station}"` | a template: many records, one for each value of the placeholder | an error |
/// | `retention = "7d"` | how long rows are kept: a whole number of `s`, `m` (minutes), `h`, `d`, `w` or `y` (365 days); or `"forever"` | the builder's retention |
/// | `buffer = "ring(4096)"` | `register` gives the record a ring of so many values | a ring of 1,024 |
/// | `buffer = "latest"` | `register` gives the record a buffer of the latest value only | a ring of 1,024 |
/// | `crate = "path"` | where `aimdb_persistence` is found, if it is renamed | `::aimdb_persistence` |
///
/// A key is non-empty segments separated by `.` or `::`. A placeholder is an identifier, keywords included, in braces.
/// It stands for text within one segment, which it may share with other text: `sensor-{id}.temperature`. There is no
/// `buffer = "mailbox"`: a mailbox hands each value to one reader, so the recorder would take it from the application.
///
/// # Attribute of a field
///
/// | attribute | meaning | if left out |
/// |---|---|---|
/// | `timestamp` | the field says when the value happened: a `u64` or `i64` of Unix milliseconds, a `SystemTime`, or a time of `jiff`, `chrono` or `time` behind the feature of that name | a value counts from when it was received |
/// | `timestamp = "s"` | the same for an integer of seconds, milliseconds (`"ms"`), microseconds (`"us"`) or nanoseconds (`"ns"`) since 1970 | |
///
/// At most one field has it; of an enum, one field of every variant or none at all.
///
/// # What it generates
///
/// - `impl Persist`, with all that the trait provides;
/// - `T::series(…) -> Series<T>` and `T::try_series(…) -> Result<Series<T>, KeyError>`, as visible as the type, with one
///   `impl Display` argument for each placeholder, in order. Given a value that cannot stand in a key (it is empty, or
///   contains a separator or a wildcard), `series` panics and `try_series` returns the error;
/// - `impl LiteralKey`, if the key has no placeholders;
/// - `impl HasFields` for a struct: `T::fields().celsius` is the `Field` of that name, under the name that serde stores it by.
///
/// serde's attributes decide what is stored. What it would write and could not read again, such as a field that is
/// skipped and has no default, or has one name when written and another when read, is an error.
///
/// Of a generic type all of it holds for those parameters with which the type can be a record.
#[proc_macro_derive(Persist, attributes(persist))]
pub fn derive_persist(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = Errors::default();
    let model = Model::read(&input, &mut errors);
    // A union can implement none of the traits that a record needs: code for it would only add messages.
    let code = match input.data {
        Data::Union(_) => None,
        _ => Some(expand::expand(&model)),
    };
    let errors = errors.into_compile_errors();
    quote!(#errors #code).into()
}

/// Makes the fields of a struct that is part of a record addressable, as `#[derive(Persist)]` does for the record's own.
///
/// ```ignore (the crate that this expands to depends on this one; the example is compiled there)
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
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = Errors::default();
    let settings = Settings::read(&input.attrs, Place::Part, &mut errors);
    let library = model::read_library(&settings, &mut errors);
    let shape = Shape::read(&input, &mut errors);
    let owner = expand::fields::Owner {
        visibility: &input.vis,
        name: &input.ident,
        generics: &input.generics,
        library: &library,
    };
    let is_record = attributes_named("persist", &input.attrs).next().is_some();
    let code = match input.data {
        Data::Union(_) => None,
        _ if is_record => {
            let name = &input.ident;
            errors.add(name, format!("`{name}` derives `Persist`, which makes its fields addressable; remove `Fields`"));
            None
        }
        _ => expand::fields::expand_part(&owner, &shape, &mut errors),
    };
    let errors = errors.into_compile_errors();
    quote!(#errors #code).into()
}
