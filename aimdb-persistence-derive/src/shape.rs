//! The fields of a type: what is set on each, and where it lies in the stored JSON.

use proc_macro2::Ident;
use syn::{Member, Type, Visibility};

use crate::attributes::catalog::{Place, Setting};
use crate::attributes::entries::attributes_named;
use crate::attributes::settings::Settings;
use crate::errors::Errors;
use crate::grammar::type_names::is_option;
use crate::serde_model::attributes::Container;
use crate::serde_model::item::{Body, Item, SerdeField, SerdeFields, SerdeVariant, Style, Tagging};

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
    /// `skip_serializing_if`.
    left_out_at_times: bool,
    /// Of a field of an enum.
    pub(crate) variant: Option<OfVariant>,
}

/// How a stored value says of which variant it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OfVariant {
    pub(crate) name: String,
    pub(crate) tagging: Tagging,
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
    pub(crate) fn read(item: &Item<'a>, errors: &mut Errors) -> Self {
        let container = &item.container;
        match &item.body {
            Body::Struct(fields) => {
                let layout = Layout {
                    path: Vec::new(),
                    variant: None,
                    container,
                };
                Self::Struct(layout.read_fields(fields, errors))
            }
            Body::Enum(variants) => {
                let variants = variants.iter();
                Self::Enum(
                    variants
                        .map(|variant| read_variant(variant, container, errors))
                        .collect(),
                )
            }
            Body::Union(keyword) => {
                errors.add(
                    keyword,
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

    /// Whether every row has it, as a member of its object.
    pub(crate) fn is_in_every_row(&self) -> bool {
        let is_member = matches!(&self.stored, Stored::At(path) if path.len() == 1)
            && matches!(self.member, Member::Named(_));
        is_member && self.variant.is_none() && !self.left_out_at_times && !is_option(self.of)
    }

    /// The field as a message names it.
    pub(crate) fn described(&self) -> String {
        match &self.member {
            Member::Named(name) => format!("`{name}`"),
            Member::Unnamed(index) => format!("field {}", index.index),
        }
    }
}

fn read_variant<'a>(
    variant: &SerdeVariant<'a>,
    container: &Container,
    errors: &mut Errors,
) -> Variant<'a> {
    for attribute in attributes_named("persist", &variant.syntax.attrs) {
        errors.add(
            attribute,
            "`#[persist(…)]` has no meaning on a variant; `key` and the like belong on the type, `timestamp` on a \
             field",
        );
    }
    let tagging = variant.tagging(container);
    let path = match &tagging {
        Tagging::Untagged | Tagging::Internal { .. } => Vec::new(),
        Tagging::Adjacent { content, .. } => vec![content.clone()],
        Tagging::External => vec![variant.names.written.clone()],
    };
    let of_variant = OfVariant {
        name: variant.names.written.clone(),
        tagging,
    };
    let layout = Layout {
        path,
        variant: Some(of_variant),
        container,
    };
    Variant {
        name: variant.name,
        fields: layout.read_fields(&variant.fields, errors),
    }
}

/// Where serde puts the fields of a struct or variant.
struct Layout<'c> {
    /// The names of what they are wrapped in.
    path: Vec<String>,
    variant: Option<OfVariant>,
    container: &'c Container,
}

impl Layout<'_> {
    fn read_fields<'a>(&self, fields: &SerdeFields<'a>, errors: &mut Errors) -> Vec<Field<'a>> {
        let list = fields.list.iter();
        list.map(|field| Field {
            visibility: &field.syntax.vis,
            member: field.member.clone(),
            of: &field.syntax.ty,
            settings: Settings::read(&field.syntax.attrs, Place::Field, errors),
            stored: self.place(fields.style, field),
            left_out_at_times: field.part.skip_serializing_if.is_some(),
            variant: self.variant.clone(),
        })
        .collect()
    }

    fn place(&self, style: Style, field: &SerdeField<'_>) -> Stored {
        let path = self.path.clone();
        if !field.part.is_written() {
            Stored::LeftOut
        } else if self.container.into.is_some() {
            Stored::Unknown
        } else if field.part.flatten.is_some() {
            Stored::Flattened(path)
        } else if self.container.transparent.is_some() || style == Style::Newtype {
            Stored::At(path)
        } else {
            Stored::At([path, vec![field.names.written.clone()]].concat())
        }
    }
}

#[cfg(test)]
mod tests;
