//! The code that is generated. It is small on purpose: whatever can be a provided method of the library is one.

mod declaration;
mod event_time;
pub(crate) mod fields;
mod series;
mod versions;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Generics;

use crate::model::Model;

/// The implementations of one type.
pub(crate) fn expand(model: &Model<'_>) -> TokenStream {
    let persist = persist(model);
    let series = series::expand(model);
    let literal_key = model.placeholders.is_empty().then(|| literal_key(model));
    let owner = fields::Owner {
        visibility: model.visibility,
        name: model.name,
        generics: model.generics,
        library: &model.library,
    };
    let fields = fields::expand(&owner, &model.shape);
    // A deprecated type, variant or field is for its users to be warned of, not for its own declaration.
    quote! {
        #persist
        #literal_key
        #series
        #fields
    }
}

fn persist(model: &Model<'_>) -> TokenStream {
    let Model { name, library, .. } = model;
    let (impl_generics, type_generics, _) = model.generics.split_for_impl();
    // What is older has parameters of its own to answer for.
    let older = model.versions.iter().flat_map(|versions| &versions.older);
    let older = older.map(|older| quote!(#older: #library::OlderVersion));
    let where_clause = where_clause(model, quote!(Self: #library::Record #(, #older)*));
    let declaration = declaration::expand(model);
    let event_time = model
        .event_time
        .as_ref()
        .map(|of| event_time::expand(library, of));
    let from_stored = model
        .versions
        .as_ref()
        .and_then(|of| versions::expand(library, of));
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #library::Declared for #name #type_generics #where_clause {
            const DECLARATION: #library::Declaration = #declaration;
            #event_time
            #from_stored
        }
    }
}

fn literal_key(model: &Model<'_>) -> TokenStream {
    let Model { name, library, .. } = model;
    let (impl_generics, type_generics, _) = model.generics.split_for_impl();
    // Higher-ranked, hence not checked here: a type that cannot be a record is reported once, at `Persist`.
    let unchecked = quote!(for<'unchecked> Self: #library::Persist);
    let where_clause = where_also(model.generics, unchecked);
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #library::LiteralKey for #name #type_generics #where_clause {}
    }
}

/// The type's own `where`, and for a generic type predicates on all of it: the parameters stay as the user wrote them.
fn where_clause(model: &Model<'_>, predicates: TokenStream) -> TokenStream {
    if model.generics.params.is_empty() {
        return model.generics.where_clause.to_token_stream();
    }
    where_also(model.generics, predicates)
}

fn where_also(generics: &Generics, predicate: TokenStream) -> TokenStream {
    let own = generics.where_clause.iter().flat_map(|own| &own.predicates);
    quote!(where #(#own,)* #predicate)
}

/// Only the place that errors point at changes. What names mean does not: they stay the macro's, also where `location`
/// comes from somewhere else, as a type that was handed to a `macro_rules!` does.
fn relocate(tokens: TokenStream, location: Span) -> TokenStream {
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
