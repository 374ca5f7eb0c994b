//! What is to be generated for a type that is part of records.

use proc_macro2::Ident;
use syn::{DeriveInput, Generics, Path, Visibility};

use crate::attributes::catalog::Place;
use crate::attributes::entries::attributes_named;
use crate::attributes::settings::Settings;
use crate::errors::Errors;
use crate::model::library::read_library;
use crate::round_trip;
use crate::serde_model::item::Item;
use crate::shape::Shape;

/// A type that is part of records.
pub(crate) struct Part<'a> {
    pub(crate) visibility: &'a Visibility,
    pub(crate) name: &'a Ident,
    pub(crate) generics: &'a Generics,
    /// The path of `aimdb_persistence`.
    pub(crate) library: Path,
    pub(crate) shape: Shape<'a>,
}

impl<'a> Part<'a> {
    /// `None` for a type that derives `Persist`, which does the same and more.
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Option<Self> {
        let name = &input.ident;
        if attributes_named("persist", &input.attrs).next().is_some() {
            errors.add(
                name,
                format!(
                    "`{name}` derives `Persist`, which makes its fields addressable; remove `Fields`"
                ),
            );
            return None;
        }
        let settings = Settings::read(&input.attrs, Place::Part, errors);
        let item = Item::read(input);
        round_trip::check(&item, errors);
        Some(Self {
            visibility: &input.vis,
            name,
            generics: &input.generics,
            library: read_library(&settings, errors),
            shape: Shape::read(&item, errors),
        })
    }
}
