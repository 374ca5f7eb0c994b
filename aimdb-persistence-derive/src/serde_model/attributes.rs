//! The attributes of serde that decide what is stored.
//!
//! Whatever serde refuses is left to serde to report.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::{Attribute, LitStr, Token, token};

use crate::serde_model::rename_all::Case;

/// `tag = "type"`, `skip`: one attribute as it is written.
pub(crate) struct Given {
    pub(crate) name: Ident,
    text: Directions<Option<String>>,
}

/// An error about an attribute underlines its name.
impl ToTokens for Given {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
    }
}

impl Given {
    /// What stands after the `=`.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.written.as_deref()
    }
}

/// What is set on a type.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) rename_all: Rule,
    /// The rule for the fields of an enum's variants.
    pub(crate) rename_all_fields: Rule,
    pub(crate) tag: Option<Given>,
    pub(crate) content: Option<Given>,
    pub(crate) untagged: Option<Given>,
    pub(crate) transparent: Option<Given>,
    /// `into`: it is written as another type, whose fields are not known here.
    pub(crate) into: Option<Given>,
    /// `from` or `try_from`: it is read as another type.
    pub(crate) from: Option<Given>,
    pub(crate) default: Option<Given>,
    pub(crate) deny_unknown_fields: Option<Given>,
}

/// What is set on a field or a variant.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) rename: Directions<Option<String>>,
    pub(crate) aliases: Vec<String>,
    /// The rule for the fields of a variant.
    pub(crate) rename_all: Rule,
    /// `skip` is also `skip_serializing` and `skip_deserializing`.
    pub(crate) skip_serializing: Option<Given>,
    pub(crate) skip_deserializing: Option<Given>,
    pub(crate) skip_serializing_if: Option<Given>,
    pub(crate) flatten: Option<Given>,
    pub(crate) untagged: Option<Given>,
    pub(crate) default: Option<Given>,
    pub(crate) with: Option<Given>,
    pub(crate) serialize_with: Option<Given>,
    pub(crate) deserialize_with: Option<Given>,
}

/// A renaming rule, if there is one.
pub(crate) type Rule = Directions<Option<Case>>;

/// What may differ between writing and reading, as in `rename(serialize = "…", deserialize = "…")`.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Directions<T> {
    pub(crate) written: T,
    pub(crate) read: T,
}

impl Container {
    pub(crate) fn read(attributes: &[Attribute]) -> Self {
        let mut container = Self::default();
        for given in all_given(attributes) {
            match given.name.to_string().as_str() {
                "rename_all" => container.rename_all = cases(&given),
                "rename_all_fields" => container.rename_all_fields = cases(&given),
                "tag" => container.tag = Some(given),
                "content" => container.content = Some(given),
                "untagged" => container.untagged = Some(given),
                "transparent" => container.transparent = Some(given),
                "into" => container.into = Some(given),
                "from" | "try_from" => container.from = Some(given),
                "default" => container.default = Some(given),
                "deny_unknown_fields" => container.deny_unknown_fields = Some(given),
                _ => {}
            }
        }
        container
    }

    /// Whether another type decides what is written, or how it is read.
    pub(crate) fn is_converted(&self) -> bool {
        self.into.is_some() || self.from.is_some()
    }
}

impl Part {
    pub(crate) fn read(attributes: &[Attribute]) -> Self {
        let mut part = Self::default();
        for given in all_given(attributes) {
            match given.name.to_string().as_str() {
                "rename" => part.rename = given.text,
                "rename_all" => part.rename_all = cases(&given),
                "alias" => part.aliases.extend(given.text.read),
                "skip" => {
                    part.skip_serializing = Some(Given {
                        name: given.name.clone(),
                        text: Directions::default(),
                    });
                    part.skip_deserializing = Some(given);
                }
                "skip_serializing" => part.skip_serializing = Some(given),
                "skip_deserializing" => part.skip_deserializing = Some(given),
                "skip_serializing_if" => part.skip_serializing_if = Some(given),
                "flatten" => part.flatten = Some(given),
                "untagged" => part.untagged = Some(given),
                "default" => part.default = Some(given),
                "with" => part.with = Some(given),
                "serialize_with" => part.serialize_with = Some(given),
                "deserialize_with" => part.deserialize_with = Some(given),
                _ => {}
            }
        }
        part
    }

    pub(crate) fn is_written(&self) -> bool {
        self.skip_serializing.is_none()
    }

    pub(crate) fn is_read(&self) -> bool {
        self.skip_deserializing.is_none()
    }

    /// Whether a function of the user's reads it.
    pub(crate) fn is_read_by_function(&self) -> bool {
        self.with.is_some() || self.deserialize_with.is_some()
    }
}

fn cases(given: &Given) -> Rule {
    let case = |text: &Option<String>| text.as_deref().and_then(Case::named);
    Directions {
        written: case(&given.text.written),
        read: case(&given.text.read),
    }
}

fn all_given(attributes: &[Attribute]) -> Vec<Given> {
    let mut all = Vec::new();
    for attribute in attributes {
        if attribute.path().is_ident("serde") {
            // It ends at a mistake, which serde reports.
            let _ = attribute.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().cloned();
                let text = read_text(&meta)?;
                all.extend(name.map(|name| Given { name, text }));
                Ok(())
            });
        }
    }
    all
}

/// Reads what follows a name: nothing, `= "…"` or `(serialize = "…", deserialize = "…")`.
fn read_text(meta: &ParseNestedMeta<'_>) -> syn::Result<Directions<Option<String>>> {
    let mut text = Directions::default();
    if meta.input.peek(Token![=]) {
        text.written = literal(meta.value()?)?;
        text.read = text.written.clone();
    } else if meta.input.peek(token::Paren) {
        meta.parse_nested_meta(|direction| {
            let literal = literal(direction.value()?)?;
            if direction.path.is_ident("serialize") {
                text.written = literal;
            } else if direction.path.is_ident("deserialize") {
                text.read = literal;
            }
            Ok(())
        })?;
    }
    Ok(text)
}

/// A string literal; anything else is passed over.
fn literal(input: ParseStream<'_>) -> syn::Result<Option<String>> {
    if input.peek(LitStr) {
        return Ok(Some(input.parse::<LitStr>()?.value()));
    }
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(None)
}
