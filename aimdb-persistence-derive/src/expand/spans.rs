//! Where errors in the generated code are underlined.

use proc_macro2::{Group, Span, TokenStream, TokenTree};

/// Makes errors in these tokens point at `location`. Names keep their meaning: they stay the macro's, even if `location`
/// comes from elsewhere, as that of a type does which was handed to a `macro_rules!`.
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
