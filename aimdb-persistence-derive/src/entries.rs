//! The entries of `#[persist(…)]` as they are written, before anything is known about their names.
//!
//! The list is read by hand: syn's `parse_nested_meta` stops at the first mistake, and a type's mistakes are to be
//! reported together.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, MacroDelimiter, Meta, Token};

use crate::errors::Errors;

/// `key = "…"`, `timestamp`.
pub(crate) struct Entry {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

impl Entry {
    pub(crate) fn text(&self) -> Option<&LitStr> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Absent | Value::Other(_) => None,
        }
    }
}

/// What follows an entry's name.
pub(crate) enum Value {
    Absent,
    Text(LitStr),
    /// Anything else: the tokens after the `=`, or a list in parentheses.
    Other(TokenStream),
}

/// The entries of all `#[persist(…)]` at one place.
#[derive(Default)]
pub(crate) struct Entries {
    pub(crate) list: Vec<Entry>,
    /// Part of it could not be read, so that what is missing may not be missing.
    pub(crate) malformed: bool,
}

impl Entries {
    /// Reads them. `example` is what a malformed attribute should have been.
    pub(crate) fn read(attributes: &[Attribute], example: &str, errors: &mut Errors) -> Self {
        let mut entries = Self::default();
        for attribute in persist_attributes(attributes) {
            entries.read_attribute(&attribute.meta, example, errors);
        }
        entries
    }

    fn read_attribute(&mut self, meta: &Meta, example: &str, errors: &mut Errors) {
        let list = match meta {
            Meta::List(list) if matches!(list.delimiter, MacroDelimiter::Paren(_)) => list,
            _ => {
                errors.add(
                    meta,
                    format!("it needs a list in parentheses; write `#[persist({example})]`"),
                );
                self.malformed = true;
                return;
            }
        };
        let parsed = list.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                self.read_entry(input, example, errors)?;
            }
            Ok(())
        });
        if let Err(error) = parsed {
            errors.add(&list.tokens, error);
            self.malformed = true;
        }
    }

    /// Reads one entry and the comma after it.
    fn read_entry(
        &mut self,
        input: ParseStream<'_>,
        example: &str,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        if !input.peek(Ident::peek_any) {
            errors.add(
                tokens_to_comma(input)?,
                format!("expected a name; write `#[persist({example})]`"),
            );
            self.malformed = true;
            return read_comma(input);
        }
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![,]) || input.is_empty() {
            Value::Absent
        } else {
            input.parse::<Option<Token![=]>>()?;
            read_value(input)?
        };
        self.list.push(Entry { name, value });
        if !input.is_empty() && !input.peek(Token![,]) {
            errors.add(
                input.parse::<TokenTree>()?,
                "a comma is missing before this",
            );
            self.malformed = true;
            tokens_to_comma(input)?;
        }
        read_comma(input)
    }
}

/// Those of `attributes` that are this macro's.
pub(crate) fn persist_attributes(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("persist"))
}

/// A string literal ends where it ends; anything else goes on to the next comma.
fn read_value(input: ParseStream<'_>) -> syn::Result<Value> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        return Ok(match text.suffix() {
            "" => Value::Text(text),
            _ => Value::Other(quote::quote!(#text)),
        });
    }
    Ok(Value::Other(tokens_to_comma(input)?))
}

fn tokens_to_comma(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

fn read_comma(input: ParseStream<'_>) -> syn::Result<()> {
    input.parse::<Option<Token![,]>>().map(drop)
}
