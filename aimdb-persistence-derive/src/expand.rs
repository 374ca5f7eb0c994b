//! The code that is generated. It is small on purpose: all that can be a provided method of the library is one.

mod declaration;
mod event_time;
mod fields;
mod marker;
mod series;
mod spans;
mod versions;
mod where_clause;

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;
use crate::model::Model;
use crate::model::part::Part;

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
        marker_of: model.value.another_type(),
    };
    let fields = fields::expand(&owner, &model.shape);
    let marker = marker::expand(model, fields.is_some());
    // `allow(deprecated)`: the users of a deprecated type, variant or field are warned, its declaration is not.
    quote! {
        #persist
        #literal_key
        #series
        #fields
        #marker
    }
}

/// The implementations of a type that is part of records.
pub(crate) fn expand_part(part: &Part<'_>, errors: &mut Errors) -> Option<TokenStream> {
    let owner = fields::Owner {
        visibility: part.visibility,
        name: part.name,
        generics: part.generics,
        library: &part.library,
        marker_of: None,
    };
    fields::expand_part(&owner, &part.shape, errors)
}

fn persist(model: &Model<'_>) -> TokenStream {
    let Model { name, library, .. } = model;
    let (impl_generics, type_generics, _) = model.generics.split_for_impl();
    // Older types carry their own bounds.
    let older = model.versions.iter().flat_map(|versions| &versions.older);
    let older = older.map(|older| quote!(#older: #library::derived::OlderVersion));
    let where_clause = where_clause::for_generic_types(
        model.generics,
        quote!(Self: #library::derived::Record #(, #older)*),
    );
    let declaration = declaration::expand(model);
    let event_time = model
        .event_time
        .as_ref()
        .map(|of| event_time::expand(library, of, &model.value));
    let from_stored = model
        .versions
        .as_ref()
        .and_then(|of| versions::expand(library, of, model.version_field.as_deref(), &model.value));
    let value = model.value.underlined();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #library::derived::Declared for #name #type_generics #where_clause {
            type Value = #value;
            const DECLARATION: #library::derived::Declaration = #declaration;
            #event_time
            #from_stored
        }
    }
}

fn literal_key(model: &Model<'_>) -> TokenStream {
    let Model { name, library, .. } = model;
    let (impl_generics, type_generics, where_clause) = model.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #library::derived::LiteralKey for #name #type_generics #where_clause {}
    }
}
