//! `for = "contracts::Temperature"`: whose values are recorded. A type says so of itself, or a marker of a type of another
//! crate.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{DeriveInput, Generics, Path, Type, parse_quote};

use crate::attributes::catalog::Setting;
use crate::attributes::settings::Settings;
use crate::errors::Errors;
use crate::shape::{Field, Shape};

/// The type of the values.
pub(crate) enum Value<'a> {
    /// The type that declares it.
    Own(&'a Ident),
    /// A type of another crate. That which declares it is a marker, and repeats what it has to say of its fields.
    Other {
        of: Box<Type>,
        /// What is written could be read, so that the fields can be compared with those of the type.
        is_known: bool,
        /// `#[non_exhaustive]` above the marker.
        has_further_variants: bool,
    },
}

impl<'a> Value<'a> {
    pub(crate) fn read(
        input: &'a DeriveInput,
        settings: &Settings,
        shape: &Shape<'_>,
        errors: &mut Errors,
    ) -> Self {
        let Some(given) = settings.name(Setting::For) else {
            refuse_getters(shape, errors);
            return Self::Own(&input.ident);
        };
        let own_parameters = input.generics.type_params().map(|of| &of.ident);
        let own_parameters =
            own_parameters.chain(input.generics.const_params().map(|of| &of.ident));
        for parameter in own_parameters {
            errors.add(
                parameter,
                "a marker stands for one type; write one for each instance, such as `for = \"contracts::Power<f64>\"`, and \
                 remove the parameter",
            );
        }
        let of = settings.text(Setting::For).map(|text| {
            text.parse::<Type>().map_err(|_| {
                errors.add(
                    text,
                    format!(
                        "`{}` is not a type; write the path of the type that is recorded, such as `{given} = \
                         \"contracts::Temperature\"`",
                        text.value().escape_debug()
                    ),
                );
            })
        });
        let of = of.and_then(Result::ok);
        check_getters(shape, errors);
        let has_further_variants =
            |attribute: &syn::Attribute| attribute.path().is_ident("non_exhaustive");
        Self::Other {
            is_known: of.is_some(),
            of: Box::new(of.unwrap_or_else(|| parse_quote!(()))),
            has_further_variants: input.attrs.iter().any(has_further_variants),
        }
    }

    /// The type of another crate.
    pub(crate) fn another_type(&self) -> Option<&Type> {
        match self {
            Self::Own(_) => None,
            Self::Other { of, .. } => Some(of),
        }
    }

    /// Whether an implementation would only add to what has been reported.
    pub(crate) fn is_beyond_repair(&self, generics: &Generics) -> bool {
        self.another_type().is_some() && !generics.params.is_empty()
    }

    /// As it is written in an implementation.
    pub(crate) fn written(&self) -> TokenStream {
        match self {
            Self::Own(_) => quote!(Self),
            Self::Other { of, .. } => of.to_token_stream(),
        }
    }

    /// The same, underlined at the type that declares it, if it is that.
    pub(crate) fn underlined(&self) -> TokenStream {
        match self {
            Self::Own(name) => quote_spanned!(name.span()=> Self),
            Self::Other { of, .. } => of.to_token_stream(),
        }
    }

    /// A name that variants and members can be written after, and what makes that name known.
    pub(crate) fn named(&self) -> (Option<TokenStream>, TokenStream) {
        match self {
            Self::Own(_) => (None, quote!(Self)),
            Self::Other { of, .. } => (Some(quote!(type __Value = #of;)), quote!(__Value)),
        }
    }

    pub(crate) fn has_further_variants(&self) -> bool {
        matches!(
            self,
            Self::Other {
                has_further_variants: true,
                ..
            }
        )
    }
}

/// How a field of a struct is read.
pub(crate) enum Access {
    Member,
    /// By this function.
    Getter(Path),
    /// By a function that is not told; that has been reported.
    Unknown,
}

impl Access {
    pub(crate) fn of(field: &Field<'_>) -> Self {
        match field.settings.text(Setting::Getter) {
            Some(text) if field.variant.is_none() => match text.parse() {
                Ok(getter) => Self::Getter(getter),
                Err(_) => Self::Unknown,
            },
            _ => Self::Member,
        }
    }
}

/// Whether what is said of a getter is right.
fn check_getters(shape: &Shape<'_>, errors: &mut Errors) {
    for field in shape.fields() {
        let Some(text) = field.settings.text(Setting::Getter) else {
            continue;
        };
        if field.variant.is_some() {
            errors.add(
                field.settings.name(Setting::Getter),
                "the fields of a variant are read by matching it; remove `getter`",
            );
        } else if text.parse::<Path>().is_err() {
            errors.add(
                text,
                format!(
                    "`{}` is not the path of a function; write one that takes a reference to the value, such as \
                     `getter = \"contracts::Temperature::at\"`",
                    text.value().escape_debug()
                ),
            );
        }
    }
}

fn refuse_getters(shape: &Shape<'_>, errors: &mut Errors) {
    for field in shape.fields() {
        if let Some(getter) = field.settings.name(Setting::Getter) {
            errors.add(
                getter,
                "`getter` is for markers of types of other crates (`for = \"…\"`), whose fields may be private; remove it",
            );
        }
    }
}
