//! What is to be generated, checked. If the input is wrong, the model is what was most likely meant. It is expanded
//! beside the errors, so that the compiler does not add messages about missing code.

pub(crate) mod conflicts;
pub(crate) mod deadbands;
pub(crate) mod event_time;
pub(crate) mod library;
pub(crate) mod marker;
pub(crate) mod part;
pub(crate) mod policy;
pub(crate) mod restore;
pub(crate) mod stored_path;
pub(crate) mod template;
pub(crate) mod units;
pub(crate) mod versions;

use aimdb_persistence_duration::{Retention, parse_retention};
use proc_macro2::Ident;
use syn::{DeriveInput, Generics, Path, Visibility};

use crate::attributes::catalog::{Place, Setting};
use crate::attributes::settings::Settings;
use crate::errors::Errors;
use crate::grammar::buffer::{self, Buffer};
use crate::grammar::pack::{self, Pack};
use crate::model::conflicts::Terms;
use crate::model::event_time::EventTime;
use crate::model::library::read_library;
use crate::model::marker::Value;
use crate::model::policy::Policy;
use crate::model::restore::{Restore, read_restore};
use crate::model::template::{placeholder_arguments, read_key};
use crate::model::units::{StoredField, read_stored_fields};
use crate::model::versions::{Versions, read_version_field};
use crate::round_trip;
use crate::serde_model::item::Item;
use crate::shape::Shape;

/// A type with a history.
pub(crate) struct Model<'a> {
    pub(crate) visibility: &'a Visibility,
    pub(crate) name: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) value: Value<'a>,
    /// The path of `aimdb_persistence`.
    pub(crate) library: Path,
    pub(crate) template: String,
    /// The arguments of `series`.
    pub(crate) placeholders: Vec<Ident>,
    pub(crate) retention: Option<Retention>,
    pub(crate) buffer: Option<Buffer>,
    pub(crate) event_time: Option<EventTime<'a>>,
    pub(crate) policy: Policy<'a>,
    pub(crate) restore: Option<Restore>,
    pub(crate) pack: Option<Pack>,
    pub(crate) versions: Option<Versions>,
    pub(crate) version_field: Option<String>,
    /// What is known of the stored fields.
    pub(crate) stored_fields: Vec<StoredField>,
    pub(crate) shape: Shape<'a>,
}

impl<'a> Model<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        refuse_lifetimes(&input.generics, errors);
        let settings = Settings::read(&input.attrs, Place::Type, errors);
        let item = Item::read(input);
        let shape = Shape::read(&item, errors);
        let value = Value::read(input, &settings, &shape, errors);
        if value.another_type().is_none() {
            round_trip::check(&item, errors);
        }
        let template = read_key(&input.ident, &settings, errors);
        let retention = settings.parse(Setting::Retention, parse_retention, errors);
        let library = read_library(&settings, errors);
        let placeholders = placeholder_arguments(&template, &settings, &input.generics);
        let buffer = settings.parse(Setting::Buffer, buffer::parse, errors);
        let event_time = EventTime::read(&shape, errors);
        let policy = Policy::read(&settings, &shape, errors);
        let terms = Terms {
            settings: &settings,
            shape: &shape,
            policy: &policy,
            retention,
            of_another_type: value.another_type().is_some(),
        };
        terms.check(errors);
        Self {
            visibility: &input.vis,
            name: &input.ident,
            generics: &input.generics,
            value,
            library,
            template,
            placeholders,
            retention,
            buffer,
            event_time,
            policy,
            restore: read_restore(&settings, errors),
            pack: settings.parse(Setting::Pack, pack::parse, errors),
            versions: Versions::read(&settings, errors),
            version_field: read_version_field(&settings, errors),
            stored_fields: read_stored_fields(&shape, errors),
            shape,
        }
    }
}

fn refuse_lifetimes(generics: &Generics, errors: &mut Errors) {
    for lifetime in generics.lifetimes() {
        errors.add(
            lifetime,
            "a record lives as long as the database, so it must own its data; replace what is borrowed, `&str` by \
             `String` for example, and remove the lifetime",
        );
    }
}
