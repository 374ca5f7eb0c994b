//! What serde's attributes say about the stored JSON.
//!
//! Whatever serde refuses is left to serde to report.

use proc_macro2::{Ident, TokenTree};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::{Attribute, LitStr, Token, token};

use crate::serde_model::rename_all::Case;

/// What is set on a type.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) rename_all: Rule,
    /// The rule for the fields of an enum's variants.
    pub(crate) rename_all_fields: Rule,
    pub(crate) tag: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) untagged: bool,
    pub(crate) transparent: bool,
    /// Its fields are those of another type, which are not known here.
    pub(crate) written_as_another: bool,
    pub(crate) read_as_another: bool,
    pub(crate) default: bool,
}

/// What is set on a field or a variant.
#[derive(Default)]
pub(crate) struct Part {
    rename: Directions<Option<String>>,
    aliases: Vec<String>,
    /// The rule for the fields of a variant.
    pub(crate) rename_all: Rule,
    /// `skip` is both.
    pub(crate) skip_serializing: bool,
    pub(crate) skip_deserializing: bool,
    pub(crate) skip_serializing_if: bool,
    pub(crate) flatten: bool,
    pub(crate) untagged: bool,
    pub(crate) default: bool,
    /// Read by a function of the user's, which a missing field never reaches.
    pub(crate) deserialize_with: bool,
}

/// A renaming rule, if there is one.
pub(crate) type Rule = Directions<Option<Case>>;

/// What may differ between writing and reading, as in `rename(serialize = "…", deserialize = "…")`.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Directions<T> {
    pub(crate) written: T,
    pub(crate) read: T,
}

/// The name of a field or variant in the JSON that is written, and the names under which it is read.
pub(crate) struct Names {
    pub(crate) written: String,
    pub(crate) read: Vec<String>,
}

impl Names {
    /// Of the fields of a tuple, which have none.
    pub(crate) fn of_index(index: usize) -> Self {
        Self {
            written: index.to_string(),
            read: vec![index.to_string()],
        }
    }
}

impl Container {
    pub(crate) fn read(attributes: &[Attribute]) -> Self {
        let mut container = Self::default();
        for Entry { name, text } in entries(attributes) {
            match name.as_str() {
                "rename_all" => container.rename_all = cases(&text),
                "rename_all_fields" => container.rename_all_fields = cases(&text),
                "tag" => container.tag = text.written,
                "content" => container.content = text.written,
                "untagged" => container.untagged = true,
                "transparent" => container.transparent = true,
                "into" => container.written_as_another = true,
                "from" | "try_from" => container.read_as_another = true,
                "default" => container.default = true,
                _ => {}
            }
        }
        container
    }
}

impl Part {
    pub(crate) fn read(attributes: &[Attribute]) -> Self {
        let mut part = Self::default();
        for Entry { name, text } in entries(attributes) {
            match name.as_str() {
                "rename" => part.rename = text,
                "rename_all" => part.rename_all = cases(&text),
                "alias" => part.aliases.extend(text.read),
                "skip" => (part.skip_serializing, part.skip_deserializing) = (true, true),
                "skip_serializing" => part.skip_serializing = true,
                "skip_deserializing" => part.skip_deserializing = true,
                "skip_serializing_if" => part.skip_serializing_if = true,
                "flatten" => part.flatten = true,
                "untagged" => part.untagged = true,
                "default" => part.default = true,
                "with" | "deserialize_with" => part.deserialize_with = true,
                _ => {}
            }
        }
        part
    }

    /// The names of a field, in a struct or variant with this rule.
    pub(crate) fn of_field(&self, field: &Ident, rule: Rule) -> Names {
        self.names(field, rule, Case::of_field)
    }

    /// The names of a variant, in an enum with this rule.
    pub(crate) fn of_variant(&self, variant: &Ident, rule: Rule) -> Names {
        self.names(variant, rule, Case::of_variant)
    }

    fn names(&self, part: &Ident, rule: Rule, apply: fn(Case, &str) -> String) -> Names {
        let own = part.unraw().to_string();
        let name = |rename: &Option<String>, rule: Option<Case>| match (rename, rule) {
            (Some(rename), _) => rename.clone(),
            (None, Some(rule)) => apply(rule, &own),
            (None, None) => own.clone(),
        };
        let mut read = vec![name(&self.rename.read, rule.read)];
        read.extend(self.aliases.iter().cloned());
        Names {
            written: name(&self.rename.written, rule.written),
            read,
        }
    }
}

fn cases(text: &Directions<Option<String>>) -> Rule {
    let case = |text: &Option<String>| text.as_deref().and_then(Case::named);
    Directions {
        written: case(&text.written),
        read: case(&text.read),
    }
}

/// `name`, `name = "…"` or `name(serialize = "…", deserialize = "…")`.
struct Entry {
    name: String,
    text: Directions<Option<String>>,
}

fn entries(attributes: &[Attribute]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for attribute in attributes {
        if attribute.path().is_ident("serde") {
            // Up to a mistake, if there is one.
            let _ = attribute.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().map(Ident::to_string);
                let name = name.unwrap_or_default();
                let text = read_text(&meta)?;
                entries.push(Entry { name, text });
                Ok(())
            });
        }
    }
    entries
}

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
