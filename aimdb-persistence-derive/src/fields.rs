//! The fields of a type, each with what is set on it.

use proc_macro2::Ident;
use syn::{Data, DataEnum, Fields, Member, Type};

use crate::entries::persist_attributes;
use crate::errors::Errors;
use crate::setting::{Place, Setting};
use crate::settings::Settings;

/// What a value consists of.
pub(crate) enum Shape<'a> {
    Struct(Vec<Field<'a>>),
    Enum(Vec<Variant<'a>>),
}

pub(crate) struct Variant<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) fields: Vec<Field<'a>>,
}

pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) of: &'a Type,
    pub(crate) settings: Settings,
}

impl<'a> Shape<'a> {
    pub(crate) fn read(data: &'a Data, errors: &mut Errors) -> Self {
        match data {
            Data::Struct(data) => Self::Struct(read_fields(&data.fields, errors)),
            Data::Enum(data) => Self::Enum(read_variants(data, errors)),
            Data::Union(data) => {
                errors.add(
                    data.union_token,
                    "a union cannot be stored, for nobody knows which field it holds; use an enum",
                );
                Self::Struct(Vec::new())
            }
        }
    }
}

impl Field<'_> {
    /// The field as a message names it.
    pub(crate) fn described(&self) -> String {
        match &self.member {
            Member::Named(name) => format!("`{name}`"),
            Member::Unnamed(index) => format!("field {}", index.index),
        }
    }
}

fn read_fields<'a>(fields: &'a Fields, errors: &mut Errors) -> Vec<Field<'a>> {
    let read = |(member, field): (Member, &'a syn::Field)| Field {
        member,
        of: &field.ty,
        settings: Settings::read(&field.attrs, Place::Field, errors),
    };
    fields.members().zip(fields).map(read).collect()
}

fn read_variants<'a>(data: &'a DataEnum, errors: &mut Errors) -> Vec<Variant<'a>> {
    let mut variants = Vec::new();
    for variant in &data.variants {
        for attribute in persist_attributes(&variant.attrs) {
            errors.add(attribute, advice_on_variant());
        }
        variants.push(Variant {
            name: &variant.ident,
            fields: read_fields(&variant.fields, errors),
        });
    }
    variants
}

fn advice_on_variant() -> String {
    format!(
        "`#[persist(…)]` has no meaning on a variant; `{}` and the like belong on the type, `{}` on a field",
        Setting::Key.name(),
        Setting::Timestamp.name()
    )
}
