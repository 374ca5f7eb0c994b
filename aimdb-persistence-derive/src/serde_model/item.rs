//! A type as serde sees it.

use proc_macro2::Ident;
use syn::{Data, DeriveInput, Fields, Member, Token};

use crate::serde_model::attributes::{Container, Given, Part, Rule};
use crate::serde_model::names::Names;

pub(crate) struct Item<'a> {
    pub(crate) container: Container,
    pub(crate) body: Body<'a>,
}

pub(crate) enum Body<'a> {
    Struct(SerdeFields<'a>),
    Enum(Vec<SerdeVariant<'a>>),
    Union(&'a Token![union]),
}

pub(crate) struct SerdeVariant<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) syntax: &'a syn::Variant,
    pub(crate) part: Part,
    pub(crate) names: Names,
    pub(crate) fields: SerdeFields<'a>,
}

pub(crate) struct SerdeFields<'a> {
    pub(crate) style: Style,
    pub(crate) list: Vec<SerdeField<'a>>,
}

pub(crate) struct SerdeField<'a> {
    pub(crate) member: Member,
    pub(crate) syntax: &'a syn::Field,
    pub(crate) part: Part,
    pub(crate) names: Names,
}

/// How fields are written: as an object, as an array, as one value, or as nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Named,
    Tuple,
    Newtype,
    Unit,
}

/// How the variants of an enum are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tagging {
    /// `{"Opened": …}`.
    External,
    /// `{"type": "Opened", …}`: the tag lies among the fields.
    Internal { tag: String },
    /// `{"type": "Opened", "value": …}`.
    Adjacent { content: String },
    /// By their content alone.
    Untagged,
}

impl<'a> Item<'a> {
    pub(crate) fn read(input: &'a DeriveInput) -> Self {
        let container = Container::read(&input.attrs);
        let body = match &input.data {
            Data::Struct(data) => {
                let mut fields = SerdeFields::read(&data.fields, container.rename_all);
                if let (Style::Newtype, [field]) = (fields.style, &mut fields.list[..]) {
                    // serde writes and reads it all the same.
                    field.part.skip_serializing = None;
                    field.part.skip_deserializing = None;
                }
                Body::Struct(fields)
            }
            Data::Enum(data) => {
                let variants = data.variants.iter();
                Body::Enum(
                    variants
                        .map(|variant| SerdeVariant::read(variant, &container))
                        .collect(),
                )
            }
            Data::Union(data) => Body::Union(&data.union_token),
        };
        Self { container, body }
    }
}

impl<'a> SerdeVariant<'a> {
    fn read(syntax: &'a syn::Variant, container: &Container) -> Self {
        let part = Part::read(&syntax.attrs);
        let names = Names::of_variant(&syntax.ident, &part, container.rename_all);
        let of_all = container.rename_all_fields;
        let rule = Rule {
            written: part.rename_all.written.or(of_all.written),
            read: part.rename_all.read.or(of_all.read),
        };
        Self {
            name: &syntax.ident,
            syntax,
            part,
            names,
            fields: SerdeFields::read(&syntax.fields, rule),
        }
    }

    pub(crate) fn tagging(&self, container: &Container) -> Tagging {
        if container.untagged.is_some() || self.part.untagged.is_some() {
            return Tagging::Untagged;
        }
        let text = |given: &Option<Given>| {
            given
                .as_ref()
                .and_then(|given| given.text().map(str::to_owned))
        };
        match (text(&container.tag), text(&container.content)) {
            (Some(_), Some(content)) => Tagging::Adjacent { content },
            (Some(tag), None) => Tagging::Internal { tag },
            (None, _) => Tagging::External,
        }
    }
}

impl<'a> SerdeFields<'a> {
    fn read(fields: &'a Fields, rule: Rule) -> Self {
        let style = match fields {
            Fields::Named(_) => Style::Named,
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Style::Newtype,
            Fields::Unnamed(_) => Style::Tuple,
            Fields::Unit => Style::Unit,
        };
        let mut index = 0;
        let mut list = Vec::new();
        for (member, syntax) in fields.members().zip(fields) {
            let part = Part::read(&syntax.attrs);
            let names = match &member {
                Member::Named(name) => Names::of_field(name, &part, rule),
                Member::Unnamed(_) => Names::of_index(index),
            };
            index += usize::from(part.is_written());
            list.push(SerdeField {
                member,
                syntax,
                part,
                names,
            });
        }
        Self { style, list }
    }
}

impl SerdeField<'_> {
    /// The field as a message names it.
    pub(crate) fn described(&self) -> String {
        match &self.member {
            Member::Named(name) => format!("`{name}`"),
            Member::Unnamed(index) => format!("field {}", index.index),
        }
    }
}
