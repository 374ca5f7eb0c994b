//! Where errors in the generated code are underlined.

use proc_macro2::{Group, Span, TokenStream, TokenTree};

/// Only the place that errors point at changes. What names mean does not: they stay the macro's, also where `location`
/// comes from somewhere else, as a type that was handed to a `macro_rules!` does.
pub(super) fn relocate(tokens: TokenStream, location: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            let span = token.span().located_at(location);
            if let TokenTree::Group(group) = &token {
                token = Group::new(group.delimiter(), relocate(group.stream(), location)).into();
            }
            token.set_span(span);
            token
        })
        .collect()
}
