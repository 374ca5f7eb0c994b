//! What a crate's `lib.rs` may hold.

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, File, Item, ItemMacro};

use crate::test_code::is_test_only;

/// The macros of a crate of macros can be defined nowhere else.
const MACROS: [&str; 3] = ["proc_macro", "proc_macro_derive", "proc_macro_attribute"];

/// Every item that neither declares a module nor re-exports: its line, and what it is.
pub(crate) fn other_items(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for item in &file.items {
        collect_other(item, &mut found);
    }
    found
}

fn collect_other(item: &Item, found: &mut Vec<(usize, String)>) {
    match item {
        item if is_test_only(item) => {}
        Item::Use(_) | Item::ExternCrate(_) => {}
        Item::Fn(function) if function.attrs.iter().any(is_macro) => {}
        // A prelude, for one.
        Item::Mod(module) => {
            for item in module.content.iter().flat_map(|(_, items)| items) {
                collect_other(item, found);
            }
        }
        item => found.push(described(item)),
    }
}

/// The line in which an item begins, after its attributes, and its first words.
fn described(item: &Item) -> (usize, String) {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Macro(ItemMacro {
            ident: Some(name), ..
        }) => name,
        Item::Impl(item) => {
            let of = item.self_ty.to_token_stream();
            return (
                item.impl_token.span.start().line,
                format!("the `impl` of `{of}`"),
            );
        }
        item => return (item.span().start().line, "what begins here".to_owned()),
    };
    (name.span().start().line, format!("`{name}`"))
}

fn is_macro(attribute: &Attribute) -> bool {
    MACROS.iter().any(|name| attribute.path().is_ident(name))
}
