//! The `where` clauses of the implementations.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Generics;

/// The type's own `where`; for a generic type also these predicates, which are of the whole type, so that its parameters
/// need no bounds.
pub(super) fn for_generic_types(generics: &Generics, predicates: TokenStream) -> TokenStream {
    if generics.params.is_empty() {
        return generics.where_clause.to_token_stream();
    }
    let own = generics.where_clause.iter().flat_map(|own| &own.predicates);
    quote!(where #(#own,)* #predicates)
}
