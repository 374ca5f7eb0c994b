//! Which field of a value holds the time at which it happened.

use proc_macro2::Ident;
use syn::{Member, Path, Type};

use crate::attributes::catalog::Setting;
use crate::errors::Errors;
use crate::grammar::time_unit::{self, TimeUnit};
use crate::model::marker::Access;
use crate::model::stored_path::StoredPath;
use crate::shape::{Field, OfVariant, Shape, Stored, Variant};

pub(crate) enum EventTime<'a> {
    Struct(Timestamp<'a>),
    /// One for every variant.
    Enum(Vec<(&'a Ident, Timestamp<'a>)>),
}

/// A field that is marked `timestamp`.
pub(crate) struct Timestamp<'a> {
    pub(crate) member: Member,
    pub(crate) of: &'a Type,
    pub(crate) stored: Stored,
    pub(crate) variant: Option<OfVariant>,
    /// The unit of an integer; a time type has its own.
    pub(crate) unit: Option<TimeUnit>,
    /// What reads it from a value of another crate.
    pub(crate) getter: Option<Path>,
}

impl<'a> EventTime<'a> {
    pub(crate) fn read(shape: &Shape<'a>, errors: &mut Errors) -> Option<Self> {
        match shape {
            Shape::Struct(fields) => read_timestamp(fields, errors).map(Self::Struct),
            Shape::Enum(variants) => read_variants(variants, errors).map(Self::Enum),
        }
    }
}

impl EventTime<'_> {
    /// Where it is stored, if it is.
    pub(crate) fn paths(&self) -> Vec<StoredPath> {
        let timestamps: Vec<_> = match self {
            Self::Struct(timestamp) => vec![timestamp],
            Self::Enum(variants) => variants.iter().map(|(_, timestamp)| timestamp).collect(),
        };
        let stored = timestamps
            .iter()
            .filter_map(|timestamp| match &timestamp.stored {
                Stored::At(path) => Some(StoredPath::new(path, timestamp.variant.as_ref())),
                _ => None,
            });
        stored.collect()
    }
}

fn read_variants<'a>(
    variants: &[Variant<'a>],
    errors: &mut Errors,
) -> Option<Vec<(&'a Ident, Timestamp<'a>)>> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for Variant { name, fields } in variants {
        match read_timestamp(fields, errors) {
            Some(timestamp) => with.push((*name, timestamp)),
            None => without.push(*name),
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
fn read_timestamp<'a>(fields: &[Field<'a>], errors: &mut Errors) -> Option<Timestamp<'a>> {
    let mut marked = fields
        .iter()
        .filter_map(|field| Some((field, field.settings.name(Setting::Timestamp)?)));
    let (first, _) = marked.next()?;
    for (_, marker) in marked {
        errors.add(
            marker,
            format!(
                "{} is the timestamp already, and a value has one; remove one of the two",
                first.described()
            ),
        );
    }
    let getter = match Access::of(first) {
        Access::Member => None,
        Access::Getter(getter) => Some(getter),
        Access::Unknown => return None,
    };
    Some(Timestamp {
        member: first.member.clone(),
        of: first.of,
        stored: first.stored.clone(),
        variant: first.variant.clone(),
        unit: first
            .settings
            .parse(Setting::Timestamp, time_unit::parse, errors),
        getter,
    })
}
