//! What is to be generated, checked. Where the input is wrong, the model is what was most likely meant: it is
//! expanded beside the errors, so that one mistake is not followed by messages about what is missing for it.

use aimdb_persistence_duration::{Purpose, Retention, parse_retention};
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{DeriveInput, Generics, Path, Visibility, parse_quote};

use crate::buffer::{self, Buffer};
use crate::case::Case;
use crate::entries::Value;
use crate::errors::Errors;
use crate::event_time::EventTime;
use crate::fields::Shape;
use crate::key;
use crate::policy::{Policy, path_of};
use crate::setting::{Place, Setting};
use crate::settings::Settings;
use crate::unit;
use crate::versions::Versions;

/// A type with a history.
pub(crate) struct Model<'a> {
    pub(crate) visibility: &'a Visibility,
    pub(crate) name: &'a Ident,
    pub(crate) generics: &'a Generics,
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
    pub(crate) versions: Option<Versions>,
    /// Where fields with a unit are stored.
    pub(crate) units: Vec<(String, String)>,
    pub(crate) shape: Shape<'a>,
}

/// How old a value may be to be given back at the start.
#[derive(Clone, Copy)]
pub(crate) enum Restore {
    Always,
    NoOlderThan(u64),
}

impl<'a> Model<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        refuse_lifetimes(&input.generics, errors);
        let settings = Settings::read(&input.attrs, Place::Type, errors);
        let shape = Shape::read(input, errors);
        let template = read_key(&input.ident, &settings, errors);
        let retention = settings.parse(Setting::Retention, parse_retention, errors);
        Self {
            visibility: &input.vis,
            name: &input.ident,
            generics: &input.generics,
            library: read_library(&settings, errors),
            placeholders: placeholder_arguments(&template, &settings),
            template,
            retention,
            buffer: settings.parse(Setting::Buffer, buffer::parse, errors),
            event_time: EventTime::read(&shape, errors),
            policy: Policy::read(&settings, &shape, retention, errors),
            restore: read_restore(&settings, errors),
            versions: Versions::read(&settings, errors),
            units: read_units(&shape, errors),
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

fn read_key(type_name: &Ident, settings: &Settings, errors: &mut Errors) -> String {
    let example = Case::Snake.of_variant(&type_name.unraw().to_string());
    if settings.lacks(Setting::Key) {
        errors.add(
            type_name,
            format!(
                "`{type_name}` has no key; write `#[persist(key = \"{example}\")]` above it, or \
                 `#[persist(key = \"{example}.{{id}}\")]` for one record per `id`"
            ),
        );
    }
    let Some(text) = settings.text(Setting::Key) else {
        return example;
    };
    let key = text.value();
    if let Err(message) = key::check(&key) {
        errors.add(text, message);
    }
    key
}

/// Raw, since a placeholder may be a keyword. They are found at the key, but belong to the macro: a name such as
/// `{Station}` is no business of the user's lints.
fn placeholder_arguments(template: &str, settings: &Settings) -> Vec<Ident> {
    let span = match settings.text(Setting::Key) {
        Some(text) => Span::mixed_site().located_at(text.span()),
        None => Span::mixed_site(),
    };
    let raw = |name| Ident::new_raw(name, span);
    key::placeholders(template).into_iter().map(raw).collect()
}

fn read_restore(settings: &Settings, errors: &mut Errors) -> Option<Restore> {
    match settings.value(Setting::Restore)? {
        Value::Text(_) => {
            let age_ms = settings.parse_ms(Setting::Restore, Purpose::RestoreAge, errors);
            age_ms.map(Restore::NoOlderThan)
        }
        _ => Some(Restore::Always),
    }
}

fn read_units(shape: &Shape<'_>, errors: &mut Errors) -> Vec<(String, String)> {
    let mut units = Vec::new();
    for field in shape.fields() {
        if let Some(unit) = field.settings.parse(Setting::Unit, unit::parse, errors)
            && let Some(path) = path_of(field, Setting::Unit, errors)
        {
            units.push((path, unit));
        }
    }
    units
}

pub(crate) fn read_library(settings: &Settings, errors: &mut Errors) -> Path {
    if let Some(text) = settings.text(Setting::Crate) {
        match text.parse_with(Path::parse_mod_style) {
            Ok(path) => return path,
            Err(_) => errors.add(
                text,
                format!(
                    "`{}` is not a path; write the name under which this crate knows `aimdb_persistence`, such as \
                     `crate = \"renamed\"` or `crate = \"other::aimdb_persistence\"`",
                    text.value().escape_debug()
                ),
            ),
        }
    }
    parse_quote!(::aimdb_persistence)
}
