//! Code that is compiled for tests alone.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// Whether the attributes in front of `node` leave it out of everything but tests.
pub(crate) fn is_test_only(node: &impl ToTokens) -> bool {
    let attributes = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<TokenStream>()?;
        Ok(attributes)
    };
    let tokens = node.to_token_stream();
    // Most nodes have no attributes, and parsing takes longer than looking.
    let first = tokens.clone().into_iter().next();
    if !matches!(first, Some(TokenTree::Punct(first)) if first.as_char() == '#') {
        return false;
    }
    let attributes = attributes.parse2(tokens);
    attributes.is_ok_and(|attributes| attributes.iter().any(is_test_condition))
}

fn is_test_condition(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list
            .parse_args()
            .is_ok_and(|condition| needs_test(&condition)),
        meta => meta.path().is_ident("test"),
    }
}

fn needs_test(condition: &Meta) -> bool {
    let parts = |condition: &Meta| {
        let list = condition.require_list().ok()?;
        let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        parts.ok()
    };
    let path = condition.path();
    if path.is_ident("all") {
        parts(condition).is_some_and(|parts| parts.iter().any(needs_test))
    } else if path.is_ident("any") {
        parts(condition).is_some_and(|parts| parts.iter().all(needs_test))
    } else {
        path.is_ident("test") || path.is_ident("doctest")
    }
}

/// Whether a file's path alone says that it holds tests.
pub(crate) fn is_test_file(file: &str) -> bool {
    let (folders, name) = file.rsplit_once('/').unwrap_or(("", file));
    name == "tests.rs" || folders.split('/').any(|folder| folder == "tests")
}
