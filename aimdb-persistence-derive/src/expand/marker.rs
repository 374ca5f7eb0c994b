//! What a marker has in place of what `Persist` provides: functions of its own, since its values are of another type; and
//! the comparison of its fields with those of that type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{Member, PathArguments, Type};

use super::spans::relocate;
use crate::model::Model;
use crate::model::marker::{Access, Value};
use crate::shape::{Field, Shape};

/// Nothing for a type that declares its own values.
pub(super) fn expand(model: &Model<'_>, has_fields: bool) -> Option<TokenStream> {
    let Value::Other { of, is_known, .. } = &model.value else {
        return None;
    };
    let functions = functions(model, of, has_fields);
    let comparison = is_known.then(|| comparison(model));
    let use_of_marker = use_of_marker(model);
    Some(quote! {
        #functions

        #[allow(dead_code, deprecated, unused_variables, clippy::all, clippy::pedantic, clippy::restriction)]
        const _: () = {
            #comparison
            #use_of_marker
        };
    })
}

fn functions(model: &Model<'_>, of: &Type, has_fields: bool) -> TokenStream {
    let Model {
        visibility,
        name,
        library,
        ..
    } = model;
    let (impl_generics, type_generics, _) = model.generics.split_for_impl();
    let answer = quote! {
        impl ::core::future::Future<
            Output = ::core::result::Result<::std::vec::Vec<#of>, #library::derived::PersistenceError>,
        > + ::core::marker::Send + use<__Db>
    };
    let fields = has_fields.then(|| {
        quote! {
            /// The fields of the values, each by its place in the stored JSON.
            #visibility const fn fields() -> <Self as #library::derived::HasFields>::Fields {
                <Self as #library::derived::HasFields>::FIELDS
            }
        }
    });
    // A higher-ranked bound is not checked here. So a type that cannot be a record is reported once, at `Declared`.
    let unchecked = quote!(for<'unchecked> #of: #library::derived::Record);
    // An argument cannot have the name of a constant in scope, as in `series`.
    let arguments = ["db", "builder", "limit_per_series", "start_ms", "end_ms"];
    let arguments = arguments.map(|name| Ident::new(name, Span::call_site()));
    quote! {
        const _: () = {
        #(
            #[allow(dead_code)]
            const fn #arguments() {}
        )*

        #[allow(deprecated)]
        impl #impl_generics #name #type_generics where #unchecked {
            #fields

            /// Asks the history of every series of this declaration, and of no other.
            #visibility fn history<__Db: #library::derived::Ask>(db: &__Db) -> #library::derived::History<#of> {
                #library::derived::marker::history::<Self, __Db>(db)
            }

            /// Adds the one record of this declaration to the builder, with its buffer, and records it.
            #visibility fn register<__Builder: #library::derived::marker::RecordingBuilder>(builder: &mut __Builder)
            where
                for<'unchecked> Self: #library::derived::LiteralKey,
            {
                #library::derived::marker::register::<Self, __Builder>(builder)
            }

            /// The newest values of each series, sorted by key, then newest first.
            #visibility fn query_latest<__Db: #library::derived::Ask>(db: &__Db, limit_per_series: usize) -> #answer {
                Self::history(db).latest(limit_per_series).values()
            }

            /// The values between two times (Unix milliseconds, both inclusive) of each series. With a limit, the newest of
            /// them.
            #visibility fn query_range<__Db: #library::derived::Ask>(
                db: &__Db,
                start_ms: u64,
                end_ms: u64,
                limit_per_series: ::core::option::Option<usize>,
            ) -> #answer {
                let __limit = limit_per_series.unwrap_or(usize::MAX);
                Self::history(db).between(start_ms, end_ms).latest(__limit).values()
            }
        }
        };
    }
}

/// A function that compiles if the type has the fields that the marker names. Its errors point at the marker.
fn comparison(model: &Model<'_>) -> Option<TokenStream> {
    let arms: Vec<_> = match &model.shape {
        Shape::Struct(fields) if fields.is_empty() => return None,
        Shape::Struct(fields) => vec![arm(&constructor(model), fields)],
        Shape::Enum(variants) => variants
            .iter()
            .map(|variant| {
                let name = variant.name;
                arm(&quote!(__Value::#name), &variant.fields)
            })
            .collect(),
    };
    let (alias, _) = model.value.named();
    let others = model.value.has_further_variants().then(|| quote!(_ => {}));
    Some(quote! {
        fn __compare(__value: &__Value) {
            match __value { #(#arms)* #others }
        }
        #alias
    })
}

fn arm(path: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let name = |index: usize| format_ident!("__field_{index}", span = Span::mixed_site());
    let mut members = Vec::new();
    let mut types = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let (member, of, name) = (&field.member, field.of, name(index));
        let read = match Access::of(field) {
            Access::Unknown => continue,
            Access::Getter(getter) => quote!(&#getter(__value)),
            Access::Member => {
                members.push(match member {
                    Member::Named(member) => quote!(#member: #name),
                    Member::Unnamed(_) => name.to_token_stream(),
                });
                name.into_token_stream()
            }
        };
        let expected = relocate(quote!(let _: &#of = #read;), of.span());
        types.push(expected);
    }
    match fields.first().map(|field| &field.member) {
        // A tuple is compared as a whole: what is stored of it depends on how many members it has.
        Some(Member::Unnamed(_)) => quote!(#path(#(#members,)*) => { #(#types)* }),
        _ => quote!(#path { #(#members,)* .. } => { #(#types)* }),
    }
}

/// What stands before the members of a struct in a pattern: for a tuple no alias may, nor parameters.
fn constructor(model: &Model<'_>) -> TokenStream {
    let mut path = match model.value.another_type() {
        Some(Type::Path(of)) if of.qself.is_none() => of.path.clone(),
        _ => return quote!(__Value),
    };
    if let Some(last) = path.segments.last_mut() {
        last.arguments = PathArguments::None;
    }
    path.into_token_stream()
}

/// The marker is a type that nobody makes a value of, and whose fields nobody reads. The compiler would say so.
fn use_of_marker(model: &Model<'_>) -> TokenStream {
    let Model { name, generics, .. } = model;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let made = |path: TokenStream, fields: &[Field<'_>]| {
        let names: Vec<_> = (0..fields.len())
            .map(|index| format_ident!("__field_{index}"))
            .collect();
        let members = fields.iter().map(|field| &field.member);
        quote!(let _ = |#(#names),*| #path { #(#members: #names,)* };)
    };
    let uses: Vec<TokenStream> = match &model.shape {
        Shape::Struct(fields) => {
            let members = fields.iter().map(|field| &field.member);
            vec![
                made(quote!(#name), fields),
                quote!(#(let _ = &__marker.#members;)*),
            ]
        }
        Shape::Enum(variants) => {
            let made = variants.iter().map(|variant| {
                let variant_name: &Ident = variant.name;
                made(quote!(#name::#variant_name), &variant.fields)
            });
            let read = variants.iter().map(|variant| {
                let (variant_name, mut pattern) = (variant.name, Vec::new());
                for (index, field) in variant.fields.iter().enumerate() {
                    let (member, bound) = (&field.member, format_ident!("__field_{index}"));
                    pattern.push(quote!(#member: #bound));
                }
                quote!(#name::#variant_name { #(#pattern,)* } => {})
            });
            let read = quote!(match __marker { #(#read)* });
            made.chain([read]).collect()
        }
    };
    quote! {
        fn __use #impl_generics (__marker: &#name #type_generics) #where_clause {
            #(#uses)*
        }
    }
}
