//! The entries of `#[persist(…)]` as they are written, before anything is known about their names.
//!
//! The list is read by hand, because syn's `parse_nested_meta` stops at the first mistake. All mistakes of a type are
//! reported together.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{
    Attribute, Ident, Lit, LitFloat, LitInt, LitStr, MacroDelimiter, Meta, Token, parenthesized,
    token,
};

use crate::errors::Errors;

/// `key = "…"`, `timestamp`.
pub(crate) struct Entry {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What follows an entry's name.
pub(crate) enum Value {
    Absent,
    Text(LitStr),
    Whole(LitInt),
    Fraction(LitFloat),
    /// What stands in parentheses.
    List(TokenStream),
    /// Anything else after the `=`.
    Other(TokenStream),
}

impl ToTokens for Value {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Absent => {}
            Self::Text(text) => text.to_tokens(tokens),
            Self::Whole(number) => number.to_tokens(tokens),
            Self::Fraction(number) => number.to_tokens(tokens),
            Self::List(list) | Self::Other(list) => list.to_tokens(tokens),
        }
    }
}

/// The entries of all attributes of one name at one place.
#[derive(Default)]
pub(crate) struct Entries {
    pub(crate) list: Vec<Entry>,
    /// Part of it could not be read, so an entry that seems to be missing may be there.
    pub(crate) malformed: bool,
}

impl Entries {
    /// Reads the entries of the attribute `name`. The message about a malformed list shows `example`.
    pub(crate) fn read(
        attributes: &[Attribute],
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Self {
        let mut entries = Self::default();
        let example = format!("`#[{name}({example})]`");
        for attribute in attributes_named(name, attributes) {
            entries.read_attribute(&attribute.meta, name, &example, errors);
        }
        entries
    }

    fn read_attribute(&mut self, meta: &Meta, name: &str, example: &str, errors: &mut Errors) {
        let list = match meta {
            Meta::List(list) if matches!(list.delimiter, MacroDelimiter::Paren(_)) => list,
            _ => {
                errors.add(
                    meta,
                    format!("`{name}` needs a list in parentheses; write {example}"),
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
        if let Some(comma) = input.parse::<Option<Token![,]>>()? {
            errors.add(comma, "this comma has nothing before it; remove it");
            return Ok(());
        }
        if !input.peek(Ident::peek_any) {
            errors.add(
                tokens_to_comma(input)?,
                format!("expected a name; write {example}"),
            );
            self.malformed = true;
            return read_comma(input);
        }
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![,]) || input.is_empty() {
            Value::Absent
        } else if input.peek(token::Paren) {
            let list;
            parenthesized!(list in input);
            Value::List(list.parse()?)
        } else {
            if let Some(colon) = input.parse::<Option<Token![:]>>()? {
                errors.add(colon, format!("write `=` after `{name}` in place of this"));
            } else if input.parse::<Option<Token![=]>>()?.is_none() {
                let value = input.fork().parse::<TokenTree>()?;
                errors.add(value, format!("a `=` is missing between `{name}` and this"));
            }
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

/// The attributes of this name.
pub(crate) fn attributes_named<'a>(
    name: &str,
    attributes: &'a [Attribute],
) -> impl Iterator<Item = &'a Attribute> {
    attributes
        .iter()
        .filter(move |attribute| attribute.path().is_ident(name))
}

/// A string literal, a number before a comma, or all tokens up to the next comma.
fn read_value(input: ParseStream<'_>) -> syn::Result<Value> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        return Ok(match text.suffix() {
            "" => Value::Text(text),
            _ => Value::Other(quote::quote!(#text)),
        });
    }
    let ahead = input.fork();
    let literal = ahead.parse::<Lit>();
    if ahead.is_empty() || ahead.peek(Token![,]) {
        let positive = |digits: &str| !digits.starts_with('-');
        match literal {
            Ok(Lit::Int(number)) if positive(number.base10_digits()) => {
                return input.parse().map(Value::Whole);
            }
            Ok(Lit::Float(number)) if positive(number.base10_digits()) => {
                return input.parse().map(Value::Fraction);
            }
            _ => {}
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    /// The names and texts of the entries, and the number of mistakes.
    fn read(attributes: &[Attribute]) -> (Vec<(String, Option<String>)>, usize) {
        let mut errors = Errors::default();
        let entries = Entries::read(attributes, "persist", "key = \"a\"", &mut errors);
        let name_and_text = |entry: &Entry| {
            let text = match &entry.value {
                Value::Text(text) => Some(text.value()),
                _ => None,
            };
            (entry.name.to_string(), text)
        };
        let mistakes = errors.into_compile_errors().to_string();
        (
            entries.list.iter().map(name_and_text).collect(),
            mistakes.matches("compile_error").count(),
        )
    }

    fn entry(name: &str, text: Option<&str>) -> (String, Option<String>) {
        (name.to_owned(), text.map(str::to_owned))
    }

    #[test]
    fn entries_of_all_lists_are_read_in_order() {
        let attributes = [
            parse_quote!(#[persist(key = "a", crate = "b",)]),
            parse_quote!(#[serde(key = "c")]),
            parse_quote!(#[persist(timestamp)]),
        ];
        let entries = vec![
            entry("key", Some("a")),
            entry("crate", Some("b")),
            entry("timestamp", None),
        ];
        assert_eq!(read(&attributes), (entries, 0));
    }

    #[test]
    fn a_mistake_does_not_hide_the_entries_after_it() {
        for attribute in [
            parse_quote!(#[persist(7 = "a", key = "b")]),
            parse_quote!(#[persist("a", key = "b")]),
            parse_quote!(#[persist(key = "b" retention, key = "c")]),
        ] {
            let (entries, mistakes) = read(&[attribute]);
            assert!(entries.contains(&entry("key", Some("b"))), "{entries:?}");
            assert_eq!(mistakes, 1);
        }
    }

    #[test]
    fn any_tokens_at_all_are_read_to_their_end() {
        for attribute in [
            parse_quote!(#[persist(,)]),
            parse_quote!(#[persist(,,key = "a")]),
            parse_quote!(#[persist(key = "a" "b" = = , ; =)]),
            parse_quote!(#[persist(= { , } , ( ) ,)]),
            parse_quote!(#[persist]),
            parse_quote!(#[persist = 7]),
            parse_quote!(#[persist { key = "a" }]),
        ] {
            let (_, mistakes) = read(&[attribute]);
            assert!(mistakes > 0);
        }
    }
}
