//! `event_time`: reads the field that is marked `timestamp`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;
use syn::spanned::Spanned;

use super::spans::relocate;
use crate::grammar::time_unit::TimeUnit;
use crate::model::event_time::{EventTime, Timestamp};
use crate::model::marker::Value;

pub(super) fn expand(library: &Path, event_time: &EventTime<'_>, value: &Value<'_>) -> TokenStream {
    let time = time(library, event_time, value);
    let of = value.written();
    quote! {
        fn event_time_of(__value: &#of) -> #library::derived::RowTime {
            #time
        }
    }
}

fn time(library: &Path, event_time: &EventTime<'_>, value: &Value<'_>) -> TokenStream {
    match event_time {
        EventTime::Struct(timestamp) => {
            let member = &timestamp.member;
            let getter = value.another_type().and(timestamp.getter.as_ref());
            let Some(getter) = getter else {
                return time_of(library, timestamp, quote!(&__value.#member));
            };
            // It may answer with a reference or a value.
            let (of, time) = (
                timestamp.of,
                time_of(library, timestamp, quote!(__timestamp)),
            );
            let read = relocate(
                quote!(let __timestamp: &#of = &#getter(__value);),
                of.span(),
            );
            quote!(#read #time)
        }
        EventTime::Enum(variants) => {
            let (alias, name) = value.named();
            let arms = variants.iter().map(|(variant, timestamp)| {
                let member = &timestamp.member;
                let time = time_of(library, timestamp, quote!(__timestamp));
                quote!(#name::#variant { #member: __timestamp, .. } => #time)
            });
            // Whether a marker names all variants is seen where its fields are compared.
            let others = value.another_type().map(|_| {
                quote! {
                    #[allow(unreachable_patterns)]
                    _ => #library::derived::RowTime::Received,
                }
            });
            quote!(#alias match __value { #(#arms,)* #others })
        }
    }
}

/// Errors point at the field's type, so that a type which is no timestamp is underlined.
fn time_of(library: &Path, timestamp: &Timestamp<'_>, field: TokenStream) -> TokenStream {
    let time = match timestamp.unit {
        None => quote!(#library::derived::RowTime::of(#field)),
        Some(unit) => {
            let unit = match unit {
                TimeUnit::Seconds => quote!(Seconds),
                TimeUnit::Milliseconds => quote!(Milliseconds),
                TimeUnit::Microseconds => quote!(Microseconds),
                TimeUnit::Nanoseconds => quote!(Nanoseconds),
            };
            quote!(#library::derived::RowTime::since_1970(#field, #library::derived::TimeUnit::#unit))
        }
    };
    relocate(time, timestamp.of.span())
}
