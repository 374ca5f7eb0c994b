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
        where_clause::for_generic_types(model.generics, quote!(Self: #library::Persist));
    let [series_doc, try_series_doc] = docs(model);
    quote! {
        #[allow(deprecated)]
        impl #impl_generics #name #type_generics #where_clause {
            #[doc = #series_doc]
            #[track_caller]
            #visibility fn series(#(#placeholders: impl ::core::fmt::Display),*) -> #library::Series<Self> {
                match Self::try_series(#(#placeholders),*) {
                    ::core::result::Result::Ok(__series) => __series,
                    ::core::result::Result::Err(__error) => ::core::panic!("{}", __error),
                }
            }

            #[doc = #try_series_doc]
            #visibility fn try_series(
                #(#placeholders: impl ::core::fmt::Display),*
            ) -> ::core::result::Result<#library::Series<Self>, #library::KeyError> {
                #library::Series::from_values(&[#(&#placeholders),*])
            }
        }
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
