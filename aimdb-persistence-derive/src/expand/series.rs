//! `T::series(…)` and `T::try_series(…)`, whose arguments are the placeholders.

use proc_macro2::TokenStream;
use quote::quote;

use super::where_clause;
use crate::model::Model;

pub(super) fn expand(model: &Model<'_>) -> TokenStream {
    let Model {
        visibility,
        name,
        library,
        placeholders,
        ..
    } = model;
    let (impl_generics, type_generics, _) = model.generics.split_for_impl();
    let where_clause =
        where_clause::for_generic_types(model.generics, quote!(Self: #library::derived::Persist));
    let [series_doc, try_series_doc] = docs(model);
    // For its users, `series(impl Display)` reads better than a function with a parameter for each type.
    let allowed = match placeholders.is_empty() {
        true => quote!(deprecated),
        false => quote!(deprecated, clippy::impl_trait_in_params),
    };
    let series = quote! {
        #[allow(#allowed)]
        impl #impl_generics #name #type_generics #where_clause {
            #[doc = #series_doc]
            #[track_caller]
            #visibility fn series(#(#placeholders: impl ::core::fmt::Display),*) -> #library::derived::Series<Self> {
                match Self::try_series(#(#placeholders),*) {
                    ::core::result::Result::Ok(__series) => __series,
                    ::core::result::Result::Err(__error) => ::core::panic!("{}", __error),
                }
            }

            #[doc = #try_series_doc]
            #visibility fn try_series(
                #(#placeholders: impl ::core::fmt::Display),*
            ) -> ::core::result::Result<#library::derived::Series<Self>, #library::derived::KeyError> {
                #library::derived::Series::from_values(&[#(&#placeholders),*])
            }
        }
    };
    if placeholders.is_empty() {
        return series;
    }
    // An argument cannot have the name of a constant, a static or a unit struct in scope. It can have that of a function, and
    // such a function hides all of the others.
    quote! {
        const _: () = {
            #(
                #[allow(dead_code, non_snake_case)]
                const fn #placeholders() {}
            )*

            #series
        };
    }
}

/// The documentation of `series` and `try_series`.
fn docs(model: &Model<'_>) -> [String; 2] {
    let template = &model.template;
    if model.placeholders.is_empty() {
        return [
            format!("The history of the record `{template}`."),
            format!(
                "The history of the record `{template}`.\n\n# Errors\nNone: the key was checked at compile time."
            ),
        ];
    }
    [
        format!(
            "The history of one record, `{template}`.\n\n# Panics\nIf a value cannot stand in a key: it is empty, or \
             contains a separator or a wildcard. For values from outside there is `try_series`."
        ),
        format!(
            "The history of one record, `{template}`, whose values come from outside.\n\n# Errors\nIf a value cannot \
             stand in a key: it is empty, or contains a separator or a wildcard."
        ),
    ]
}
