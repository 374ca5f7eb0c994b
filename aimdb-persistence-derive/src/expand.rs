//! The code that is generated. It is small on purpose: whatever can be a provided method of the library is one.

pub(crate) mod fields;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Generics;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::buffer::Buffer;
use crate::event_time::{EventTime, Timestamp};
use crate::model::Model;
use crate::retention::Retention;
use crate::timestamp::TimeUnit;

/// The implementations of one type.
pub(crate) fn expand(model: &Model<'_>) -> TokenStream {
    let persist = persist(model);
    let series = series(model);
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
    let where_clause = where_clause(model, quote!(#library::Record));
    let declaration = declaration(model);
    let event_time = model.event_time.as_ref().map(|event_time| {
        let time = time(library, event_time);
        quote! {
            fn event_time(&self) -> #library::RowTime {
                #time
            }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #library::Persist for #name #type_generics #where_clause {
            const DECLARATION: #library::Declaration = #declaration;
            #event_time
        }
    }
}

fn declaration(model: &Model<'_>) -> TokenStream {
    let Model {
        library, template, ..
    } = model;
    let type_name = model.name.unraw().to_string();
    let retention = model.retention.map(|retention| {
        let retention = match retention {
            Retention::Forever => quote!(Forever),
            Retention::Milliseconds(length_ms) => quote!(Milliseconds(#length_ms)),
        };
        quote!(.with_retention(#library::Retention::#retention))
    });
    let buffer = model.buffer.map(|buffer| {
        let buffer = match buffer {
            Buffer::Ring(capacity) => {
                let capacity = proc_macro2::Literal::u32_unsuffixed(capacity);
                quote!(Ring(#capacity))
            }
            Buffer::Latest => quote!(Latest),
        };
        quote!(.with_buffer(#library::BufferKind::#buffer))
    });
    quote!(#library::Declaration::new(#type_name, #template) #retention #buffer)
}

fn time(library: &syn::Path, event_time: &EventTime<'_>) -> TokenStream {
    match event_time {
        EventTime::Struct(timestamp) => {
            let member = &timestamp.member;
            time_of(library, timestamp, quote!(&self.#member))
        }
        EventTime::Enum(variants) => {
            let arms = variants.iter().map(|(variant, timestamp)| {
                let member = &timestamp.member;
                let time = time_of(library, timestamp, quote!(__timestamp));
                quote!(Self::#variant { #member: __timestamp, .. } => #time)
            });
            quote!(match self { #(#arms,)* })
        }
    }
}

/// Located at the field's type, so that a type that is no timestamp is underlined.
fn time_of(library: &syn::Path, timestamp: &Timestamp<'_>, field: TokenStream) -> TokenStream {
    let time = match timestamp.unit {
        None => quote!(#library::RowTime::of(#field)),
        Some(unit) => {
            let unit = match unit {
                TimeUnit::Seconds => quote!(Seconds),
                TimeUnit::Milliseconds => quote!(Milliseconds),
                TimeUnit::Microseconds => quote!(Microseconds),
                TimeUnit::Nanoseconds => quote!(Nanoseconds),
            };
            quote!(#library::RowTime::since_1970(#field, #library::TimeUnit::#unit))
        }
    };
    relocate(time, timestamp.of.span())
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

fn series(model: &Model<'_>) -> TokenStream {
    let Model {
        visibility,
        name,
        library,
        placeholders,
        ..
    } = model;
    let (impl_generics, type_generics, _) = model.generics.split_for_impl();
    let where_clause = where_clause(model, quote!(#library::Persist));
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

/// The type's own `where`, and for a generic type a bound on all of it: the parameters stay as the user wrote them.
fn where_clause(model: &Model<'_>, bound: TokenStream) -> TokenStream {
    if model.generics.params.is_empty() {
        return model.generics.where_clause.to_token_stream();
    }
    where_also(model.generics, quote!(Self: #bound))
}

fn where_also(generics: &Generics, predicate: TokenStream) -> TokenStream {
    let own = generics.where_clause.iter().flat_map(|own| &own.predicates);
    quote!(where #(#own,)* #predicate)
}
