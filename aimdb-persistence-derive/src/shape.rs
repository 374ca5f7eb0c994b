//! The fields of a type: what is set on each, and where it lies in the stored JSON.

use proc_macro2::Ident;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Fields, Member, Type, Visibility};

use crate::attributes::catalog::{Place, Setting};
use crate::attributes::entries::attributes_named;
use crate::attributes::settings::Settings;
use crate::errors::Errors;
use crate::round_trip;
use crate::serde_model::attributes::{Container, Names, Part, Rule};

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
    pub(crate) visibility: &'a Visibility,
    pub(crate) member: Member,
    pub(crate) of: &'a Type,
    pub(crate) settings: Settings,
    pub(crate) stored: Stored,
    /// Of a field of an enum.
    pub(crate) variant: Option<OfVariant>,
}

/// How a stored value says of which variant it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OfVariant {
    pub(crate) name: String,
    pub(crate) tagging: Tagging,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tagging {
    External,
    Internal { tag: String },
    Adjacent { tag: String, content: String },
    Untagged,
}

/// Where a field lies in the stored JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Under these names, from the outside in; in an array a name is an index. Without a name it is the whole value.
    At(Vec<String>),
    /// Its own fields lie among those of what is under these names.
    Flattened(Vec<String>),
    /// `#[serde(skip)]`.
    LeftOut,
    /// Somewhere: the type is written as another one.
    Unknown,
}

impl<'a> Shape<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let container = &Container::read(&input.attrs);
        match &input.data {
            Data::Struct(data) => Self::Struct(read_struct(data, container, errors)),
            Data::Enum(data) => Self::Enum(read_variants(data, container, errors)),
            Data::Union(data) => {
                errors.add(
                    data.union_token,
                    "a union cannot be stored: it does not say which of its fields it holds; use an enum",
                );
                Self::Struct(Vec::new())
            }
        }
    }

    /// All fields there are.
    pub(crate) fn fields(&self) -> Vec<&Field<'a>> {
        match self {
            Self::Struct(fields) => fields.iter().collect(),
            Self::Enum(variants) => variants.iter().flat_map(|v| &v.fields).collect(),
        }
    }
}

impl Field<'_> {
    pub(crate) fn has(&self, setting: Setting) -> bool {
        self.settings.name(setting).is_some()
    }

    /// Whether it is in the JSON, even if it is not known where.
    pub(crate) fn is_stored(&self) -> bool {
        self.stored != Stored::LeftOut
    }

    /// The field as a message names it.
    pub(crate) fn described(&self) -> String {
        match &self.member {
            Member::Named(name) => format!("`{name}`"),
            Member::Unnamed(index) => format!("field {}", index.index),
        }
    }
}

fn read_struct<'a>(
    data: &'a DataStruct,
    container: &Container,
    errors: &mut Errors,
) -> Vec<Field<'a>> {
    let layout = Layout {
        path: Vec::new(),
        variant: None,
        container,
        rule: container.rename_all,
    };
    layout.read_fields(&data.fields, errors)
}

fn read_variants<'a>(
    data: &'a DataEnum,
    container: &Container,
    errors: &mut Errors,
) -> Vec<Variant<'a>> {
    let mut variants = Vec::new();
    for variant in &data.variants {
        for attribute in attributes_named("persist", &variant.attrs) {
            errors.add(
                attribute,
                "`#[persist(…)]` has no meaning on a variant; `key` and the like belong on the type, `timestamp` on a \
                 field",
            );
        }
        let part = Part::read(&variant.attrs);
        let names = part.of_variant(&variant.ident, container.rename_all);
        round_trip::check_variant(&variant.ident, &part, &names, container, errors);
        let (tagging, path) = match (&container.tag, &container.content) {
            _ if container.untagged || part.untagged => (Tagging::Untagged, Vec::new()),
            (Some(tag), None) => (Tagging::Internal { tag: tag.clone() }, Vec::new()),
            (Some(tag), Some(content)) => (
                Tagging::Adjacent {
                    tag: tag.clone(),
                    content: content.clone(),
                },
                vec![content.clone()],
            ),
            (None, _) => (Tagging::External, vec![names.written.clone()]),
        };
        let layout = Layout {
            path,
            variant: Some(OfVariant {
                name: names.written,
                tagging,
            }),
            container,
            rule: Rule {
                written: part
                    .rename_all
                    .written
                    .or(container.rename_all_fields.written),
                read: part.rename_all.read.or(container.rename_all_fields.read),
            },
        };
        variants.push(Variant {
            name: &variant.ident,
            fields: layout.read_fields(&variant.fields, errors),
        });
    }
    variants
}

/// Where serde puts the fields of a struct or variant.
struct Layout<'c> {
    /// What they are wrapped in.
    path: Vec<String>,
    variant: Option<OfVariant>,
    container: &'c Container,
    rule: Rule,
}

impl Layout<'_> {
    fn read_fields<'a>(&self, fields: &'a Fields, errors: &mut Errors) -> Vec<Field<'a>> {
        let mut index = 0;
        let mut read = Vec::new();
        for (member, field) in fields.members().zip(fields) {
            let part = Part::read(&field.attrs);
            let names = match &member {
                Member::Named(name) => part.of_field(name, self.rule),
                Member::Unnamed(_) => Names::of_index(index),
            };
            round_trip::check_field(field, &part, &names, self.container, errors);
            index += usize::from(!part.skip_serializing);
            read.push(Field {
                visibility: &field.vis,
                member,
                of: &field.ty,
                settings: Settings::read(&field.attrs, Place::Field, errors),
                stored: self.place(fields, &part, names.written),
                variant: self.variant.clone(),
            });
        }
        read
    }

    fn place(&self, fields: &Fields, part: &Part, name: String) -> Stored {
        let is_newtype = matches!(fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1);
        let path = self.path.clone();
        if part.skip_serializing {
            Stored::LeftOut
        } else if self.container.written_as_another {
            Stored::Unknown
        } else if part.flatten {
            Stored::Flattened(path)
        } else if self.container.transparent || is_newtype {
            Stored::At(path)
        } else {
            Stored::At([path, vec![name]].concat())
        }
    }
}

#[cfg(test)]
mod tests;
