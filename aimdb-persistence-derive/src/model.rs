//! What is to be generated, checked. Where the input is wrong, the model is what was most likely meant: it is
//! expanded beside the errors, so that one mistake is not followed by messages about what is missing for it.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{
    Data, DataEnum, DeriveInput, Field, Fields, Generics, Member, Path, Type, Visibility,
    parse_quote,
};

use crate::attributes::{Setting, TypeAttributes, timestamp_marker};
use crate::buffer::{self, Buffer};
use crate::entries::persist_attributes;
use crate::errors::Errors;
use crate::key;
use crate::retention::{self, Retention};

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
}

/// Where a value holds the time at which it happened.
pub(crate) enum EventTime<'a> {
    Struct(Timestamp<'a>),
    /// One for every variant.
    Enum(Vec<(&'a Ident, Timestamp<'a>)>),
}

/// A field that is marked as the event time.
pub(crate) struct Timestamp<'a> {
    pub(crate) member: Member,
    pub(crate) of: &'a Type,
}

impl<'a> Model<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        refuse_lifetimes(&input.generics, errors);
        let attributes = TypeAttributes::read(&input.attrs, errors);
        let template = read_key(&input.ident, &attributes, errors);
        Self {
            visibility: &input.vis,
            name: &input.ident,
            generics: &input.generics,
            library: read_library(&attributes, errors),
            placeholders: placeholder_arguments(&template, &attributes),
            template,
            retention: read_text(Setting::Retention, retention::parse, &attributes, errors),
            buffer: read_text(Setting::Buffer, buffer::parse, &attributes, errors),
            event_time: read_event_time(&input.data, errors),
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

fn read_key(type_name: &Ident, attributes: &TypeAttributes, errors: &mut Errors) -> String {
    let example = snake_case(&type_name.unraw().to_string());
    if attributes.lacks(Setting::Key) {
        errors.add(
            type_name,
            format!(
                "`{type_name}` has no key; write `#[persist(key = \"{example}\")]` above it, or \
                 `#[persist(key = \"{example}.{{id}}\")]` for one record per `id`"
            ),
        );
    }
    let Some(text) = attributes.text(Setting::Key) else {
        return example;
    };
    let key = text.value();
    if let Err(message) = key::check(&key) {
        errors.add(text, message);
    }
    key
}

/// `OutdoorTemperature` as it stands in a key: `outdoor_temperature`.
fn snake_case(type_name: &str) -> String {
    let mut snake = String::new();
    for c in type_name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// Raw, since a placeholder may be a keyword. They are found at the key, but belong to the macro: a name such as
/// `{Station}` is no business of the user's lints.
fn placeholder_arguments(template: &str, attributes: &TypeAttributes) -> Vec<Ident> {
    let span = match attributes.text(Setting::Key) {
        Some(text) => Span::mixed_site().located_at(text.span()),
        None => Span::mixed_site(),
    };
    let raw = |name| Ident::new_raw(name, span);
    key::placeholders(template).into_iter().map(raw).collect()
}

fn read_library(attributes: &TypeAttributes, errors: &mut Errors) -> Path {
    if let Some(text) = attributes.text(Setting::Crate) {
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

fn read_text<T>(
    setting: Setting,
    parse: impl Fn(&str) -> Result<T, String>,
    attributes: &TypeAttributes,
    errors: &mut Errors,
) -> Option<T> {
    let text = attributes.text(setting)?;
    parse(&text.value())
        .map_err(|message| errors.add(text, message))
        .ok()
}

fn read_event_time<'a>(data: &'a Data, errors: &mut Errors) -> Option<EventTime<'a>> {
    match data {
        Data::Struct(data) => read_timestamp(&data.fields, errors).map(EventTime::Struct),
        Data::Enum(data) => read_variants(data, errors).map(EventTime::Enum),
        Data::Union(data) => {
            errors.add(
                data.union_token,
                "a union cannot be stored, for nobody knows which field it holds; use an enum",
            );
            None
        }
    }
}

fn read_variants<'a>(
    data: &'a DataEnum,
    errors: &mut Errors,
) -> Option<Vec<(&'a Ident, Timestamp<'a>)>> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        for attribute in persist_attributes(&variant.attrs) {
            errors.add(
                attribute,
                "`#[persist(…)]` has no meaning on a variant; `key` and the like belong on the type, `timestamp` on a \
                 field",
            );
        }
        match read_timestamp(&variant.fields, errors) {
            Some(timestamp) => with.push((&variant.ident, timestamp)),
            None => without.push(&variant.ident),
        }
    }
    let (example, _) = with.first()?;
    for variant in &without {
        errors.add(
            variant,
            format!(
                "`{variant}` has no `#[persist(timestamp)]` field, and `{example}` has one; mark one in every variant, \
                 or none"
            ),
        );
    }
    without.is_empty().then_some(with)
}

/// The field that is marked, with complaints about a second one.
fn read_timestamp<'a>(fields: &'a Fields, errors: &mut Errors) -> Option<Timestamp<'a>> {
    let mut found: Option<Timestamp<'a>> = None;
    for (member, field) in fields.members().zip(fields) {
        let Field { attrs, ty, .. } = field;
        let Some(marker) = timestamp_marker(attrs, errors) else {
            continue;
        };
        match &found {
            Some(first) => errors.add(marker, second_timestamp(&first.member)),
            None => found = Some(Timestamp { member, of: ty }),
        }
    }
    found
}

fn second_timestamp(first: &Member) -> String {
    let first = match first {
        Member::Named(name) => format!("`{name}`"),
        Member::Unnamed(index) => format!("field {}", index.index),
    };
    format!("{first} is the timestamp already, and a value has one; remove one of the two")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_key_is_made_from_the_type_name() {
        assert_eq!(snake_case("OutdoorTemperature"), "outdoor_temperature");
        assert_eq!(snake_case("reading"), "reading");
    }
}
